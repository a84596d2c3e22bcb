"""What is about to be sent, validated in this process: a fault of ours never reaches a server.

Whoever writes asks here first: the app, its outbox and `ivfhir sync`. What we make is right, or it
is not sent. What a server or somebody's file gave us is theirs: it goes as it is, with a warning.
"""

import base64
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

from ivfhir.errors import InputError, InvalidWriteError
from ivfhir.fhir.json import loads
from ivfhir.fhir.typed import object_in, objects_in, text_in
from ivfhir.fhir.types import BUNDLE, DOCUMENT_REFERENCE, OPERATION_OUTCOME, Json, Resource
from ivfhir.validation import Issue, validate_resource
from ivfhir.validation.location import inside
from ivfhir.writing.ending import status_name

MOST_TOLD = 5
"""So many faults are told one by one."""
FHIR_JSON = "application/fhir+json"
_ENTRY = re.compile(r"Bundle\.entry\[(\d+)\]\.resource")
_Key = tuple[str, str, tuple[str, ...]]


def check_outgoing(sent: Resource, given: Iterable[Resource] = ()) -> tuple[str, ...]:
    """Return what others' content makes wrong with what is about to be sent, a sentence each.

    An error is theirs where a resource that it was made from has it, too: the same rule, at the
    same element of the same type; or where it is of the id or the words of somebody else's
    resource that is referred to. Documents are asked for the plan that they hold.

    Args:
        sent: a transaction Bundle, or a resource.
        given: the resources as others gave them; asked only where something is wrong.

    Raises:
        InvalidWriteError: something of ours is wrong; its outcome tells each fault.
    """
    wrong = [(issue, raw) for raw in _all_of(sent) for issue in _errors(raw)]
    if not wrong:
        return ()
    theirs = Counter(_key(issue, raw) for raw in given for issue in _errors(raw))
    ours, passed = [], []
    for issue, raw in wrong:
        key = _key(issue, raw)
        text = _named(issue.text, raw)
        if theirs[key] > 0 or _is_of_a_reference(issue, raw):
            theirs[key] -= 1
            passed.append(f"{text} [{issue.rule}]")
        else:
            ours.append((issue, text))
    if ours:
        raise _fault(ours)
    return tuple(passed)


def as_read(bundle: Resource) -> list[Resource]:
    """Return what a transaction ends, as it was before: we give it a status and nothing else."""
    return [
        {k: v for k, v in each["resource"].items() if k != status_name(kind)}
        for each in bundle["entry"]
        if each["request"]["method"] == "PUT"
        for kind in (each["resource"]["resourceType"],)
    ]


def warning_lines(passed: Iterable[str]) -> list[str]:
    """Return sentences on what was sent all the same: a few, and how many more there are."""
    told = list(passed)
    lines = [f"It is not valid FHIR R4 and is sent as it is: {each}" for each in told[:MOST_TOLD]]
    more = len(told) - MOST_TOLD
    return [*lines, f"{more} more of it is not valid FHIR R4."] if more > 0 else lines


def _fault(ours: list[tuple[Issue, str]]) -> InvalidWriteError:
    first, text = ours[0]
    others = len(ours) - 1
    more = f" {others} more {'is' if others == 1 else 'are'} in the outcome." if others else ""
    outcome = {
        "resourceType": OPERATION_OUTCOME,
        "issue": [
            {
                "severity": "error",
                "code": issue.code,
                "diagnostics": f"{said} [{issue.rule}]",
                "expression": [issue.expression],
            }
            for issue, said in ours
        ],
    }
    return InvalidWriteError(
        "Nothing was sent: what ivfhir made is not valid FHIR R4, which is a fault of ivfhir; "
        f"please report it. {text} [{first.rule}]{more}",
        expression=first.expression,
        outcome=outcome,
    )


def _errors(raw: Json) -> list[Issue]:
    return [each for each in validate_resource(raw) if each.severity == "error"]


def _all_of(sent: Resource) -> Iterator[Resource]:
    """Yield what is sent, and the resources inside the attachments of its documents."""
    yield sent
    is_bundle = sent.get("resourceType") == BUNDLE
    rows = objects_in(sent, "entry") if is_bundle else [{"resource": sent}]
    for resource in (object_in(each, "resource") for each in rows):
        if resource.get("resourceType") != DOCUMENT_REFERENCE:
            continue
        for content in objects_in(resource, "content"):
            attachment = object_in(content, "attachment")
            data = text_in(attachment, "data")
            if attachment.get("contentType") == FHIR_JSON and data is not None:
                yield from _decoded(data)


def _decoded(data: str) -> Iterator[Resource]:
    try:
        raw = loads(base64.b64decode(data).decode(), place="the document")
    except (InputError, ValueError):
        return  # Said of the attachment itself, or of somebody else's.
    if isinstance(raw, dict):
        yield raw


def _key(issue: Issue, raw: Json) -> _Key:
    """Return the type, the rule and the names from the nearest resource on to an issue's place."""
    here: Any = raw
    kind = str(here.get("resourceType")) if isinstance(here, dict) else ""
    names: list[str] = []
    for step in issue.pointer:
        names += [step] if isinstance(step, str) else []
        here = inside(here, step)
        if isinstance(here, dict) and isinstance(here.get("resourceType"), str):
            kind, names = here["resourceType"], []
    return kind, issue.rule, tuple(names)


def _is_of_a_reference(issue: Issue, raw: Json) -> bool:
    """Tell whether an issue is of the id or the words of a resource that is not ours."""
    steps = issue.pointer[:-1] if issue.pointer[-1:] in (("display",), ("reference",)) else ()
    here: Any = raw
    for step in steps or issue.pointer:
        here = inside(here, step)
    if not isinstance(here, dict) or (not steps and issue.rule != "reference-form"):
        return False
    named = here.get("reference")
    return isinstance(named, str) and named[:1] != "#" and not named.startswith("urn:")


def _named(text: str, raw: Resource) -> str:
    """Return a sentence that names the resource of an entry, not the entry."""
    rows = objects_in(raw, "entry")

    def name(match: re.Match[str]) -> str:
        return str(object_in(rows[int(match[1])], "resource").get("resourceType"))

    return _ENTRY.sub(name, text)
