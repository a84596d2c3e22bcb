"""Whether references name what R4 lets them name (http://hl7.org/fhir/R4/references.html)."""

from collections.abc import Mapping
from typing import Any

from ivfhir.fhir.r4 import definition_of
from ivfhir.fhir.references import is_absolute, parse_literal
from ivfhir.fhir.types import BUNDLE, Json, Resource
from ivfhir.validation.issue import Issue
from ivfhir.validation.primitive import primitive_problem
from ivfhir.validation.structure import Visited

ANY = "Resource"
UUID = "urn:uuid:"


def entries_of(raw: Json) -> dict[str, Resource] | None:
    """Return the resources of a Bundle, and of those in it, by their fullUrl; None of others."""
    if not isinstance(raw, dict) or raw.get("resourceType") != BUNDLE:
        return None
    entries = raw.get("entry")
    found: dict[str, Resource] = {}
    inner: dict[str, Resource] = {}
    for each in entries if isinstance(entries, list) else []:
        resource = each.get("resource") if isinstance(each, dict) else None
        if not isinstance(resource, dict):
            continue
        if isinstance(each.get("fullUrl"), str):
            found[each["fullUrl"]] = resource
        inner |= entries_of(resource) or {}
    return inner | found


def wrong_targets(visited: Visited, entries: Mapping[str, Resource] | None) -> list[Issue]:
    """Return what is wrong with a Reference: its form, its target's type, what it says of it.

    Args:
        visited: any element; what is no Reference has no issue.
        entries: resources of the Bundle by fullUrl, None where there is no Bundle.
    """
    value: Any = visited.value
    if visited.slot.type_name != "Reference" or visited.slot.element is None:
        return []
    said, text = value.get("type"), value.get("reference")
    if isinstance(text, str) and (problem := _problem_of(text)) is not None:
        return [_issue(visited, problem, "reference-form")]
    if isinstance(text, str) and text.startswith(UUID) and entries is not None:
        target = entries.get(text.partition("#")[0])
        if target is None:
            missing = "names a UUID that no entry of the Bundle has as its fullUrl; add that entry"
            return [_issue(visited, missing, "reference-unresolved", "warning")]
    found = _target_type(text, visited, entries or {}) if isinstance(text, str) else None
    targets = visited.slot.element.targets
    named = found or (said if isinstance(said, str) and _is_resource(said) else None)
    if named is not None and targets and ANY not in targets and named not in targets:
        allowed = f"{', '.join(targets[:-1])} or {targets[-1]}" if len(targets) > 1 else targets[0]
        return [_issue(visited, f"names {_a(named)}; R4 allows {allowed}", "reference-target")]
    if found is not None and isinstance(said, str) and _is_resource(said) and said != found:
        return [
            _issue(
                visited,
                f"says type {said}, but names {_a(found)}; make them agree",
                "reference-type",
            )
        ]
    return []


def _problem_of(text: str) -> str | None:
    """Return what is wrong with the form of a reference, None where it may be followed.

    http://hl7.org/fhir/R4/references.html#literal
    """
    if text[:1] == "#" or not text.strip() or is_absolute(text):
        return None
    literal = parse_literal(text)
    if literal is None:
        conditional = "?" in text and _is_resource(text.partition("?")[0])
        return (
            None
            if conditional
            else "is no reference; write Type/id as Patient/123, an address, or #id"
        )
    key = literal.key
    if not _is_resource(key.resource_type):
        return f"names a '{key.resource_type[:40]}', which FHIR R4 does not have"
    wrong = primitive_problem(key.resource_id, "id")
    return None if wrong is None else f"names an id that {wrong}"


def _target_type(text: str, visited: Visited, entries: Mapping[str, Resource]) -> str | None:
    """Return the type of what a reference names; None where that is not known."""
    target = _contained(text[1:], visited.root) if text[:1] == "#" else entries.get(text)
    if target is not None:
        name = target.get("resourceType")
        return name if isinstance(name, str) and _is_resource(name) else None
    literal = parse_literal(text)
    name = literal.key.resource_type if literal is not None else ""
    return name if _is_resource(name) else None


def _contained(wanted: str, root: Resource) -> Resource | None:
    if not wanted:
        return root
    inside = root.get("contained")
    rows = inside if isinstance(inside, list) else []
    return next((e for e in rows if isinstance(e, dict) and e.get("id") == wanted), None)


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'AEIO' else 'a'} {name}"


def _is_resource(name: str) -> bool:
    definition = definition_of(name)
    return definition is not None and definition.kind == "resource"


def _issue(visited: Visited, text: str, rule: str, severity: str = "error") -> Issue:
    place = visited.place
    said = f"{place.expression} {text}."
    return Issue(severity, "structure", place.expression, said, rule, place.pointer)
