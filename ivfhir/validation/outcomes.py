"""A server's OperationOutcome of `$validate` as issues of the resource that it was asked about."""

import re
from collections.abc import Collection
from typing import Any

from ivfhir.fhir.types import OPERATION_OUTCOME, Json, Resource
from ivfhir.validation.issue import Issue, Pointer
from ivfhir.validation.location import pointer_of
from ivfhir.validation.structure import MAX_ISSUES

LONGEST = 1_000
"""Characters of a server's sentence that are shown."""
SEVERITIES = {"fatal": "error", "error": "error", "warning": "warning"}
"""Those of http://hl7.org/fhir/R4/valueset-issue-severity.html; others are information."""
MESSAGE_ID = "http://hl7.org/fhir/StructureDefinition/operationoutcome-message-id"
Ways = dict[str, list[Pointer]]
"""The ways to the members of a name."""
_ELEMENT = re.compile(r'\[element="(\w{1,64})"\]', re.ASCII)
"""How HAPI names the element that it could not parse."""


def issues_of(outcome: Resource, raw: Json, *, inside: str = "") -> list[Issue]:
    """Return what a server found, at most MAX_ISSUES.

    Args:
        outcome: its OperationOutcome.
        raw: the resource that it was asked about.
        inside: FHIRPath before each place, where the resource was sent inside another.

    Returns:
        Issues in the server's order, with `rule` the server's own id. What only says that nothing
        was found is none.
    """
    rows = outcome.get("issue")
    told = [each for each in rows if isinstance(each, dict)] if isinstance(rows, list) else []
    if len(told) == 1 and _severity(told[0]) == "information" and not _places(told[0]):
        return []
    told = told[:MAX_ISSUES]
    named = (_ELEMENT.search(_text(each)) for each in told)
    ways = _ways({match[1] for match in named if match is not None}, raw)
    return [_issue(each, raw, inside, ways) for each in told]


def outcome_in(answer: Resource) -> Resource | None:
    """Return the OperationOutcome of an answer: itself, or what Parameters call `return`."""
    if answer.get("resourceType") == OPERATION_OUTCOME:
        return answer
    rows = answer.get("parameter")
    for each in rows if isinstance(rows, list) else ():
        found = each.get("resource") if isinstance(each, dict) else None
        if isinstance(found, dict) and found.get("resourceType") == OPERATION_OUTCOME:
            return found
    return None


def _issue(told: Resource, raw: Json, inside: str, ways: Ways) -> Issue:
    text = _text(told)
    expression, pointer = _place(told, raw, inside, ways)
    code = told.get("code")
    return Issue(
        _severity(told),
        code[:100] if isinstance(code, str) else "unknown",
        expression,
        text,
        _rule(told),
        pointer,
    )


def _severity(told: Resource) -> str:
    return SEVERITIES.get(str(told.get("severity")), "information")


def _text(told: Resource) -> str:
    details = told.get("details")
    said = told.get("diagnostics") or (details.get("text") if isinstance(details, dict) else "")
    return str(said or "It says nothing more.")[:LONGEST]


def _places(told: Resource) -> list[str]:
    """Return what names the place, FHIRPath first."""
    rows = [told.get("expression"), told.get("location")]
    named = [each for row in rows if isinstance(row, list) for each in row if isinstance(each, str)]
    return [each for each in named if not each.startswith("Line[")]


def _place(told: Resource, raw: Json, inside: str, ways: Ways) -> tuple[str, Pointer]:
    places = _places(told)
    for each in places:
        bare = each.removeprefix(inside)
        if inside and bare != each and isinstance(raw, dict):
            bare = f"{raw.get('resourceType')}{bare}"
        pointer = pointer_of(bare, raw)
        if pointer is not None:
            return bare[:LONGEST], pointer
    named = _ELEMENT.search(_text(told))
    there = ways.get(named[1], []) if named is not None else []
    if len(there) == 1:
        return "", there[0]
    return (places[0][:LONGEST] if places else ""), ()


def _ways(names: Collection[str], raw: Json) -> Ways:
    """Return the ways to the members of some names, each found in one walk."""
    found: Ways = {}
    pending: list[tuple[Pointer, Any]] = [((), raw)] if names else []
    while pending:
        way, here = pending.pop()
        members = here.items() if isinstance(here, dict) else enumerate(here)
        for step, value in members:
            if isinstance(step, str) and step in names:
                found.setdefault(step, []).append((*way, step))
            if isinstance(value, dict | list):
                pending.append(((*way, step), value))
    return found


def _rule(told: Resource) -> str:
    """Return the server's own id of a message: HL7's validator says it as an extension or code."""
    rows = told.get("extension")
    for each in rows if isinstance(rows, list) else ():
        if isinstance(each, dict) and each.get("url") == MESSAGE_ID:
            return _short(each.get("valueString"))
    details = told.get("details")
    codings = details.get("coding") if isinstance(details, dict) else None
    for each in codings if isinstance(codings, list) else ():
        if isinstance(each, dict) and isinstance(each.get("code"), str):
            return _short(each["code"])
    return _short(told.get("code"))


def _short(said: Any) -> str:  # noqa: ANN401 - JSON of any kind
    return str(said or "unknown").rpartition("#")[2][:100]
