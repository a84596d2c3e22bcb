"""Which codes a ValueSet holds, where it says so itself (http://hl7.org/fhir/R4/valueset.html)."""

from collections.abc import Iterator

from ivfhir.fhir.types import Json, Resource

Members = frozenset[tuple[str | None, str]]
"""System and code of each."""
UNFINISHED = frozenset(
    {
        "http://hl7.org/fhir/StructureDefinition/valueset-toocostly",
        "http://hl7.org/fhir/StructureDefinition/valueset-unclosed",
    }
)
"""Extensions of an expansion that does not list every code of its set."""


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


def is_whole(expansion: Resource) -> bool:
    """Return whether an expansion lists all codes of its set.

    Not one that says that it is too large or has no end, a page of one, or one that lists nothing.
    """
    if any(each.get("url") in UNFINISHED for each in _objects(expansion.get("extension"))):
        return False
    offset, total = expansion.get("offset", 0), expansion.get("total", 0)
    listed = sum(1 for _ in contained(expansion))
    return offset == 0 and listed > 0 and isinstance(total, int) and total <= listed


def contained(expansion: Resource) -> Iterator[Resource]:
    """Yield what an expansion contains, at any depth."""
    left = _objects(expansion.get("contains"))[::-1]
    while left:
        each = left.pop()
        yield each
        left += _objects(each.get("contains"))[::-1]


def _expanded(expansion: Resource) -> Members | None:
    if not is_whole(expansion):
        return None
    return frozenset(
        (each.get("system"), each["code"])
        for each in contained(expansion)
        if isinstance(each.get("code"), str) and each.get("abstract") is not True
    )


def _objects(value: Json) -> list[Resource]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
