"""Whether references name what R4 lets them name (http://hl7.org/fhir/R4/references.html)."""

import re
from collections.abc import Mapping
from typing import Any

from ivfhir.fhir.r4 import definition_of
from ivfhir.fhir.types import BUNDLE, Json, Resource
from ivfhir.validation.issue import Issue
from ivfhir.validation.structure import Visited

ANY = "Resource"
_REST = re.compile(
    r"(?:https?://[^\s?#]+/)?([A-Z][A-Za-z]+)/[A-Za-z0-9\-.]{1,64}(?:/_history/[A-Za-z0-9\-.]{1,64})?"
)


def entries_of(raw: Json) -> dict[str, Resource]:
    """Return the resources of a Bundle by their fullUrl; nothing of any other resource."""
    if not isinstance(raw, dict) or raw.get("resourceType") != BUNDLE:
        return {}
    entries = raw.get("entry")
    rows = [each for each in entries if isinstance(each, dict)] if isinstance(entries, list) else []
    return {
        each["fullUrl"]: each["resource"]
        for each in rows
        if isinstance(each.get("fullUrl"), str) and isinstance(each.get("resource"), dict)
    }


def wrong_targets(visited: Visited, entries: Mapping[str, Resource]) -> list[Issue]:
    """Return what is wrong with a Reference: its target's type, or what it says of it.

    Args:
        visited: any element; what is no Reference has no issue.
        entries: resources by fullUrl.
    """
    value: Any = visited.value
    if visited.slot.type_name != "Reference" or visited.slot.element is None:
        return []
    said, text = value.get("type"), value.get("reference")
    found = _target_type(text, visited, entries) if isinstance(text, str) else None
    targets = visited.slot.element.targets
    named = found or (said if isinstance(said, str) and _is_resource(said) else None)
    if named is not None and targets and ANY not in targets and named not in targets:
        allowed = f"{', '.join(targets[:-1])} or {targets[-1]}" if len(targets) > 1 else targets[0]
        return [_issue(visited, f"names a {named}; R4 allows {allowed}", "reference-target")]
    if found is not None and isinstance(said, str) and _is_resource(said) and said != found:
        return [_issue(visited, f"says type {said}, but names a {found}", "reference-type")]
    return []


def _target_type(text: str, visited: Visited, entries: Mapping[str, Resource]) -> str | None:
    """Return the type of what a reference names; None where that is not known."""
    target = _contained(text[1:], visited.root) if text[:1] == "#" else entries.get(text)
    if target is not None:
        name = target.get("resourceType")
        return name if isinstance(name, str) and _is_resource(name) else None
    match = _REST.fullmatch(text)
    return match[1] if match is not None and _is_resource(match[1]) else None


def _contained(wanted: str, root: Resource) -> Resource | None:
    if not wanted:
        return root
    inside = root.get("contained")
    rows = inside if isinstance(inside, list) else []
    return next((e for e in rows if isinstance(e, dict) and e.get("id") == wanted), None)


def _is_resource(name: str) -> bool:
    definition = definition_of(name)
    return definition is not None and definition.kind == "resource"


def _issue(visited: Visited, text: str, rule: str) -> Issue:
    place = visited.place
    said = f"{place.expression} {text}."
    return Issue("error", "structure", place.expression, said, rule, place.pointer)
