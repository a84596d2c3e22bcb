"""Writers that sync plans of one patient and protocol at one moment, in processes of their own.

`python -m tests.ivfhir.sync.writers --writers 16 --rounds 200` is the long form (`make faults`).
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

from tests.ivfhir.sync.scene import named, put, run, stored, write
from tests.long_runs import carry_on, chance_of, keep
from tests.servers.fault_proxy import Asked, run_proxy
from tests.servers.sekmet_server import run_sekmet

_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(["ivfhir.cli.sync", __name__])
_WAIT_S = 300
_STANDS = ("created", "superseded")


@dataclass
class Tally:
    """What a series of rounds left behind.

    Attributes:
        rounds: how many there were.
        results: how often each result was told.
        wrong: what is not as it should be, a sentence each.
    """

    rounds: int = 0
    results: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def race_often(
    base: str,
    *,
    writers: int,
    rounds: int,
    seed: int,
    name: str,
    state: Path | None = None,
    late_s: float = 0.0,
) -> Tally:
    """Let writers race for a patient of their own in each round; return what came of it.

    Args:
        base: the server.
        writers: how many.
        rounds: how many times.
        seed: of whose plan is the newest.
        name: keeps the patients of this series apart from others on the server.
        state: the file from which an earlier start goes on.
        late_s: seconds after which the server shows what it stored.
    """
    tally = Tally()
    carry_on(tally, state)
    barrier = _CONTEXT.Barrier(writers)
    with tempfile.TemporaryDirectory() as folder:
        pipes = [_CONTEXT.Pipe() for _ in range(writers)]
        processes = [
            _CONTEXT.Process(
                target=_writer, args=(Path(folder) / str(number), base, barrier, theirs)
            )
            for number, (_, theirs) in enumerate(pipes)
        ]
        for process in processes:
            process.start()
        try:
            while tally.rounds < rounds:
                tally.rounds += 1
                chance, own = chance_of(seed, tally.rounds), f"{name}-{tally.rounds}"
                _round(base, [ours for ours, _ in pipes], chance, tally, own, late_s=late_s)
                keep(tally, state)
        finally:
            for ours, _ in pipes:
                ours.send(None)
            for process in processes:
                process.join(_WAIT_S)
    return tally


def _writer(folder: Path, base: str, barrier: Barrier, orders: Connection) -> None:
    """Sync each plan that comes through the pipe, when all writers have theirs."""
    folder.mkdir()
    while (plan := orders.recv()) is not None:
        place = folder / plan["id"]
        place.mkdir()
        write(place, "plan", {key: value for key, value in plan.items() if key != "id"})
        barrier.wait(_WAIT_S)
        orders.send(run(place, "--to", base)[1:])


def _round(
    base: str,
    writers: list[Connection],
    chance: random.Random,
    tally: Tally,
    name: str,
    *,
    late_s: float,
) -> None:
    patient_id = f"w{name}"
    mrn = {"system": "https://hospital.example/mrn", "value": name}
    put(base, {"resourceType": "Patient", "id": patient_id, "identifier": [mrn]})
    days = chance.sample(range(1, 29), len(writers))
    for number, (writer, day) in enumerate(zip(writers, days, strict=True)):
        plan = json.loads(
            json.dumps(named(f"{name}-{number}")).replace('"Patient/p"', f'"Patient/{patient_id}"')
        )
        writer.send({**plan, "created": f"2025-03-{day:02}T10:00:00Z", "id": name})
    told: list[Any] = []
    for writer in writers:
        if not writer.poll(_WAIT_S):
            tally.wrong.append(f"{name}: a writer did not answer.")
            return
        rows, sentence = writer.recv()
        told += rows or [{"result": sentence, "references": []}]
    tally.results.update(str(row["result"]) for row in told)
    time.sleep(late_s)
    tally.wrong += [f"{name}: {each}" for each in _wrong(base, patient_id, told, newest=max(days))]


def _wrong(base: str, patient_id: str, told: list[Any], *, newest: int) -> list[str]:
    """Return what is not as it should be once all writers have finished."""
    plans = stored(base, "CarePlan", patient=f"Patient/{patient_id}")
    standing = [each for each in plans if each["status"] == "draft"]
    wrong = [] if len(standing) == 1 else [f"{len(standing)} plans are open."]
    made = {reference for row in told for reference in row["references"]}
    wrong += [
        f"CarePlan/{each['id']} is {each['status']}, and no writer tells of it."
        for each in plans
        if f"CarePlan/{each['id']}" not in made
    ]
    wrong += [
        f"The newest is not the open one, but that of {each['created']}."
        for each in standing
        if not each["created"].startswith(f"2025-03-{newest:02}")
    ]
    parked = [row for row in told if row["result"] not in (*_STANDS, "refused", "unchanged")]
    wrong += [f"A writer tells: {row['result']}." for row in parked]
    orders = stored(base, "ServiceRequest", patient=f"Patient/{patient_id}")
    live = [each for each in orders if each["status"] == "draft"]
    wrong += [] if len(live) == 1 else [f"{len(live)} orders are open."]
    return wrong


def without_if_match(asked: Asked) -> None:
    """Take the conditions of a version out of a request."""
    asked.headers = {k: v for k, v in asked.headers.items() if k.lower() != "if-match"}
    body = asked.json() if asked.body else None
    if isinstance(body, dict) and body.get("resourceType") == "Bundle":
        for entry in body.get("entry", ()):
            entry.get("request", {}).pop("ifMatch", None)
        asked.body = json.dumps(body).encode()


LATE_S = 1.0
"""Seconds after which a server that finds late shows what it stored."""


def without_the_newest(asked: Asked, body: Any) -> Any:
    """Take out of the answer to a search what was stored a moment ago."""
    if asked.method != "GET" or not isinstance(body, dict) or body.get("type") != "searchset":
        return body
    oldest = datetime.now(UTC) - timedelta(seconds=LATE_S)
    shown = [
        each
        for each in body.get("entry", ())
        if datetime.fromisoformat(each["resource"]["meta"]["lastUpdated"]) < oldest
    ]
    return {**body, "total": len(shown), "entry": shown}


def main(argv: list[str] | None = None) -> int:
    """Race on one kind of server, or on all of them, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--server", choices=_SERVERS, action="append", help="all by default")
    parser.add_argument("--state", type=Path, help="folder from which a stopped series goes on")
    arguments = parser.parse_args(argv)
    wrong = False
    for number, kind in enumerate(_SERVERS):
        if kind not in (arguments.server or _SERVERS):
            continue
        with ExitStack() as stack:
            tally = race_often(
                _start(kind, stack),
                writers=arguments.writers,
                rounds=arguments.rounds,
                seed=arguments.seed,
                name=f"{arguments.seed}-{number}",
                late_s=LATE_S if kind == "finds-late" else 0.0,
                state=arguments.state / f"{kind}.json" if arguments.state else None,
            )
        sys.stdout.write(f"{kind}: {json.dumps(vars(tally))}\n")
        sys.stdout.flush()
        wrong = wrong or bool(tally.wrong)
    return int(wrong)


_SERVERS = ("correct", "racing", "ignores-if-match", "finds-late")


def _start(kind: str, stack: ExitStack) -> str:
    """Start a server of a kind and return its base URL."""
    if kind == "correct":
        from tests.servers.hapi_server import run_hapi  # noqa: PLC0415 - needs Java

        return stack.enter_context(run_hapi())
    sekmet = stack.enter_context(run_sekmet())
    if kind == "racing":
        return sekmet
    how = {"answer": without_the_newest} if kind == "finds-late" else {"change": without_if_match}
    return stack.enter_context(run_proxy(sekmet, **how)).base


if __name__ == "__main__":
    sys.exit(main())
