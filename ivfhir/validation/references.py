"""Whether references name what R4 lets them name (http://hl7.org/fhir/R4/references.html)."""

from typing import Any

from ivfhir.fhir.r4 import is_resource
from ivfhir.fhir.r4.rules import rules_of
from ivfhir.fhir.references import is_absolute, parse_literal
from ivfhir.fhir.targets import Targets
from ivfhir.validation.issue import Issue
from ivfhir.validation.mends import MENDS
from ivfhir.validation.primitive import primitive_problem
from ivfhir.validation.structure import Visited

ANY, REFERENCE = "Resource", "Reference"
LOCAL = "ref-1"
UUID = "urn:uuid:"


def wrong_targets(visited: Visited, targets: Targets) -> list[Issue]:
    """Return what is wrong with a Reference: its form, its target's type, what it says of it.

    Args:
        visited: any element; what is no Reference has no issue.
        targets: what references of the input name.
    """
    value: Any = visited.value
    if visited.slot.type_name != REFERENCE or visited.slot.element is None:
        return []
    said, text = value.get("type"), value.get("reference")
    if isinstance(text, str) and (wrong := _wrong_text(text, visited, targets)):
        return wrong
    found = targets.type_of(text, visited.root) if isinstance(text, str) else None
    types = visited.slot.element.targets
    named = found or (said if isinstance(said, str) and is_resource(said) else None)
    if named is not None and types and ANY not in types and named not in types:
        allowed = f"{', '.join(types[:-1])} or {types[-1]}" if len(types) > 1 else types[0]
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


def is_right_for_all(text: str, targets: Targets) -> bool:
    """Return whether nothing is wrong with a literal reference, whichever resource has it."""
    is_word = text[:1] not in ("", "#") and not any(map(str.isspace, text))
    return is_word and _problem_of(text) is None and not _is_missing(text, targets)


def _is_missing(text: str, targets: Targets) -> bool:
    """Return whether a reference names a UUID that no entry of the Bundle has."""
    is_named = text.startswith(UUID) and targets.is_bundle
    return is_named and not targets.has(text.partition("#")[0])


def _wrong_text(text: str, visited: Visited, targets: Targets) -> list[Issue]:
    """Return what is wrong with a literal reference, whatever it may name."""
    problem = _problem_of(text)
    if problem is not None:
        return [_issue(visited, problem, "reference-form")]
    if text[:1] == "#" and targets.resolve(text, visited.root) is None:
        return [_not_contained(visited)]
    if _is_missing(text, targets):
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
