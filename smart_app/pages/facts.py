"""Facts: what a criterion rests on: name, value, unit, date, age, link to its resource."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from ivfhir.fhir.types import Resource
from ivfhir.wording import dates, words
from smart_app.pages.coded import coded_text
from smart_app.pages.notes import Note, linked


@dataclass(frozen=True)
class Fact:
    """One fact of the record.

    Attributes:
        key: the concept's key in the data dictionary.
        name: the concept in words.
        value: the value with its unit, or what was (not) found.
        when: date and age in days, '' when the fact has no date.
        href: our page of the resource, None when no single resource carries the fact.
        reference: `Type/id` of the resource, None likewise.
    """

    key: str
    name: str
    value: str
    when: str
    href: str | None
    reference: str | None


@dataclass(frozen=True)
class FactWriter:
    """Turns entries of a criterion's `evidence` into facts.

    Args:
        resources: what was read, by `Type/id`; used for the words of a coded entry.
        link: gives the address of our page for a `Type/id`.
        refused: the resource types that the EHR does not let the app read.
    """

    resources: Mapping[str, Resource]
    link: Callable[[str], str]
    refused: Collection[str] = ()

    def fact(self, evidence: Mapping[str, Any]) -> Fact:
        """Return the fact of one evidence entry of the Decision."""
        key = str(evidence.get("concept", ""))
        reference = evidence.get("reference")
        return Fact(
            key=key,
            name=words.IN_RECORD.get(key) or words.concept(key),
            value=self._value(evidence, self.resources.get(reference or "")),
            when=_when(evidence),
            href=self.link(reference) if reference and "/" in reference else None,
            reference=reference,
        )

    def facts(self, criterion: Mapping[str, Any]) -> tuple[Fact, ...]:
        """Return the facts of a criterion, each once, in the Decision's order."""
        return tuple(dict.fromkeys(self.fact(entry) for entry in criterion.get("evidence", ())))

    def notes(self, criterion: Mapping[str, Any]) -> tuple[Note, ...]:
        """Return the remarks on a criterion, the entries that they name as links."""
        notes = criterion.get("notes", ())
        return tuple(linked(str(note), self.resources, self.link) for note in notes)

    def _value(self, evidence: Mapping[str, Any], resource: Resource | None) -> str:
        unit = evidence.get("unit")
        if "value" not in evidence:
            if "low" in evidence or "high" in evidence:
                return words.interval(evidence.get("low"), evidence.get("high"), unit)
            return coded_text(resource) or "no record found"
        value = evidence["value"]
        if isinstance(value, str):
            return _code_in_words(value, resource)
        if "low" in evidence and "high" in evidence and evidence["low"] != evidence["high"]:
            spanned = words.interval(evidence["low"], evidence["high"], unit)
            return f"{words.value(value, unit, evidence.get('comparator'))} (counts as {spanned})"
        return words.value(value, unit, evidence.get("comparator"))


def _code_in_words(code: str, resource: Resource | None) -> str:
    """Return a coded value: for an entry of the problem list its words, then the code."""
    if resource and resource.get("resourceType") != "Observation":
        text = coded_text(resource)
        if text and resource["resourceType"] == "AllergyIntolerance":
            return text
        return f"{text} ({code})" if text and text != code else f"code {code}"
    return words.value(code)


def _when(evidence: Mapping[str, Any]) -> str:
    if evidence.get("concept") == "age-years":
        return f"born {dates.day(evidence.get('date'))}" if evidence.get("date") else ""
    parts = (dates.day(evidence.get("date")), dates.age(evidence.get("ageDays")))
    return ", ".join(part for part in parts if part)
