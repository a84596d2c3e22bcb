"""The rules of R4 that are FHIRPath (made by tools/r4; what is left out stands there)."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

NOT_AS_SAID = frozenset({"ele-1", "cid-0", "que-7", "que-12"})
"""Rules of R4 that are not among these, or are mended; why stands in tools/r4."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of the specification.

    Attributes:
        key: its id, such as `obs-6`.
        severity: error or warning.
        human: what it says to people.
        expression: FHIRPath, about the element that it is said of.
    """

    key: str
    severity: str
    human: str
    expression: str


@cache
def rules_of(path: str) -> tuple[Rule, ...]:
    """Return the rules said of a type (`Observation`), or of an element (`Narrative.div`).

    Rules of its bases are not among them.
    """
    return tuple(Rule(*each) for each in _table().get(path, ()))


@cache
def expressions_of(key: str) -> frozenset[str]:
    """Return the expressions that R4 has under a rule's id; nothing where the id is not R4's."""
    rows = (row for rows in _table().values() for row in rows)
    return frozenset(row[3] for row in rows if row[0] == key)


@cache
def _table() -> dict[str, list[list[str]]]:
    text = resources.files(__package__).joinpath("rules.json").read_text(encoding="utf-8")
    parsed: dict[str, list[list[str]]] = json.loads(text)
    return parsed
