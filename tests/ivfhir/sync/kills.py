"""`ivfhir sync` killed at a request, again and again, until a run ends; then what is there.

`python -m tests.ivfhir.sync.kills --kills 1000` is the long form (`make faults`).
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ivfhir.writing.bundle import value_of
from ivfhir.writing.document import plan_of
from tests.forked_commands import Running, forked_commands
from tests.ivfhir.sync.scene import MRN, named, put, stored, write
from tests.ivfhir.sync.test_documents import DOCUMENTS, documents_only
from tests.long_runs import carry_on, chance_of, keep
from tests.servers.fault_proxy import FAULTS, Asked, run_proxy
from tests.servers.sekmet_server import run_sekmet

_PATIENTS = 3
_LATER = "2025-04-03T10:00:00+01:00"
_TYPES = ("CarePlan", "RequestGroup", "ServiceRequest", "Goal")


Start = Callable[..., Running | subprocess.Popen[bytes]]


@dataclass
class Tally:
    """What a series of kills left behind.

    Attributes:
        kills: how often the command was killed.
        faults: how often the proxy failed otherwise, by fault.
        wrong: what was lost, doubled or half-written, a sentence each.
        documents: the server takes documents and no CarePlan.
    """

    documents: bool = False
    kills: int = 0
    rounds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Place:
    """A server, a folder of plans, and what starts a command that brings these there."""

    base: str
    folder: Path
    start: Start


def kill_often(
    base: str,
    kills: int,
    *,
    seed: int,
    name: str,
    documents: bool = False,
    state: Path | None = None,
) -> Tally:
    """Sync new plans to a server until the command was killed so often.

    Args:
        base: the server.
        kills: how many.
        seed: of where it is killed, and of the proxy's other faults.
        name: keeps the patients of this series apart from others on the server.
        documents: the server takes documents and no CarePlan.
        state: the file from which an earlier start goes on.
    """
    tally = Tally(documents=documents)
    carry_on(tally, state)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        start: Start = _started_alone
        if not documents:
            start = stack.enter_context(forked_commands("ivfhir.cli.sync")).start
        while tally.kills < kills:
            tally.rounds += 1
            place = Place(base, Path(folder) / str(tally.rounds), start)
            place.folder.mkdir()
            chance, own = chance_of(seed, tally.rounds), f"{name}-{seed}-{tally.rounds}"
            _round(place, chance, tally, name=own, kills=kills)
            keep(tally, state)
    return tally


def _round(place: Place, chance: random.Random, tally: Tally, *, name: str, kills: int) -> None:
    """Sync a folder of plans, killed some times, and look what is there afterwards."""
    base, folder = place.base, place.folder
    patients = [f"{name}-{number}" for number in range(_PATIENTS)]
    for each in patients:
        identifier = [{**MRN, "value": each}]
        put(base, {"resourceType": "Patient", "id": each, "identifier": identifier})
        write(folder, f"{each}-old", _plan(f"{each}-old", each))
    _until_it_ends(place, chance, tally, kills)
    for each in patients:  # A second generation: one newer, one changed, one as it was.
        number = patients.index(each)
        if number == 0:
            write(folder, f"{each}-new", _plan(f"{each}-new", each, created=_LATER))
        if number == 1:
            write(folder, f"{each}-old", _plan(f"{each}-old", each, title="Changed"))
    rows = _until_it_ends(place, chance, tally, kills)
    again = _run(place, tally)
    if {row["result"] for row in again} != {"unchanged"}:
        tally.wrong.append(f"{name}: a run after the last one is not unchanged: {_short(again)}")
    if {row["result"] for row in rows} - {"created", "unchanged", "updated", "superseded"}:
        tally.wrong.append(f"{name}: {_short(rows)}")
    for number, each in enumerate(patients):
        look = _look_at_documents if tally.documents else _look
        tally.wrong += look(base, each, plans=2 if number == 0 else 1, changed=number == 1)


def _look(base: str, patient: str, *, plans: int, changed: bool) -> list[str]:
    """Return what is lost, doubled or half of a patient's plans, a sentence each."""
    wrong = []
    query = {"patient": f"Patient/{patient}"}
    found = [
        each for each in stored(base, "CarePlan", **query) if each["status"] != "entered-in-error"
    ]
    values = Counter(each["identifier"][0]["value"] for each in found)
    if len(values) != plans or set(values.values()) != {1}:
        wrong.append(f"{patient} has {dict(values)} in place of {plans} plans")
    open_plans = [each for each in found if each["status"] == "draft"]
    if len(open_plans) != 1:
        wrong.append(f"{patient} has {len(open_plans)} open plans")
    for plan in found:
        if changed and plan["title"] != "Changed":
            wrong.append(f"{patient}: the change did not arrive")
        group = _at(base, plan["activity"][0]["reference"]["reference"])
        request = _at(base, group["action"][0]["resource"]["reference"])
        goal = _at(base, plan["goal"][0]["reference"])
        if not (group and request and goal):
            wrong.append(f"{patient}: a plan is half")
    for kind in ("ServiceRequest",):
        parts = [
            each for each in stored(base, kind, **query) if each["status"] != "entered-in-error"
        ]
        if len(parts) != plans:
            wrong.append(f"{patient} has {len(parts)} {kind} in place of {plans}")
    return wrong


def _look_at_documents(base: str, patient: str, *, plans: int, changed: bool) -> list[str]:
    """Return what is lost, doubled or half of a patient's documents, a sentence each."""
    wrong = []
    found = stored(base, "DocumentReference", patient=f"Patient/{patient}")
    found = [each for each in found if each["status"] != "entered-in-error"]
    current = [each for each in found if each["status"] == "current"]
    states = Counter(value_of(each) for each in found)
    wanted = 2 if changed else plans
    if len(states) != wanted or set(states.values()) != {1}:
        wrong.append(f"{patient} has {dict(states)} in place of {wanted} documents")
    if len({plan_of(each) for each in found}) != plans:
        wrong.append(f"{patient} has documents of other than {plans} plans")
    if len(current) != 1:
        wrong.append(f"{patient} has {len(current)} current documents")
    if any(len(each["content"]) != 2 for each in found):
        wrong.append(f"{patient}: a document is half")
    if changed and [each["description"] for each in current] != ["Changed"]:
        wrong.append(f"{patient}: the change did not arrive")
    if stored(base, "CarePlan", patient=f"Patient/{patient}"):
        wrong.append(f"{patient} has a CarePlan")
    return wrong


def _at(base: str, reference: str) -> dict[str, Any]:
    kind, _, resource_id = reference.partition("/")
    found = stored(base, kind, _id=resource_id)
    return found[0] if found else {}


def _plan(value: str, patient: str, **changes: Any) -> dict[str, Any]:
    text = json.dumps(named(value, **changes)).replace("Patient/p", f"Patient/{patient}")
    plan: dict[str, Any] = json.loads(text)
    return plan


def _until_it_ends(
    place: Place, chance: random.Random, tally: Tally, kills: int
) -> list[dict[str, Any]]:
    """Run the command, killed at some request, until one run is let through; return its rows."""
    for _ in range(chance.randrange(1, 4)):
        if tally.kills < kills and _killed(place, chance, tally):
            tally.kills += 1
    for _ in range(5):  # Faults of the proxy may park a plan: the next run sends it.
        rows = _run(place, tally, chance)
        if not any(row["result"] == "parked" for row in rows):
            return rows
    return _run(place, tally)


def _killed(place: Place, chance: random.Random, tally: Tally) -> bool:
    """Run the command and kill it at one request, before or after the server did it."""
    at, stage = chance.randrange(3, 30), chance.choice(("before", "after"))
    running: list[Running | subprocess.Popen[bytes]] = []

    def watch(where: str, asked: Asked) -> None:
        if asked.number >= at and where == stage and running:
            running[0].kill()

    kind = _kind(tally)
    with run_proxy(place.base, watch=watch, fault=_faults(chance, tally), **kind) as proxy:
        running.append(place.start(*_words(place.folder, proxy.base)))
        return running[0].wait() == -signal.SIGKILL


def _run(place: Place, tally: Tally, chance: random.Random | None = None) -> list[dict[str, Any]]:
    """Run the command to its end and return its rows."""
    out, err = place.folder.with_suffix(".json"), place.folder.with_suffix(".txt")
    with run_proxy(place.base, **_kind(tally)) as proxy:
        if chance is not None:
            proxy.fault = _faults(chance, tally)
        words = [*_words(place.folder, proxy.base), "--format", "json"]
        place.start(*words, out=out, err=err).wait()
    if not out.read_text():
        return [{"plan": "all", "result": "parked", "why": err.read_text()}]
    rows: list[dict[str, Any]] = json.loads(out.read_text())
    return rows


def _started_alone(
    *words: str, out: Path = Path(os.devnull), err: Path = Path(os.devnull)
) -> subprocess.Popen[bytes]:
    """Start a command that imports what it needs, as on any machine; see `Commands.start`."""
    with out.open("wb") as to_out, err.open("wb") as to_err:
        return subprocess.Popen(
            [sys.executable, "-m", "ivfhir.cli.main", *words], stdout=to_out, stderr=to_err
        )


def _kind(tally: Tally) -> dict[str, Any]:
    """Return what makes the proxy a server of the kind that is asked for."""
    return {"refuse": documents_only, "statement": DOCUMENTS} if tally.documents else {}


def _words(folder: Path, base: str) -> list[str]:
    """Return the command; it names a server alike whatever the proxy's port is, as a site does."""
    path = folder.parent / "servers.toml"
    path.write_text(f'[[server]]\nname = "it"\nurl = "{base}"\n')
    return ["sync", str(folder), "--to", "it", "--config", str(path)]


def _faults(chance: random.Random, tally: Tally) -> Any:
    """Return what fails: one request in eight, but never the first, which would end the run."""

    def fault(asked: Asked) -> str | None:
        if asked.number == 1 or chance.random() > 1 / 8:
            return None
        chosen = chance.choice([each for each in FAULTS if each not in ("delay", "429-date")])
        tally.faults[chosen] += 1
        return chosen

    return fault


def _short(rows: list[dict[str, Any]]) -> str:
    return json.dumps(
        [
            {k: each.get(k) for k in ("plan", "result", "outcome", "why", "differences")}
            for each in rows
        ]
    )[:800]


def main() -> int:
    """Run the long form and print the figures; 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--documents", action="store_true", help="no CarePlan is taken")
    parser.add_argument("--hapi", action="store_true", help="HAPI in place of sekmet")
    parser.add_argument("--state", type=Path, help="file from which a stopped series goes on")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        if arguments.hapi:
            from tests.servers.hapi_server import run_hapi  # noqa: PLC0415 - needs Java

            base = stack.enter_context(run_hapi())
        else:
            base = stack.enter_context(run_sekmet())
        tally = kill_often(
            base,
            arguments.kills,
            seed=arguments.seed,
            name="long",
            documents=arguments.documents,
            state=arguments.state,
        )
    told = {"kills": tally.kills, "rounds": tally.rounds, "faults": dict(tally.faults)}
    sys.stdout.write(json.dumps(told | {"wrong": tally.wrong}, indent=2) + "\n")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
