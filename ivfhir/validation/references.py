"""Whether references name what R4 lets them name (http://hl7.org/fhir/R4/references.html)."""

from collections.abc import Mapping
from typing import Any

from ivfhir.fhir.r4 import is_resource
from ivfhir.fhir.r4.rules import rules_of
from ivfhir.fhir.references import is_absolute, parse_literal
from ivfhir.fhir.types import BUNDLE, Json, Resource
from ivfhir.validation.issue import Issue
from ivfhir.validation.mends import MENDS
from ivfhir.validation.primitive import primitive_problem
from ivfhir.validation.structure import Visited

ANY, REFERENCE = "Resource", "Reference"
LOCAL = "ref-1"
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


Contained = dict[int, dict[str, Resource]]
"""Contained resources by their ids, for each resource by its identity: read once a validation."""


def wrong_targets(
    visited: Visited, entries: Mapping[str, Resource] | None, inside: Contained
) -> list[Issue]:
    """Return what is wrong with a Reference: its form, its target's type, what it says of it.

    Args:
        visited: any element; what is no Reference has no issue.
        entries: resources of the Bundle by fullUrl, None where there is no Bundle.
        inside: what was read of contained resources so far; more may be put into it.
    """
    value: Any = visited.value
    if visited.slot.type_name != REFERENCE or visited.slot.element is None:
        return []
    said, text = value.get("type"), value.get("reference")
    if isinstance(text, str) and (wrong := _wrong_text(text, visited, entries, inside)):
        return wrong
    found = _target_type(text, visited, entries or {}, inside) if isinstance(text, str) else None
    targets = visited.slot.element.targets
    named = found or (said if isinstance(said, str) and is_resource(said) else None)
    if named is not None and targets and ANY not in targets and named not in targets:
        allowed = f"{', '.join(targets[:-1])} or {targets[-1]}" if len(targets) > 1 else targets[0]
        return [_issue(visited, f"names {_a(named)}; R4 allows {allowed}", "reference-target")]
    if found is not None and isinstance(said, str) and is_resource(said) and said != found:
        return [
            _issue(
                visited,
                f"says type {said}, but names {_a(found)}; make them agree",
                "reference-type",
            )
        ]
    return []


def _wrong_text(
    text: str, visited: Visited, entries: Mapping[str, Resource] | None, inside: Contained
) -> list[Issue]:
    """Return what is wrong with a literal reference, whatever it may name."""
    problem = _problem_of(text)
    if problem is not None:
        return [_issue(visited, problem, "reference-form")]
    if text[:1] == "#" and _contained(text[1:], visited.root, inside) is None:
        return [_not_contained(visited)]
    if text.startswith(UUID) and entries is not None and text.partition("#")[0] not in entries:
        missing = "names a UUID that no entry of the Bundle has as its fullUrl; add that entry"
        return [_issue(visited, missing, "reference-unresolved", "warning")]
    return []


def _problem_of(text: str) -> str | None:
    """Return what is wrong with the form of a reference, None where it may be followed.

    http://hl7.org/fhir/R4/references.html#literal
    """
    if text[:1] == "#" or not text.strip() or is_absolute(text):
        return None
    literal = parse_literal(text)
    if literal is None:
        conditional = "?" in text and is_resource(text.partition("?")[0])
        return (
            None
            if conditional
            else "is no reference; write Type/id as Patient/123, an address, or #id"
        )
    key = literal.key
    if not is_resource(key.resource_type):
        return f"names a '{key.resource_type[:40]}', which FHIR R4 does not have"
    wrong = primitive_problem(key.resource_id, "id")
    return None if wrong is None else f"names an id that {wrong}"


def _target_type(
    text: str, visited: Visited, entries: Mapping[str, Resource], inside: Contained
) -> str | None:
    """Return the type of what a reference names; None where that is not known."""
    target = _contained(text[1:], visited.root, inside) if text[:1] == "#" else entries.get(text)
    if target is not None:
        name = target.get("resourceType")
        return name if isinstance(name, str) and is_resource(name) else None
    literal = parse_literal(text)
    name = literal.key.resource_type if literal is not None else ""
    return name if is_resource(name) else None


def _contained(wanted: str, root: Resource, known: Contained) -> Resource | None:
    if not wanted:
        return root
    if id(root) not in known:
        inside = root.get("contained")
        rows = inside if isinstance(inside, list) else []
        named = [e for e in rows if isinstance(e, dict) and isinstance(e.get("id"), str)]
        known[id(root)] = {each["id"]: each for each in reversed(named)}
    return known[id(root)].get(wanted)


def _not_contained(visited: Visited) -> Issue:
    """Return an issue of R4's rule ref-1."""
    place = visited.place
    rule = next(each for each in rules_of("Reference") if each.key == LOCAL)
    said = (
        f"{place.expression} breaks R4's rule {rule.key}: {rule.human.rstrip('. ')}. {MENDS[LOCAL]}"
    )
    return Issue(rule.severity, "invariant", place.expression, said, rule.key, place.pointer)


def _a(name: str) -> str:
    return f"{'an' if name[0] in 'AEIO' else 'a'} {name}"


def _issue(visited: Visited, text: str, rule: str, severity: str = "error") -> Issue:
    place = visited.place
    said = f"{place.expression} {text}."
    return Issue(severity, "structure", place.expression, said, rule, place.pointer)
