"""Remarks of the evaluation, with the entries that they name as links in the entries' own words."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from ivfhir.fhir.types import Resource
from ivfhir.wording import dates, words
from ivfhir.wording.record_parts import entry_kind
from smart_app.pages.coded import coded_text

_REFERENCE = re.compile(
    r"\b(?P<type>Condition|Observation|AllergyIntolerance|Procedure|ServiceRequest)/"
    r"(?P<id>[A-Za-z0-9\-.]{0,63}[A-Za-z0-9\-])"
)


@dataclass(frozen=True)
class NotePart:
    """A piece of a note: text, or the words of an entry with the address of our page of it."""

    text: str
    href: str | None = None


Note = tuple[NotePart, ...]


def linked(
    note: str, resources: Mapping[str, Resource], link: Callable[[str], str]
) -> tuple[NotePart, ...]:
    """Return a note in which each reference is a link that carries the entry's own words and date.

    Args:
        note: one sentence of the evaluation.
        resources: what was read, by `Type/id`.
        link: gives the address of our page of a `Type/id`.
    """
    note = words.unread_reason(note)
    parts: list[NotePart] = []
    end = 0
    for found in _REFERENCE.finditer(note):
        reference = found.group()
        parts.append(NotePart(words.pretty(note[end : found.start()])))
        named = entry_words(resources.get(reference), found["type"])
        begins = not note[: found.start()].strip()
        parts.append(NotePart(words.capitalise(named) if begins else named, link(reference)))
        end = found.end()
    parts.append(NotePart(words.pretty(note[end:])))
    first, *rest = [part for part in parts if part.text] or [NotePart("")]
    return (replace(first, text=words.capitalise(first.text)), *rest)


def entry_words(resource: Resource | None, resource_type: str) -> str:
    """Return an entry in its own words, with its date; what kind it is when it has no words."""
    text = coded_text(resource)
    named = f"\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}" if text else ""
    when = _day_of(resource or {})
    return (named or entry_kind(resource_type)) + (f" of {when}" if when else "")


def _day_of(resource: Resource) -> str:
    for name in (
        "effectiveDateTime",
        "effectiveInstant",
        "recordedDate",
        "onsetDateTime",
        "performedDateTime",
        "occurrenceDateTime",
    ):
        if isinstance(resource.get(name), str):
            return dates.day(resource[name])
    for name, end in (
        ("effectivePeriod", "end"),
        ("performedPeriod", "start"),
        ("occurrencePeriod", "start"),
    ):
        if isinstance(resource.get(name), dict):
            return dates.day(resource[name].get(end))
    return ""
