"""Plans a second to HAPI, sekmet and a server that answers in 50 ms, beside a loop of POSTs.

The loop posts the very transactions that sync sends, over one connection, and looks at nothing;
over as many connections as sync has, it shows what server and machine give at most.
Sync looks for each plan, sends it, reads it back and compares it. Both write new plans of new
patients; they take turns, so that whatever else the machine does falls on both.
"""

import argparse
import gc
import json
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import requests

from benchmarks.piped import piped
from ivfhir.cli.main import GARBAGE_AFTER
from ivfhir.servers.http import HttpRepository
from ivfhir.sync.decide import decide
from ivfhir.sync.deliver import Outcome
from ivfhir.sync.ledger import Ledger
from ivfhir.sync.plans import SyncPlan, read_plans
from ivfhir.sync.run import Target, sync_plans
from tests.ivfhir.sync.scene import named
from tests.servers.hapi_server import FOR_FIGURES, run_hapi

_GOLDEN = Path(__file__).parents[2] / "tests/ivfhir/golden/CarePlan-V01.json"
_LATENCY_S = 0.05
_AT_ONCE = 8
"""Patients registered side by side, off the clock."""


class Rates:
    """Plans and seconds of each way, over all turns."""

    def __init__(self) -> None:
        """Begin with none."""
        self._plans: dict[str, int] = {}
        self._seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, way: str, plans: int) -> Iterator[None]:
        """Count the block as so many plans of a way."""
        began = time.perf_counter()
        yield
        self._seconds[way] = self._seconds.get(way, 0.0) + time.perf_counter() - began
        self._plans[way] = self._plans.get(way, 0) + plans

    def a_second(self) -> dict[str, float]:
        """Return plans a second by way."""
        return {way: round(self._plans[way] / self._seconds[way], 2) for way in self._plans}


def measure(
    base: str, *, plans: int, turns: int, name: str, connections: int, small: bool = False
) -> dict[str, Any]:
    """Return plans a second of each way, and the ratios that count.

    Args:
        base: the server.
        plans: of each way in each turn.
        turns: how often each way is measured; one more is off the clock.
        name: keeps the patients apart from others on the server.
        connections: of the second way of sync.
        small: plans of 4 resources in place of 47.
    """
    rates = Rates()
    wide = [(f"{each}{connections}", connections) for each in ("loop", "sync")]
    for turn in range(turns + 1):
        clock = Rates() if turn == 0 else rates
        for way, many in (("loop", 1), ("sync1", 1), *wide):
            with tempfile.TemporaryDirectory() as folder:
                found = _new_plans(base, Path(folder), f"{name}-{turn}-{way}", plans, small=small)
                if way.startswith("loop"):
                    _loop(base, found, clock, way=way, connections=many)
                else:
                    _sync(base, Path(folder), found, clock, way=way, connections=many)
    told = rates.a_second()
    return {
        "plansASecond": told,
        "ratio1": round(told["sync1"] / told["loop"], 2),
        f"ratio{connections}": round(told[f"sync{connections}"] / told["loop"], 2),
        f"loop{connections}Ratio": round(told[f"loop{connections}"] / told["loop"], 2),
        "secondSync": round(told["sync1-again"] / told["sync1"], 1),
    }


def measure_memory(base: str, *, plans: int, connections: int) -> dict[str, Any]:
    """Return the resident MiB of a sync of many small plans: once read, at a tenth, at the end."""
    with tempfile.TemporaryDirectory() as folder:
        small = json.dumps(named("VALUE")).replace("Patient/p", "Patient/NUMBER")
        with (Path(folder) / "plans.ndjson").open("w", encoding="utf-8") as file:
            for number in range(plans):
                patient = {"resourceType": "Patient", "id": str(number)}
                requests.put(f"{base}/Patient/{number}", json=patient, timeout=60)
                text = small.replace("VALUE", f"v{number}").replace("NUMBER", str(number))
                file.write(text + "\n")
        found = read_plans([Path(folder)])[0]
        resident = [_resident_mib()]
        done: list[str] = []

        def watch(outcome: Outcome) -> None:
            done.append(outcome.result)
            if len(done) in (plans // 10, plans):
                resident.append(_resident_mib())

        ledger = Ledger(Path(folder) / "ledger")
        target = Target(base, lambda: HttpRepository(base, prefer="minimal"), ledger)
        began = time.perf_counter()
        sync_plans(found, [target], random=lambda: 0.5, connections=connections, watch=watch)
        rate = plans / (time.perf_counter() - began)
        assert set(done) == {"created"}
        ledger.close()
    names = ("readMiB", "tenthMiB", "endMiB")
    return {"plans": plans, "aSecond": round(rate, 1), **dict(zip(names, resident, strict=True))}


def _resident_mib() -> float:
    """Return the resident memory of this process; Linux tells it."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * resource.getpagesize() / 1024 / 1024, 1)


def _new_plans(
    base: str, folder: Path, name: str, count: int, *, small: bool = False
) -> list[SyncPlan]:
    """Register patients, and return a plan for each: one of `ivfhir apply`, or a small one."""
    text = _GOLDEN.read_text(encoding="utf-8").replace("in-v01-standard", "NUMBER")
    if small:
        text = json.dumps(named("NUMBER")).replace("Patient/p", "Patient/NUMBER")

    def put(number: int) -> None:
        patient = f"{name}-{number}"
        body = {"resourceType": "Patient", "id": patient}
        requests.put(f"{base}/Patient/{patient}", json=body, timeout=60).raise_for_status()
        plan = text.replace("NUMBER", patient)
        (folder / f"{number}.json").write_text(plan, encoding="utf-8")

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for _ in pool.map(put, range(count)):
            pass
    return read_plans([folder])[0]


def _loop(base: str, plans: list[SyncPlan], clock: Rates, *, way: str, connections: int) -> None:
    """Post plans, each connection its share; more than one show what is to be had at all."""
    target = Target(base, lambda: HttpRepository(base), Ledger(None))
    target.meet()
    bundles = [json.dumps(decide(plan, target.place).bundle, default=float) for plan in plans]
    headers = {"Content-Type": "application/fhir+json"}

    def post(share: list[str]) -> None:
        session = requests.Session()
        for body in share:
            session.post(base, data=body, headers=headers, timeout=120).raise_for_status()

    with ThreadPoolExecutor(connections) as pool, clock.timed(way, len(plans)):
        for _ in pool.map(post, [bundles[number::connections] for number in range(connections)]):
            pass


def _sync(
    base: str, folder: Path, plans: list[SyncPlan], clock: Rates, *, way: str, connections: int
) -> None:
    ledger = Ledger(folder / "ledger")
    for again, wanted in (("", "created"), ("-again", "unchanged")):
        target = Target(base, lambda: HttpRepository(base, prefer="minimal"), ledger)
        with clock.timed(f"{way}{again}", len(plans)):
            rows = sync_plans(plans, [target], random=lambda: 0.5, connections=connections)
        assert {row.result for row in rows} == {wanted}, rows[0]
    ledger.close()


@contextmanager
def _server(*words: str) -> Iterator[str]:
    """Start a server in a process of its own that prints its base URL; yield that."""
    with piped([sys.executable, *words]) as (_, said):
        yield said.readline().strip()


_SEKMET = (
    "import sys\nfrom tests.servers.sekmet_server import run_sekmet\n"
    "with run_sekmet() as base:\n    print(base, flush=True)\n    sys.stdin.read()"
)


def _start(name: str) -> AbstractContextManager[str]:
    if name == "hapi":
        return run_hapi(options=FOR_FIGURES)
    if name == "sekmet":
        return _server("-c", _SEKMET)
    answer_s = _LATENCY_S if name == "slow" else 0.0
    return _server("-m", "benchmarks.sync.slow_fhir", str(answer_s))


def main(argv: list[str] | None = None) -> int:
    """Print the figures of each server as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plans", type=int, default=25)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--server", action="append", choices=("hapi", "sekmet", "slow"))
    parser.add_argument("--small", action="store_true", help="plans of 4 resources, not of 47")
    parser.add_argument(
        "--memory", type=int, metavar="PLANS", help="only this: small plans to a server in memory"
    )
    arguments = parser.parse_args(argv)
    gc.set_threshold(*GARBAGE_AFTER)  # As the command does.
    if arguments.memory is not None:
        with _start("fast") as base:
            told = measure_memory(base, plans=arguments.memory, connections=arguments.connections)
        print(json.dumps(told), flush=True)
        return 0
    for name in arguments.server or ("hapi", "sekmet", "slow"):
        with _start(name) as base:
            told = measure(
                base,
                plans=arguments.plans,
                turns=arguments.turns,
                name=f"bench-{name}",
                connections=arguments.connections,
                small=arguments.small,
            )
        print(json.dumps({"server": name, **told}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
