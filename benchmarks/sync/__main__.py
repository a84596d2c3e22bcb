"""Plans a second to HAPI, sekmet and a server that answers in 50 ms, beside a loop of POSTs.

The loop posts the very transactions that sync sends, over one connection, and looks at nothing.
Sync looks for each plan, sends it, reads it back and compares it. Both write new plans of new
patients; they take turns, so that whatever else the machine does falls on both.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

from ivfhir.servers.http import HttpRepository
from ivfhir.sync.decide import decide
from ivfhir.sync.ledger import Ledger
from ivfhir.sync.plans import SyncPlan, read_plans
from ivfhir.sync.run import Target, sync_plans
from tests.servers.fault_proxy import run_proxy
from tests.servers.hapi_server import run_hapi

_GOLDEN = Path(__file__).parents[2] / "tests/ivfhir/golden/CarePlan-V01.json"
_LATENCY_S = 0.05


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


def measure(base: str, *, plans: int, turns: int, name: str, connections: int) -> dict[str, Any]:
    """Return plans a second of each way, and the ratios that count.

    Args:
        base: the server.
        plans: of each way in each turn.
        turns: how often each way is measured; one more is off the clock.
        name: keeps the patients apart from others on the server.
        connections: of the second way of sync.
    """
    rates = Rates()
    for turn in range(turns + 1):
        clock = Rates() if turn == 0 else rates
        for way, many in (("loop", 0), ("sync1", 1), (f"sync{connections}", connections)):
            with tempfile.TemporaryDirectory() as folder:
                found = _new_plans(base, Path(folder), f"{name}-{turn}-{way}", plans)
                if way == "loop":
                    _loop(base, found, clock)
                else:
                    _sync(base, Path(folder), found, clock, way=way, connections=many)
    told = rates.a_second()
    wide = f"sync{connections}"
    return {
        "plansASecond": told,
        "ratio1": round(told["sync1"] / told["loop"], 2),
        f"ratio{connections}": round(told[wide] / told["loop"], 2),
        "secondSync": round(told["sync1-again"] / told["sync1"], 1),
    }


def _new_plans(base: str, folder: Path, name: str, count: int) -> list[SyncPlan]:
    """Register patients, and return a plan of `ivfhir apply` for each."""
    text = _GOLDEN.read_text(encoding="utf-8")
    for number in range(count):
        patient = f"{name}-{number}"
        resource = {"resourceType": "Patient", "id": patient}
        requests.put(f"{base}/Patient/{patient}", json=resource, timeout=60).raise_for_status()
        plan = text.replace("in-v01-standard", patient)
        (folder / f"{number}.json").write_text(plan, encoding="utf-8")
    return read_plans([folder])[0]


def _loop(base: str, plans: list[SyncPlan], clock: Rates) -> None:
    target = Target(base, lambda: HttpRepository(base), Ledger(None))
    target.meet()
    bundles = [json.dumps(decide(plan, target.place).bundle, default=float) for plan in plans]
    session = requests.Session()
    headers = {"Content-Type": "application/fhir+json"}
    with clock.timed("loop", len(plans)):
        for body in bundles:
            session.post(base, data=body, headers=headers, timeout=120).raise_for_status()


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
def _sekmet() -> Iterator[str]:
    """Start sekmet in a process of its own, as a server is; yield its base URL."""
    code = (
        "from tests.servers.sekmet_server import run_sekmet\n"
        "with run_sekmet() as base:\n    print(base, flush=True)\n    input()"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        yield server.stdout.readline().strip()
        server.stdin.write("\n")
        server.stdin.close()


def main(argv: list[str] | None = None) -> int:
    """Print the figures of each server as a line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plans", type=int, default=25)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--server", action="append", choices=("hapi", "sekmet", "slow"))
    arguments = parser.parse_args(argv)
    for name in arguments.server or ("hapi", "sekmet", "slow"):
        with ExitStack() as stack:
            base = stack.enter_context(run_hapi() if name == "hapi" else _sekmet())
            if name == "slow":
                proxy = stack.enter_context(run_proxy(base, latency_s=_LATENCY_S))
                base = proxy.base
            told = measure(
                base,
                plans=arguments.plans,
                turns=arguments.turns,
                name=f"bench-{name}",
                connections=arguments.connections,
            )
        print(json.dumps({"server": name, **told}), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
