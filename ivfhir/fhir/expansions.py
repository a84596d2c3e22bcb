"""Which codes a ValueSet holds, where it says so itself (http://hl7.org/fhir/R4/valueset.html)."""

from collections.abc import Iterator

from ivfhir.fhir.types import Json, Resource

Members = frozenset[tuple[str | None, str]]
"""System and code of each."""


def members_of(value_set: Resource) -> Members | None:
    """Return the codes of a value set; None where it does not list all of them itself.

    Args:
        value_set: with an expansion that is whole, or a compose that lists every code.
    """
    expansion = value_set.get("expansion")
    if isinstance(expansion, dict):
        return _expanded(expansion)
    compose = value_set.get("compose")
    if not isinstance(compose, dict) or compose.get("exclude"):
        return None
    found: set[tuple[str | None, str]] = set()
    includes = _objects(compose.get("include"))
    for include in includes:
        system, listed = include.get("system"), _objects(include.get("concept"))
        if not listed or include.get("filter") or include.get("valueSet"):
            return None
        found |= {(system, each["code"]) for each in listed if isinstance(each.get("code"), str)}
    return frozenset(found) if includes else None


def _expanded(expansion: Resource) -> Members | None:
    listed = list(_contained(expansion))
    total = expansion.get("total")
    if isinstance(total, int) and total > len(listed):
        return None  # a page of it
    return frozenset(
        (each.get("system"), each["code"])
        for each in listed
        if isinstance(each.get("code"), str) and each.get("abstract") is not True
    )


def _contained(expansion: Resource) -> Iterator[Resource]:
    """Yield what an expansion contains, at any depth."""
    left = _objects(expansion.get("contains"))[::-1]
    while left:
        each = left.pop()
        yield each
        left += _objects(each.get("contains"))[::-1]


def _objects(value: Json) -> list[Resource]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
