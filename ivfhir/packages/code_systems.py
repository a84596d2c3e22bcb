"""The codes of a CodeSystem, and those that a filter of a value set takes of them.

http://hl7.org/fhir/R4/codesystem.html
"""

from collections.abc import Iterator
from typing import Any

from ivfhir.fhir.types import Json, Resource

PARENTS = frozenset({"parent", "subsumedBy"})
"""Properties by which a concept names those above it."""
SELF = frozenset({"concept", "code"})
"""How a filter names the concept itself."""


def codes_of_system(code_system: Resource) -> set[str] | None:
    """Return all codes; None where the CodeSystem does not list them all."""
    if code_system.get("content") != "complete":
        return None
    return {each["code"] for each, _ in _concepts(code_system)}


def filtered(code_system: Resource, filters: list[dict[str, Any]]) -> set[str] | None:
    """Return the codes that pass all filters; None where that cannot be told."""
    left = codes_of_system(code_system)
    for each in filters:
        found = _filtered(code_system, each)
        if left is None or found is None:
            return None
        left &= found
    return left


def _filtered(code_system: Resource, row: dict[str, Any]) -> set[str] | None:
    name, operator, value = row.get("property"), row.get("op"), row.get("value")
    if name in SELF and operator in ("is-a", "descendent-of") and isinstance(value, str):
        below = _below(code_system, value)
        return below | {value} if operator == "is-a" else below
    if name in SELF or operator != "=":
        return None
    return {
        concept["code"]
        for concept, _ in _concepts(code_system)
        if any(code == name and said == value for code, said in _properties(concept))
    }


def _below(code_system: Resource, top: str) -> set[str]:
    """Return the codes below one, by nesting or by the properties that say so."""
    children: dict[str, list[str]] = {}
    for concept, above in _concepts(code_system):
        parents = [said for name, said in _properties(concept) if name in PARENTS]
        for each in [above, *parents]:
            if each is not None:
                children.setdefault(each, []).append(concept["code"])
    found: set[str] = set()
    left = [top]
    while left:
        for each in children.get(left.pop(), ()):
            if each not in found:
                found.add(each)
                left.append(each)
    return found


def _properties(concept: Resource) -> Iterator[tuple[str, str]]:
    for each in _objects(concept.get("property")):
        values = [value for key, value in each.items() if key.startswith("value")]
        for value in values:
            said = str(value).lower() if isinstance(value, bool) else value
            if isinstance(said, str):
                yield str(each.get("code")), said


def _concepts(code_system: Resource) -> Iterator[tuple[Resource, str | None]]:
    """Yield each concept that has a code, with the code of the one that it is nested in."""
    left: list[tuple[Json, str | None]] = [(code_system.get("concept"), None)]
    while left:
        rows, above = left.pop()
        for each in _objects(rows):
            if isinstance(each.get("code"), str):
                yield each, above
                left.append((each.get("concept"), each["code"]))


def _objects(value: Json) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
