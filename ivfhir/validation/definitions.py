"""What resources that define something must say of themselves, beyond R4's rules in FHIRPath.

http://hl7.org/fhir/R4/resource.html#canonical, http://hl7.org/fhir/R4/codesystem.html,
http://hl7.org/fhir/R4/valueset.html, http://hl7.org/fhir/R4/searchparameter.html
"""

from collections.abc import Callable
from typing import Any

from ivfhir.fhir.r4 import definition_of, lineage_of
from ivfhir.fhir.r4.search_parameters import search_parameter_of
from ivfhir.fhir.references import is_absolute
from ivfhir.fhir.typed import objects_in, text_in, texts_in
from ivfhir.validation.issue import Issue, Place, Pointer
from ivfhir.validation.structure import Visited

TRUE_OR_FALSE = frozenset({"inactive", "notSelectable"})
"""http://hl7.org/fhir/R4/codesystem.html#defined-props"""
FEWEST = 2
"""So many parts a composite search parameter has at least."""


def wrong_definitions(visited: Visited) -> list[Issue]:
    """Return what is wrong with a resource that defines something, or a part of it."""
    slot = visited.slot
    if slot.owner is None:
        check = RESOURCES.get(slot.type_name)
        found = check(visited) if check is not None else []
        return _relative_url(visited) + found
    check = PARTS.get(slot.type_name)
    return check(visited) if check is not None else []


def _relative_url(visited: Visited) -> list[Issue]:
    """Ask that the canonical of a definition is absolute."""
    resource: Any = visited.value
    url = text_in(resource, "url")
    if url is None or is_absolute(url) or not _is_canonical(visited.slot.type_name):
        return []
    text = "is not absolute; name the definition by an address of its own, https://… or urn:…"
    return [_issue(visited, text, "url")]


def _is_canonical(type_name: str) -> bool:
    definition = definition_of(type_name)
    elements = definition.elements if definition is not None else {}
    return "status" in elements and "url" in elements and elements["url"].types == ("uri",)


def _code_system(visited: Visited) -> list[Issue]:
    resource: Any = visited.value
    issues = []
    if "supplements" in resource and resource.get("content") != "supplement":
        text = "supplements another system, so its content is 'supplement'"
        issues.append(_issue(visited, text, "content"))
    seen = set[str]()
    for index, each in enumerate(objects_in(resource, "property")):
        code = text_in(each, "code")
        if code is None:
            continue
        if code in seen:
            text = f"declares '{code[:60]}' a second time; give each property a code of its own"
            issues.append(_issue(visited, text, "property", index))
        seen.add(code)
    return issues


def _search_parameter(visited: Visited) -> list[Issue]:
    resource: Any = visited.value
    issues = []
    type_, base = text_in(resource, "type"), text_in(resource, "derivedFrom")
    if type_ == "composite" and len(objects_in(resource, "component")) < FEWEST:
        text = f"is composite with fewer than {FEWEST} components; say what it is composed of"
        issues.append(_issue(visited, text, "component"))
    known = search_parameter_of(base) if base is not None else None
    if known is None:
        return issues
    if type_ is not None and type_ != known.type:
        text = f"is {type_[:20]}, but what it is derived from is {known.type}"
        issues.append(_issue(visited, text, "type"))
    for each in texts_in(resource, "base"):
        lineage = lineage_of(each)
        if lineage and set(known.bases).isdisjoint(lineage):
            text = f"searches {each[:40]}, which what it is derived from does not"
            issues.append(_issue(visited, text, "base"))
    return issues


def _included(visited: Visited) -> list[Issue]:
    """Ask that a value set names code systems by their absolute addresses."""
    include: Any = visited.value
    system = text_in(include, "system")
    if system is None or is_absolute(system):
        return []
    text = "is not absolute; name the code system's own address"
    return [_issue(visited, text, "system")]


def _filter(visited: Visited) -> list[Issue]:
    """Ask that a filter by one of R4's own properties that are true or false has such a value."""
    said: Any = visited.value
    name = text_in(said, "property")
    if name not in TRUE_OR_FALSE or said.get("op") != "=":
        return []
    if said.get("value") in ("true", "false"):
        return []
    return [_issue(visited, f"is for {name}, which is true or false", "value")]


def _searched(visited: Visited) -> list[Issue]:
    """Ask that a server says of a search parameter what its definition says.

    R4's own CapabilityStatements do not, here and there, so it is a warning.
    """
    said: Any = visited.value
    canonical, type_ = text_in(said, "definition"), text_in(said, "type")
    known = search_parameter_of(canonical) if canonical is not None else None
    if known is None or type_ is None or type_ == known.type:
        return []
    text = f"is {type_[:20]}, but R4 defines it as {known.type}"
    return [_issue(visited, text, "type", severity="warning")]


def _issue(
    visited: Visited, text: str, key: str, index: int | None = None, *, severity: str = "error"
) -> Issue:
    place = Place(visited.place, key, key, index)
    pointer: Pointer = place.pointer if key in _value(visited) else visited.place.pointer
    said = f"{place.expression} {text}."
    return Issue(severity, "business-rule", place.expression, said, "definition", pointer)


def _value(visited: Visited) -> dict[str, Any]:
    return visited.value if isinstance(visited.value, dict) else {}


Check = Callable[[Visited], list[Issue]]
RESOURCES: dict[str, Check] = {"CodeSystem": _code_system, "SearchParameter": _search_parameter}
PARTS: dict[str, Check] = {
    "ValueSet.compose.include": _included,
    "ValueSet.compose.include.filter": _filter,
    "CapabilityStatement.rest.resource.searchParam": _searched,
}
