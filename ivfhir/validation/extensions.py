"""Whether extensions are known, stand where they may, and hold what they are defined to hold.

http://hl7.org/fhir/R4/extensibility.html, http://hl7.org/fhir/R4/defining-extensions.html#context
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from ivfhir.fhir.r4 import lineage_of
from ivfhir.fhir.r4.extensions import Defined, Inner, extension_of
from ivfhir.fhir.references import is_absolute
from ivfhir.fhir.types import STRUCTURE_DEFINITIONS
from ivfhir.validation.issue import Issue, Place, ended
from ivfhir.validation.structure import Slot, Visited, shape_of

EXTENSION = "Extension"
PLAIN, MODIFIER = "extension", "modifierExtension"
ANYWHERE = "Element"
SHOWN = 6
"""So many places are listed in a message."""
_INDEX = re.compile(r"\[\d+\]|\.ofType\(\w+\)")


def wrong_extensions(visited: Visited, *, is_known: bool = False) -> list[Issue]:
    """Return what is wrong with the extensions of an element, and with itself where it is one.

    One that nobody here knows is no error: whoever reads it may know it. One of R4's namespace
    that R4 does not define is a warning.

    Args:
        visited: any element.
        is_known: it is an extension that a package defines.
    """
    slot, value = visited.slot, visited.value
    issues = []
    for holder in (value, visited.beside):
        if isinstance(holder, dict) and (PLAIN in holder or MODIFIER in holder):
            issues += _misplaced(visited, holder)
    if (
        slot.type_name == EXTENSION
        and isinstance(value, dict)
        and isinstance(value.get("url"), str)
    ):
        issues += _itself(visited, value, value["url"], is_known=is_known)
    return issues


def _itself(visited: Visited, value: Mapping[str, Any], url: str, *, is_known: bool) -> list[Issue]:
    """Return what is wrong with an extension: its url, its value, what is inside it."""
    if not is_absolute(url):
        # Inside another extension a name is enough.
        nested = visited.slot.owner == EXTENSION
        text = "has a url that is not absolute; name the extension's own address"
        return [] if nested else [_issue(visited.place, text, "extension-url")]
    defined = extension_of(url)
    if defined is None:
        return [] if is_known else _unknown(visited, url)
    wrong = _wrong_value(value, defined.types)
    if wrong is not None:
        return [_issue(visited.place, f"is {_name(url)} {wrong}", "extension-value")]
    return _inside(visited, value, defined)


def _inside(visited: Visited, value: Mapping[str, Any], defined: Defined) -> list[Issue]:
    """Return what is wrong with the extensions inside one of R4's."""
    name, held = _name(value["url"]), Counter[str]()
    issues = []
    for place, each in _extensions(visited.place, value, PLAIN):
        url = each["url"]
        held[url] += 1
        inner = defined.inner.get(url)
        if inner is None:
            if not is_absolute(url):
                allowed = f"R4 has {_listed(defined.inner)}" if defined.inner else "it has none"
                text = f"is '{url[:60]}', which {name} does not have; {allowed}"
                issues.append(_issue(place, text, "extension-inside"))
            continue
        wrong = _wrong_value(each, inner.types)
        if wrong is not None:
            issues.append(_issue(place, f"is {url} of {name} {wrong}", "extension-value"))
    return issues + [
        _issue(visited.place, f"is {name} {wrong}", "extension-inside")
        for url, inner in defined.inner.items()
        if (wrong := _wrong_count(url, inner, held[url]))
    ]


def _wrong_count(url: str, inner: Inner, count: int) -> str | None:
    if count < inner.minimum:
        return f"without its {url}; R4 asks for it"
    if inner.maximum is not None and count > inner.maximum:
        return f"with {count} times {url}; R4 allows {inner.maximum}"
    return None


def _wrong_value(extension: Mapping[str, Any], types: tuple[str, ...]) -> str | None:
    members = shape_of(EXTENSION).members
    names = (key.removeprefix("_") for key in extension)
    held = [members[key].type_name for key in names if key.startswith("value") and key in members]
    if not held or held[0] in types:
        return None
    wanted = f"a value of {' or '.join(types)}" if types else "further extensions, no value"
    return f"with a value of {held[0]}; it holds {wanted}"


def _misplaced(visited: Visited, holder: Mapping[str, Any]) -> list[Issue]:
    """Return an issue for each of R4's extensions that may not stand on this element."""
    issues = []
    for key in (PLAIN, MODIFIER):
        for place, each in _extensions(visited.place, holder, key):
            defined = extension_of(each["url"])
            if defined is None:
                continue
            name = _name(each["url"])
            if defined.is_modifier != (key == MODIFIER):
                other = PLAIN if key == MODIFIER else MODIFIER
                kind = "is no modifier" if key == MODIFIER else "is a modifier"
                text = f"is {name}, which {kind}; say it as {other}"
                issues.append(_issue(place, text, "extension-modifier"))
            elif not _allowed(defined.contexts, visited):
                text = f"is {name}, which may not stand here; R4 has it on "
                text += _listed(sorted(defined.contexts))
                issues.append(_issue(place, text, "extension-context"))
    return issues


def _allowed(contexts: frozenset[str], visited: Visited) -> bool:
    if ANYWHERE in contexts or not contexts.isdisjoint(_names_of(visited.slot)):
        return True
    return _INDEX.sub("", visited.place.expression) in contexts


def _names_of(slot: Slot) -> Iterator[str]:
    """Yield what a context may call an element: its type, what that specialises, and its path."""
    yield from lineage_of(slot.type_name)
    if slot.owner is None or slot.element is None:
        return
    for owner in lineage_of(slot.owner):
        yield f"{owner}.{slot.element.name}"
        if slot.element.is_choice:
            yield f"{owner}.{slot.element.name}[x]"


def _extensions(
    place: Place, holder: Mapping[str, Any], key: str
) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield the extensions of an element that have a url, each with its place."""
    rows = holder.get(key)
    for index, each in enumerate(rows if isinstance(rows, list) else []):
        if isinstance(each, dict) and isinstance(each.get("url"), str):
            yield Place(place, key, key, index), each


def _unknown(visited: Visited, url: str) -> list[Issue]:
    if not url.startswith(STRUCTURE_DEFINITIONS):
        return []
    text = f"is {url}, which R4 does not define; is it of another package, or misspelt?"
    return [_issue(visited.place, text, "extension-unknown", "warning")]


def _name(url: str) -> str:
    return url.removeprefix(STRUCTURE_DEFINITIONS)


def _listed(names: Mapping[str, Any] | list[str]) -> str:
    shown = list(names)[:SHOWN]
    more = f" and {len(names) - len(shown)} others" if len(names) > len(shown) else ""
    return f"{', '.join(shown)}{more}"


def _issue(place: Place, text: str, rule: str, severity: str = "error") -> Issue:
    said = ended(f"{place.expression} {text}")
    return Issue(severity, "extension", place.expression, said, rule, place.pointer)
