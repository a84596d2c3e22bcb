"""An entry of the record in a clinician's words: what, value, dates, status."""

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from ivfhir.fhir.types import Resource
from ivfhir.wording import dates, words
from smart_app.pages.coded import coded_text

_LABELS = {
    "dataAbsentReason": "Why there is no value",
    "interpretation": "Interpretation",
    "effectiveDateTime": "Date",
    "effectiveInstant": "Date",
    "effectivePeriod": "Date",
    "performedDateTime": "Date",
    "performedPeriod": "Date",
    "occurrenceDateTime": "Planned for",
    "occurrencePeriod": "Planned for",
    "onsetDateTime": "Since",
    "onsetPeriod": "Since",
    "onsetString": "Since",
    "abatementDateTime": "Ended",
    "abatementString": "Ended",
    "birthDate": "Born",
    "deceasedDateTime": "Died",
    "deceasedBoolean": "Died",
    "gender": "Sex",
    "status": "Status",
    "intent": "Intent",
    "clinicalStatus": "Clinical status",
    "verificationStatus": "Verification",
    "severity": "Severity",
    "criticality": "Criticality",
    "bodySite": "Site",
    "recordedDate": "Recorded",
    "issued": "Issued",
    "authoredOn": "Written",
    "period": "Period",
    "created": "Created",
    "description": "Description",
    "note": "Note",
}
"""Elements that a clinician asks for, in the order in which they stand."""

_CODED = frozenset({"gender", "status", "intent", "criticality"})
"""Elements that hold a code of FHIR's own, whose hyphens are spaces."""

_DATE = re.compile(r"\d{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12]\d|3[01])(T.*)?)?)?")


def entry_rows(resource: Resource) -> tuple[tuple[str, str], ...]:
    """Return label and words of what a clinician asks of an entry; what is not there is left out.

    Args:
        resource: as the EHR holds it, of any type.
    """
    return tuple((label, text) for label, text in _rows(resource) if text)


def entry_codes(resource: Resource) -> str:
    """Return the codes of an entry, as they stand last and grey: `C34.11, 254637007`."""
    codes = [
        str(coding["code"])
        for concept in _objects(resource.get("code"))
        for coding in _objects(concept.get("coding"))
        if coding.get("code")
    ]
    return ", ".join(codes)


def _rows(resource: Resource) -> Iterator[tuple[str, str]]:
    yield "What", coded_text(resource)
    for name, value in resource.items():
        if name.startswith("value"):
            yield "Value", _words(name, value)
    for component in _objects(resource.get("component")):
        values = [_words(name, value) for name, value in component.items() if name[:5] == "value"]
        yield coded_text(component) or "Part", ", ".join(values)
    for stage in _objects(resource.get("stage")):
        yield "Stage", _words("summary", stage.get("summary"))
    for reaction in _objects(resource.get("reaction")):
        said = [_value(each) for each in _list(reaction.get("manifestation"))]
        severity = str(reaction.get("severity") or "")
        yield "Reaction", ", ".join(part for part in (*said, severity) if part)
    for name, label in _LABELS.items():
        if name in resource:
            yield label, _words(name, resource[name])


def _words(name: str, value: Any) -> str:  # noqa: ANN401 - an element of any shape
    """Return an element in words: a code without its hyphens, free text as it was written."""
    said = [_value(each) for each in _list(value)]
    if name in _CODED or name == "valueCode":
        said = [words.value(each) for each in said]
    return "; ".join(each for each in said if each)


def _value(value: Any) -> str:  # noqa: ANN401 - an element of any shape
    if isinstance(value, dict):
        return _of_object(value)
    if isinstance(value, bool | int | float | Decimal):
        return words.value(value)
    return _day(str(value))


def _day(text: str) -> str:
    """Return a date in words; any other text as it is written."""
    if _DATE.fullmatch(text) is None:
        return text
    try:
        return dates.day(text)
    except ValueError:  # Such as 30 February.
        return text


def _of_object(value: dict[str, Any]) -> str:
    if "start" in value or "end" in value:
        return _period(value)
    if "value" in value:
        unit = str(value.get("code") or value.get("unit") or "")
        shown = unit if unit in words.UNITS else str(value.get("unit") or unit)
        return words.value(value["value"], shown, str(value.get("comparator") or ""))
    if value.get("text"):
        return str(value["text"])
    codings = list(_objects(value.get("coding")))
    named = [str(coding["display"]) for coding in codings if coding.get("display")]
    coded = [words.value(str(coding["code"])) for coding in codings if coding.get("code")]
    return next(iter([*named, *coded]), "")


def _period(value: dict[str, Any]) -> str:
    start, end = (_day(str(value.get(name) or "")) for name in ("start", "end"))
    if start and end:
        return f"{start} to {end}"
    return f"since {start}" if start else f"until {end}" if end else ""


def _objects(value: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - an element of any shape
    yield from (each for each in _list(value) if isinstance(each, dict))


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - an element of any shape
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
