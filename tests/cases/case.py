"""A case.toml: the patient it describes, and what is expected of that patient.

The form of the file is told in plan_definitions/lung/cases/README.md.
"""

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.cases.facts import ROOT, present, to_resource

KNOWLEDGE = ROOT / "plan_definitions"
TRUTHS = {True: True, False: False, "unknown": None}


@dataclass(frozen=True)
class Case:
    """One patient and the answers worked out by hand.

    Args:
        path: the folder of case.toml; its name is the case's and the patient's id.
        protocol: the protocol's id: LUNG for a folder under plan_definitions/lung.
        table: case.toml as it stands.
        bases: the base of the case, its base, and so on; each as its file stands.
    """

    path: Path
    protocol: str
    table: Mapping[str, Any]
    bases: tuple[Mapping[str, Any], ...]

    @property
    def id(self) -> str:
        """Return the name of the folder."""
        return self.path.name

    @property
    def truths(self) -> dict[str, bool | None]:
        """Return each criterion's expected truth: the base's, with those that the case changes."""
        truths: dict[str, bool | None] = {}
        for layer in self._layers():
            truths |= {name: TRUTHS[truth] for name, truth in layer.get("truth", {}).items()}
        return truths

    def bundle(self) -> dict[str, Any]:
        """Return the patient and all facts as a Bundle; bundle.json where there is one."""
        written = self.path / "bundle.json"
        if written.exists():
            read: dict[str, Any] = json.loads(written.read_text(), parse_float=Decimal)
            return read
        entries = [{"resource": resource} for resource in [self._patient(), *self._resources()]]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}

    def _layers(self) -> list[Mapping[str, Any]]:
        return [*reversed(self.bases), self.table]

    def _patient(self) -> dict[str, Any]:
        patient: dict[str, Any] = {"resourceType": "Patient", "id": self.id}
        for layer in self._layers():
            patient |= layer.get("patient", {})
        return present(patient)

    def _resources(self) -> list[dict[str, Any]]:
        facts: dict[str, Mapping[str, Any]] = {}
        for layer in self._layers():
            facts = _overlay(facts, layer)
        return [
            to_resource(fact, patient_id=self.id, resource_id=name) for name, fact in facts.items()
        ]


def find_cases() -> list[Case]:
    """Return every case under plan_definitions, protocol by protocol, by name."""
    return [load_case(file.parent) for file in sorted(KNOWLEDGE.glob("*/cases/*/case.toml"))]


def load_case(path: Path) -> Case:
    """Return the case of a folder, with its bases."""
    protocol = path.parents[1].name
    table = _read(path / "case.toml")
    bases: list[Mapping[str, Any]] = []
    name = table.get("base", "none")
    while name != "none":
        bases.append(_read_base(name, path.parents[2], protocol))
        name = bases[-1].get("base", "none")
    return Case(path, protocol.upper(), table, tuple(bases))


def _overlay(
    facts: Mapping[str, Mapping[str, Any]], layer: Mapping[str, Any]
) -> dict[str, Mapping[str, Any]]:
    """Return the facts after a layer's removals, changes and additions, each under its name."""
    result = dict(facts)
    for fact in layer.get("remove", []):
        del result[_name(fact)]
    for fact in layer.get("change", []):
        result[_name(fact)] = {**result[_name(fact)], **fact}
    for fact in layer.get("add", []):
        result[_free_name(_name(fact), result)] = fact
    return result


def _name(fact: Mapping[str, Any]) -> str:
    return str(fact.get("name", fact["key"]))


def _free_name(name: str, taken: Mapping[str, Any]) -> str:
    number = 2
    free = name
    while free in taken:
        free, number = f"{name}-{number}", number + 1
    return free


def _read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)


def _read_base(name: str, root: Path, protocol: str) -> dict[str, Any]:
    places: Sequence[Path] = [root / folder / "bases" for folder in (protocol, "shared")]
    return _read(next(file for place in places if (file := place / f"{name}.toml").exists()))
