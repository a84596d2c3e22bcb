"""What parts of a resource say of one another."""

import base64
import binascii
from collections import Counter
from collections.abc import Callable
from functools import cache
from typing import Any

from ivfhir.fhir.r4 import lineage_of
from ivfhir.fhir.references import is_absolute
from ivfhir.validation.bindings import VALUE_SETS
from ivfhir.validation.issue import Issue
from ivfhir.validation.structure import Visited

ELEMENT_DEFINITION = "ElementDefinition"
"""Its id is the path of what it defines, in the differential and again in the snapshot."""


def contradictions(visited: Visited) -> list[Issue]:
    """Return what is wrong with ids of contained resources, sizes of attachments, systems."""
    if visited.slot.owner is None:
        return _contained_ids(visited)
    check = check_of(visited.slot.type_name)
    return check(visited) if check is not None else []


class ElementIds:
    """The ids of elements that were met: each is there once in its resource.

    http://hl7.org/fhir/R4/element.html#id
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._seen: set[tuple[int, str]] = set()

    def again(self, visited: Visited) -> list[Issue]:
        """Return an issue where an element has an id that another one of its resource has."""
        if visited.slot.owner is None or visited.slot.type_name == ELEMENT_DEFINITION:
            return []
        found = []
        for holder in (visited.value, visited.beside):
            own = holder.get("id") if isinstance(holder, dict) else None
            if isinstance(own, str):
                key = (id(visited.resource), own)
                if key in self._seen:
                    text = "has an id that another element of the resource has; ids are unique"
                    found.append(_issue(visited, text, "element-id"))
                self._seen.add(key)
        return found


def _contained_ids(visited: Visited) -> list[Issue]:
    """Ask that no two contained resources share an id."""
    value: Any = visited.value
    inside = value.get("contained")
    rows = [each for each in inside if isinstance(each, dict)] if isinstance(inside, list) else []
    counts = Counter(str(each["id"]) for each in rows if "id" in each)
    twice = [each for each, count in counts.items() if count > 1]
    return [
        _issue(
            visited,
            f"contains several resources of the id '{each[:64]}'; give each its own",
            "contained-id",
        )
        for each in twice
    ]


def _size(visited: Visited) -> list[Issue]:
    """Ask that an attachment's size is that of its data."""
    value: Any = visited.value
    data, size = value.get("data"), value.get("size")
    if not isinstance(data, str) or isinstance(size, bool) or not isinstance(size, int):
        return []
    try:
        length = len(base64.b64decode("".join(data.split()), validate=True))
    except (binascii.Error, ValueError):
        return []  # said of the data itself
    if length == size:
        return []
    return [
        _issue(
            visited,
            f"says a size of {size}, but its data has {length} bytes; correct it or leave it out",
            "size",
        )
    ]


def _code_system(visited: Visited) -> list[Issue]:
    """Ask that a code system is named by its absolute address, and is no value set."""
    value: Any = visited.value
    system = value.get("system")
    if not isinstance(system, str):
        return []
    if system.startswith(VALUE_SETS):
        text = "names a value set as its system; name the code system that the code is from"
        return [_issue(visited, text, "code-system")]
    if not is_absolute(system):
        return [
            _issue(
                visited,
                "has a system that is not absolute; write the address of the code system, as http://loinc.org",
                "code-system",
            )
        ]
    return []


def _own_system(visited: Visited) -> list[Issue]:
    """Ask that the system of an identifier or of a unit is absolute."""
    value: Any = visited.value
    system = value.get("system")
    if not isinstance(system, str) or is_absolute(system):
        return []
    text = "has a system that is not absolute; name it by an address, https://… or urn:…"
    return [_issue(visited, text, "system")]


CHECKS: dict[str, Callable[[Visited], list[Issue]]] = {
    "Attachment": _size,
    "Coding": _code_system,
    "Identifier": _own_system,
    "Quantity": _own_system,
}


@cache
def check_of(type_name: str) -> Callable[[Visited], list[Issue]] | None:
    """Return the check of an R4 type, or of what it specialises: an Age is a Quantity."""
    return next((CHECKS[each] for each in lineage_of(type_name) if each in CHECKS), None)


def _issue(visited: Visited, text: str, rule: str) -> Issue:
    place = visited.place
    said = f"{place.expression} {text}."
    return Issue("error", "invalid", place.expression, said, rule, place.pointer)
