"""Whether extensions are known, and hold what they are defined to hold.

http://hl7.org/fhir/R4/extensibility.html
"""

from typing import Any

from ivfhir.fhir.r4.extensions import value_types_of
from ivfhir.fhir.references import is_absolute
from ivfhir.fhir.types import STRUCTURE_DEFINITIONS
from ivfhir.validation.issue import Issue
from ivfhir.validation.structure import Visited, shape_of

EXTENSION = "Extension"


def wrong_extensions(visited: Visited, *, is_known: bool = False) -> list[Issue]:
    """Return what is wrong with an extension.

    One that nobody here knows is no error: whoever reads it may know it. Of R4's own the type of
    the value is asked; one of that namespace that R4 does not define is a warning.

    Args:
        visited: any element; what is no extension has no issue.
        is_known: a package defines it.
    """
    value: Any = visited.value
    if visited.slot.type_name != EXTENSION or not isinstance(value.get("url"), str):
        return []
    url: str = value["url"]
    if not is_absolute(url):
        # Inside another extension a name is enough.
        nested = visited.slot.owner == EXTENSION
        text = "has a url that is not absolute; name the extension's own address"
        return [] if nested else [_issue(visited, "error", text, "extension-url")]
    types = value_types_of(url)
    if types is None:
        return [] if is_known else _unknown(visited, url)
    held = [
        slot.type_name for key, slot in shape_of(EXTENSION).members.items() if _holds(value, key)
    ]
    name = url.removeprefix(STRUCTURE_DEFINITIONS)
    if held and held[0] not in types:
        wanted = f"a value of {' or '.join(types)}" if types else "further extensions, no value"
        text = f"is {name} with a value of {held[0]}; it holds {wanted}"
        return [_issue(visited, "error", text, "extension-value")]
    return []


def _holds(value: dict[str, Any], key: str) -> bool:
    return key.startswith("value") and (key in value or f"_{key}" in value)


def _unknown(visited: Visited, url: str) -> list[Issue]:
    if not url.startswith(STRUCTURE_DEFINITIONS):
        return []
    text = f"is {url}, which R4 does not define; is it of another package, or misspelt?"
    return [_issue(visited, "warning", text, "extension-unknown")]


def _issue(visited: Visited, severity: str, text: str, rule: str) -> Issue:
    place = visited.place
    said = f"{place.expression} {text}{'' if text.endswith('?') else '.'}"
    return Issue(severity, "extension", place.expression, said, rule, place.pointer)
