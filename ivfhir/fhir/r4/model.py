"""Questions to the table of R4's types (made by tools/r4; how a line is read stands there)."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

MANY = "*"
_CHOICE = "[x]"


@dataclass(frozen=True, slots=True)
class Element:
    """An element of an R4 type.

    Attributes:
        name: as FHIRPath says it: `value`, also where JSON says `valueQuantity`.
        types: names of the types it can have.
        minimum: how often at least.
        maximum: how often at most; None for as often as one likes.
        is_choice: its JSON name ends with its type.
        targets: what a Reference or canonical may name, empty for anything.
        binding: strength (required or extensible) and value set, None for weaker ones.
    """

    name: str
    types: tuple[str, ...]
    minimum: int
    maximum: int | None
    is_choice: bool
    targets: tuple[str, ...] = ()
    binding: tuple[str, str] | None = None

    @property
    def is_list(self) -> bool:
        """Whether its JSON is an array."""
        return self.maximum is None or self.maximum > 1

    def json_names(self) -> dict[str, str]:
        """Return the names that it can have in JSON, each with the type that it then has."""
        if not self.is_choice:
            return {self.name: self.types[0]}
        return {f"{self.name}{type_[0].upper()}{type_[1:]}": type_ for type_ in self.types}


@dataclass(frozen=True, slots=True)
class Definition:
    """A type of R4.

    Attributes:
        name: such as `Patient`, `date`, or `Patient.contact` for a backbone element.
        base: the type that it specialises, None for Element and Resource.
        kind: resource, complex, backbone or primitive.
        is_abstract: no data has this very type.
        elements: by name, those of its bases first.
        pattern: regular expression of a primitive's JSON value, None where R4 gives none.
    """

    name: str
    base: str | None
    kind: str
    is_abstract: bool
    elements: dict[str, Element]
    pattern: str | None = None


def definition_of(name: str) -> Definition | None:
    """Return the type of that name, None where R4 has none."""
    return _definition(name) if name in _table() else None


@cache
def _definition(name: str) -> Definition:
    """Return a type that R4 has: what is asked for beside is not kept."""
    line = _table()[name]
    base, kind, own = line[:3]
    inherited = definition_of(base) if base else None
    elements = dict(inherited.elements) if inherited else {}
    elements |= {e.name: e for e in (_element(*item) for item in own.items())}
    return Definition(
        name=name,
        base=base,
        kind=kind.removeprefix("abstract "),
        is_abstract=kind.startswith("abstract "),
        elements=elements,
        pattern=line[3] if len(line) > 3 else None,  # noqa: PLR2004 - the fourth of a line
    )


def lineage_of(name: str) -> tuple[str, ...]:
    """Return a type and those that it specialises, the nearest first; nothing where R4 has none."""
    return _lineage(name) if name in _table() else ()


@cache
def _lineage(name: str) -> tuple[str, ...]:
    base = _definition(name).base
    return (name, *(_lineage(base) if base is not None else ()))


def is_resource(name: str) -> bool:
    """Return whether R4 has a resource of that name, be it an abstract one."""
    definition = definition_of(name)
    return definition is not None and definition.kind == "resource"


@cache
def type_names() -> frozenset[str]:
    """Return the names of all types, backbone elements among them."""
    return frozenset(_table())


@cache
def _table() -> dict[str, list[Any]]:
    text = resources.files(__package__).joinpath("definitions.json").read_text(encoding="utf-8")
    parsed: dict[str, list[Any]] = json.loads(text)
    return parsed


def _element(name: str, notation: str) -> Element:
    """Return an element from its line: `0..1 code required http://…`."""
    cardinality, types, *binding = notation.split(" ")
    minimum, _, maximum = cardinality.partition("..")
    names, targets = _types_and_targets(types)
    return Element(
        name=name.removesuffix(_CHOICE),
        types=tuple(names),
        minimum=int(minimum),
        maximum=None if maximum == MANY else int(maximum),
        is_choice=name.endswith(_CHOICE),
        targets=targets,
        binding=(binding[0], binding[1]) if binding else None,
    )


def _types_and_targets(types: str) -> tuple[list[str], tuple[str, ...]]:
    names, targets = [], list[str]()
    for each in types.split("|"):
        name, _, inside = each.partition("(")
        names.append(name)
        targets += inside.removesuffix(")").split(",") if inside else []
    return names, tuple(dict.fromkeys(targets))
