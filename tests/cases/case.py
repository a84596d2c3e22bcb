"""A case.toml: the patient it describes, and what is expected of that patient.

The form of the file is told in plan_definitions/shared/cases/README.md.
"""

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from tests.cases.facts import ROOT, present, to_resource

KNOWLEDGE = ROOT / "plan_definitions"
SHARED = "shared"
OF_TOML: Mapping[bool | str, bool | None] = {True: True, False: False, "unknown": None}
OF_CRITERIA = ("missing", "notes")

PLANNED = frozenset(
    row["id"]
    for row in tomllib.loads((KNOWLEDGE / "planned.toml").read_text(encoding="utf-8")).get(
        "protocol", []
    )
)
"""Protocols that are not here yet: what cases expect of them waits until they come."""

Truth = bool | None
"""TRUE, FALSE, and None for UNKNOWN."""

Truths = Mapping[str, Truth | Mapping[str, Truth]]
"""Criterion -> its truth, or its truth in each mode that it applies to; in the list's order."""


@dataclass(frozen=True)
class Case:
    """One patient and the answers worked out by hand.

    Args:
        path: the folder of case.toml; its name is the case's and the patient's id.
        protocol: whose criteria these are: LUNG for a folder under plan_definitions/lung, SHARED
            for the criteria of the shared library.
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
    def is_shared(self) -> bool:
        """Whether it tests criteria of the shared library."""
        return self.protocol == SHARED.upper()

    @property
    def truths(self) -> Truths:
        """Return each criterion's expected truth: the base's, with those that the case changes.

        One truth for a criterion that differs by mode is its truth in each of them.
        """
        truths: dict[str, Truth | Mapping[str, Truth]] = {}
        for layer in self._layers():
            for name, told in layer.get("truth", {}).items():
                truths[name] = _after(truths.get(name), told)
        return truths

    @property
    def anchor(self) -> Truth:
        """Return the truth that rule E-02 begins with: the first criterion's, unless it is told."""
        told = [layer["anchor"] for layer in self._layers() if "anchor" in layer]
        if told:
            return OF_TOML[told[-1]]
        first = next(iter(self.truths.values()))
        assert not isinstance(first, Mapping), f"{self.path}: say the anchor, it differs by mode"
        return first

    @property
    def modes(self) -> tuple[str, ...]:
        """Return the names of the protocol's modes, where its base tells them."""
        told: list[tuple[str, ...]] = [
            tuple(layer.get("all_modes", ())) for layer in self._layers()
        ]
        return next((names for names in told if names), ())

    @property
    def asked(self) -> tuple["Case", ...]:
        """Return the case as each protocol answers it; of a protocol's own case, itself."""
        if not self.is_shared:
            return (self,)
        return tuple(self._asked_of(name) for name in self.table["protocol"])

    @property
    def others(self) -> dict[str, str]:
        """Return the statuses that are expected of other protocols, of those that are here."""
        told = self.table.get("others", {})
        return {name: status for name, status in told.items() if name not in PLANNED}

    def bundle(self) -> dict[str, Any]:
        """Return the patient and all facts as a Bundle; bundle.json where there is one."""
        written = self.path / "bundle.json"
        if written.exists():
            read: dict[str, Any] = json.loads(written.read_text(), parse_float=Decimal)
            return read
        entries = [{"resource": resource} for resource in [self._patient(), *self._resources()]]
        return {"resourceType": "Bundle", "type": "collection", "entry": entries}

    def _asked_of(self, protocol: str) -> "Case":
        """Return this shared case as one for a protocol: its base, and its share of the truths."""
        told = self.table["protocol"][protocol]
        bases = _bases(self.table, self.path.parents[2], protocol.lower())
        listed = {name for layer in [*bases, told] for name in layer.get("truth", {})}
        rest = {name: value for name, value in self.table.items() if name != "protocol"}
        truth = _among(listed, self.table["truth"]) | told.get("truth", {})
        of_criteria = {
            name: _among(listed, self.table[name]) for name in OF_CRITERIA if name in self.table
        }
        evidence = [row for row in self.table.get("evidence", []) if row["criterion"] in listed]
        table = {**rest, **told, **of_criteria, "truth": truth, "evidence": evidence}
        return Case(self.path, protocol, table, bases)

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


@cache
def find_cases() -> tuple[Case, ...]:
    """Return every case under plan_definitions, folder by folder, by name."""
    files = sorted(KNOWLEDGE.glob("*/cases/*/case.toml"))
    return tuple(load_case(file.parent) for file in files)


def load_case(path: Path) -> Case:
    """Return the case of a folder, with its bases."""
    folder = path.parents[1].name
    table = _read(path / "case.toml")
    return Case(path, folder.upper(), table, _bases(table, path.parents[2], folder))


def _among(names: Iterable[str], told: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in told.items() if name in names}


def _after(
    known: Truth | Mapping[str, Truth], told: bool | str | Mapping[str, bool | str]
) -> Truth | Mapping[str, Truth]:
    """Return the truth of a criterion after what a layer tells of it."""
    modes = known if isinstance(known, Mapping) else {}
    if isinstance(told, Mapping):
        return {**modes, **{mode: OF_TOML[truth] for mode, truth in told.items()}}
    return dict.fromkeys(modes, OF_TOML[told]) if modes else OF_TOML[told]


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


@cache
def _read_base(file: Path, _changed_ns: int) -> Mapping[str, Any]:
    return _read(file)


def _bases(table: Mapping[str, Any], root: Path, folder: str) -> tuple[Mapping[str, Any], ...]:
    """Return the base that a table names, its base, and so on.

    A base is looked for in the folder of the protocol, then in the shared one; one that names
    itself stands on the shared one of its name. The truths of a shared base are those of the
    shared criteria, each protocol's stand in its own.
    """
    bases: list[Mapping[str, Any]] = []
    folders = [folder, SHARED]
    before, name = "", table.get("base", "none")
    while name != "none":
        if name == before:
            folders = [SHARED]
        found = next(each for each in folders if _base(root, each, name).exists())
        file = _base(root, found, name)
        base = _read_base(file, file.stat().st_mtime_ns)
        if found != folder:
            base = {key: value for key, value in base.items() if key != "truth"}
        bases.append(base)
        before, name = name, base.get("base", "none")
    return tuple(bases)


def _base(root: Path, folder: str, name: str) -> Path:
    return root / folder / "bases" / f"{name}.toml"
