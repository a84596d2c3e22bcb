"""What parts of a resource say of one another."""

import base64
import binascii
from collections import Counter
from typing import Any

from ivfhir.fhir.references import is_absolute
from ivfhir.validation.issue import Issue
from ivfhir.validation.structure import Visited

VALUE_SETS = "http://hl7.org/fhir/ValueSet/"


def contradictions(visited: Visited) -> list[Issue]:
    """Return what is wrong with ids of contained resources, sizes of attachments, code systems."""
    if visited.slot.owner is None:
        return _contained_ids(visited)
    if visited.slot.type_name == "Attachment":
        return _size(visited)
    return _code_system(visited) if visited.slot.type_name == "Coding" else []


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


def _issue(visited: Visited, text: str, rule: str) -> Issue:
    place = visited.place
    said = f"{place.expression} {text}."
    return Issue("error", "invalid", place.expression, said, rule, place.pointer)
