"""`ivfhir sync`, thousands of times, to a server that fails at random, and to one that never does.

Both get the same input, generation after generation: plans that change, lose a part, are followed
by newer ones, are withdrawn, or are edited on the server by somebody else. Whenever the faulty one
has taken all, both must hold the same.
`python -m tests.ivfhir.sync.through_faults --syncs 10000` is the long form (`make faults`).
"""

import argparse
import json
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from ivfhir.writing.bundle import value_of
from ivfhir.writing.read_back import is_withdrawn
from tests.ivfhir.sync.scene import MRN, named, put, run, stored, write
from tests.long_runs import carry_on, chance_of, keep
from tests.servers.fault_proxy import FAULTS, Asked, FaultProxy, run_proxy
from tests.servers.sekmet_server import run_sekmet

_PATIENTS, _GENERATIONS, _TRIES = 3, 5, 8
_ROUNDS_A_SERVER = 12
"""As many plans as one page of a search shows: sekmet searches not every type by patient."""

_TYPES = ("CarePlan", "RequestGroup", "ServiceRequest", "Goal")
_EVENTS = ("none", "change", "newer", "fewer", "wrong", "edit", "edit and change")
_QUICK = tuple(each for each in FAULTS if each not in ("delay", "429-date"))
_AT_REST = frozenset({"unchanged", "conflict", "refused"})
"""What a sync tells of plans right after another one."""


@dataclass
class Tally:
    """What a series of syncs left behind.

    Attributes:
        syncs: how often the command ran through the proxy.
        rounds: how many sets of patients there were.
        faults: how often each fault happened.
        results: how often each result was told.
        events: what happened to plans before, and how often.
        wrong: where the two servers did not hold, or tell, the same; a sentence each.
    """

    syncs: int = 0
    rounds: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    results: Counter[str] = field(default_factory=Counter)
    events: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


@contextmanager
def hasty() -> Iterator[None]:
    """Wait shorter between tries than a user would."""
    with (
        patch("ivfhir.sync.retries.FIRST_PAUSE_S", 0.005),
        patch("ivfhir.write_back.LOOKS_S", (0.0, 0.005)),
    ):
        yield


def sync_often(syncs: int, *, seed: int, state: Path | None = None) -> Tally:
    """Sync through the proxy so often, and compare what two servers hold.

    Args:
        syncs: how often, at least.
        seed: of what happens to the plans, and of the faults.
        state: the file from which an earlier start goes on.
    """
    tally = Tally()
    carry_on(tally, state)
    while tally.syncs < syncs:
        with hasty(), run_sekmet() as faulty, run_sekmet() as sound, run_proxy(faulty) as proxy:
            for _ in range(_ROUNDS_A_SERVER):
                scene = _Scene(proxy, sound, chance_of(seed, tally.rounds), tally)
                with tempfile.TemporaryDirectory() as folder:
                    _round(scene, Path(folder), f"p{seed}-{tally.rounds}")
                tally.rounds += 1
                keep(tally, state)
                if tally.syncs >= syncs:
                    break
    return tally


@dataclass
class _Scene:
    """One set of patients and what becomes of them."""

    proxy: FaultProxy
    sound: str
    chance: random.Random
    tally: Tally
    plans: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def bases(self) -> tuple[str, str]:
        return (self.proxy.upstream, self.sound)


def _round(scene: _Scene, folder: Path, name: str) -> None:
    patients = [f"{name}-{number}" for number in range(_PATIENTS)]
    for each in patients:
        for base in scene.bases:
            mrn = {**MRN, "value": each}
            put(base, {"resourceType": "Patient", "id": each, "identifier": [mrn]})
        scene.plans[f"{each}.0"] = _plan(each, 0)
    for generation in range(_GENERATIONS):
        for each in patients if generation else ():
            _happen(scene, scene.chance.choice(_EVENTS), each, generation)
        _sync_until_done(scene, folder / "faulty")
        _sync(scene.sound, folder / "sound", scene.plans)
        told = [
            _results(_sync_until_done(scene, folder / "faulty")),
            _results(_sync(scene.sound, folder / "sound", scene.plans)),
        ]
        if told[0] != told[1] or not _AT_REST.issuperset(told[0].values()):
            apart = {key: told[0][key] for key in told[0] if told[0][key] != told[1].get(key)}
            scene.tally.wrong.append(f"{name} in {generation}: told {apart}, elsewhere {told[1]}")
        for each in patients:
            held = [_held(base, each) for base in scene.bases]
            if held[0] != held[1]:
                apart_by = [sorted(set(a) - set(b)) for a, b in (held, held[::-1])]
                scene.tally.wrong.append(f"{each} in {generation}: {apart_by}"[:3000])


def _happen(scene: _Scene, event: str, patient: str, generation: int) -> None:
    """Let something happen to a patient's newest plan, in the input or on both servers."""
    scene.tally.events[event] += 1
    newest = max(each for each in scene.plans if each.startswith(f"{patient}."))
    plan = scene.plans[newest]
    for base in scene.bases if event.startswith("edit") else ():
        for each in stored(base, "CarePlan", patient=f"Patient/{patient}"):
            if any(own.get("value") == newest for own in each["identifier"]):
                put(base, {**each, "description": f"Edited in {generation}"})
    if event in ("change", "edit and change"):
        plan["title"] = f"Changed in {generation}"
    elif event == "newer":
        scene.plans[f"{patient}.{generation}"] = _plan(patient, generation)
    elif event == "fewer":
        plan.pop("goal", None)
        plan["contained"] = [each for each in plan["contained"] if each["id"] != "goal"]
    elif event == "wrong":
        plan["status"] = "entered-in-error"


def _plan(patient: str, generation: int) -> dict[str, Any]:
    created = f"2025-03-{generation + 1:02}T10:00:00Z"
    text = json.dumps(named(f"{patient}.{generation}", created=created))
    plan: dict[str, Any] = json.loads(text.replace('"Patient/p"', f'"Patient/{patient}"'))
    return plan


def _sync(to: str, folder: Path, plans: dict[str, dict[str, Any]], *more: str) -> list[Any]:
    """Sync all plans from a folder that holds its own ledger; return the rows."""
    folder.mkdir(exist_ok=True)
    for name, plan in plans.items():
        write(folder, name, plan)
    _, rows, sentence = run(folder, "--to", to, *more)
    return rows or [{"plan": "", "result": "parked", "why": sentence}]


def _sync_until_done(scene: _Scene, folder: Path) -> list[Any]:
    """Sync through the proxy until nothing is parked; the last try is without faults."""
    proxy, tally = scene.proxy, scene.tally
    rows: list[Any] = []
    for number in range(_TRIES):
        proxy.asked.clear()
        proxy.fault = _faults(scene.chance, tally) if number < _TRIES - 1 else _no_fault
        connections = str(scene.chance.randrange(1, 5))
        rows = _sync(proxy.base, folder, scene.plans, "--connections", connections)
        tally.syncs += 1
        tally.results.update(str(row["result"]) for row in rows)
        if all(row["result"] != "parked" for row in rows):
            break
    proxy.fault = _no_fault
    return rows


def _no_fault(asked: Asked) -> str | None:
    return None


def _faults(chance: random.Random, tally: Tally) -> Any:
    """Return what fails: one request in six."""

    def fault(asked: Asked) -> str | None:
        if chance.random() > 1 / 6:
            return None
        chosen = chance.choice(_QUICK)
        tally.faults[chosen] += 1
        return chosen

    return fault


def _results(rows: list[Any]) -> dict[str, str]:
    """Return what was told of each plan."""
    return {row["plan"]: str(row["result"]) for row in rows}


def _held(base: str, patient: str) -> list[str]:
    """Return what stands of a patient's plans, in words that are the same on every server."""
    own = f"Patient/{patient}"
    every = (each for kind in _TYPES for each in stored(base, kind, patient=own))
    found = [each for each in every if each.get("subject", {}).get("reference") == own]
    names = {
        f"{each['resourceType']}/{each['id']}": f"{value_of(each)}"
        + (" withdrawn" if is_withdrawn(each) else "")
        for each in found
    }
    return sorted(
        json.dumps(_plain(each, names), sort_keys=True) for each in found if not is_withdrawn(each)
    )


def _plain(element: Any, names: dict[str, str]) -> Any:
    """Return an element without what a server gives by itself, its references as names."""
    if isinstance(element, list):
        return [_plain(each, names) for each in element]
    if not isinstance(element, dict):
        return element
    bare = {
        name: _plain(member, names)
        for name, member in element.items()
        if name not in ("versionId", "lastUpdated")
        and not (name == "id" and "resourceType" in element)
    }
    reference = element.get("reference")
    if isinstance(reference, str) and reference in names:
        bare["reference"] = names[reference]
    return bare


def main() -> int:
    """Run the long form and print the figures; 1 when anything is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--syncs", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--state", type=Path, help="file from which a stopped series goes on")
    arguments = parser.parse_args()
    tally = sync_often(arguments.syncs, seed=arguments.seed, state=arguments.state)
    sys.stdout.write(json.dumps(vars(tally), indent=2) + "\n")
    return 1 if tally.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
