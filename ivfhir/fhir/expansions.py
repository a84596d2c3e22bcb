"""Which codes a ValueSet holds, where it says so itself (http://hl7.org/fhir/R4/valueset.html)."""

from collections.abc import Iterator

from ivfhir.fhir.typed import objects_in, text_in
from ivfhir.fhir.types import Resource

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
    """Return the codes of a value set; None where it does not list all, or one is malformed.

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
    includes = objects_in(compose, "include")
    for include in includes:
        system, listed = text_in(include, "system"), objects_in(include, "concept")
        if system is None or not listed or include.get("filter") or include.get("valueSet"):
            return None
        codes = [text_in(each, "code") for each in listed]
        found |= {(system, code) for code in codes if code is not None}
        if None in codes:
            return None
    return frozenset(found) if includes else None


def is_whole(expansion: Resource) -> bool:
    """Return whether an expansion lists all codes of its set.

    Not one that says that it is too large or has no end, a page of one, or one that lists nothing.
    """
    if any(text_in(each, "url") in UNFINISHED for each in objects_in(expansion, "extension")):
        return False
    offset, total = expansion.get("offset", 0), expansion.get("total", 0)
    listed = sum(1 for _ in contained(expansion))
    return offset == 0 and listed > 0 and isinstance(total, int) and total <= listed


def contained(expansion: Resource) -> Iterator[Resource]:
    """Yield what an expansion contains, at any depth."""
    left = objects_in(expansion, "contains")[::-1]
    while left:
        each = left.pop()
        yield each
        left += objects_in(each, "contains")[::-1]


def _expanded(expansion: Resource) -> Members | None:
    if not is_whole(expansion):
        return None
    found: set[tuple[str | None, str]] = set()
    for each in contained(expansion):
        code, system = text_in(each, "code"), text_in(each, "system")
        if each.get("abstract") is True:
            continue
        if code is None or (system is None and "system" in each):
            return None
        found.add((system, code))
    return frozenset(found)
