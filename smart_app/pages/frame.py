"""What stands on every page: the patient, the age of the data, the rules, the standing."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from ivfhir.fhir.people import patient_identifier, patient_name
from ivfhir.fhir.types import Resource
from ivfhir.wording import dates
from smart_app.pages.facts import Fact
from smart_app.pages.protocol_card import ProtocolCard

_END_OF_DAY = "T23:59:59.999"
_SEX = {"male": "Male", "female": "Female", "other": "Other", "unknown": "Unknown"}
_SECOND_LINE = (
    ("ECOG", ("ecog",)),
    ("Body", ("weight", "height")),
    ("Allergies", ("contrast-allergy",)),
)


@dataclass(frozen=True)
class PatientBanner:
    """The patient, as the banner shows them.

    Attributes:
        name: `HALLORAN, Edmund`.
        born: birth date with age, `14 May 1962 (62 years)`.
        sex: recorded sex.
        identifier_name: what the identifier is, such as `Record number`.
        identifier: its value.
        deceased: `died on 2 Mar 2025`, None while alive.
        more: further terms with their values, such as the diagnosis.
    """

    name: str
    born: str
    sex: str
    identifier_name: str
    identifier: str
    deceased: str | None
    more: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Frame:
    """Everything of a page that is not its own content.

    Attributes:
        patient: the banner.
        read: when the record was read, and how much of it.
        as_of: the instant for which every answer holds.
        protocols: id and version of the protocols that answer.
        strength: words of evidence strength, with its squares; None where no single protocol is
            meant.
        steps: label, address (None: not reachable from here) and whether it is this page.
        read_again: address that reads the record anew; None where a page shows what was kept.
    """

    patient: PatientBanner
    read: str
    as_of: str
    protocols: str
    strength: tuple[str, int] | None
    steps: tuple[tuple[str, str | None, bool], ...]
    read_again: str | None


def patient_banner(
    patient: Resource, decision: Mapping[str, Any], facts: Iterable[Fact] = ()
) -> PatientBanner:
    """Return the banner of a Patient; age and death as at the Decision's `asOf`."""
    as_of = dates.parse_day(decision["asOf"])
    identifier_name, identifier = patient_identifier(patient)
    dead = deceased_words(decision)
    return PatientBanner(
        name=patient_name(patient),
        born=_born(patient.get("birthDate"), None if dead else as_of),
        sex=_SEX.get(str(patient.get("gender", "unknown")), "Unknown"),
        identifier_name=identifier_name,
        identifier=identifier,
        deceased=dead,
        more=_second_line(list(facts)),
    )


def deceased_words(decision: Mapping[str, Any]) -> str | None:
    """Return `died on 2 Mar 2025` when the Decision holds the patient deceased, else None."""
    if not decision["patient"].get("deceased"):
        return None
    when = dates.day(decision["patient"].get("deceasedDate"))
    return f"died on {when}" if when else "died, date not recorded"


def as_of_words(as_of: str) -> str:
    """Return `3 Mar 2025, end of the day` or `3 Mar 2025, 08:42 (+01:00)`."""
    if _END_OF_DAY in as_of:
        return f"{dates.day(as_of)}, end of the day"
    instant = datetime.fromisoformat(as_of)
    zone = as_of[-6:] if as_of[-3:-2] == ":" and as_of[-6:] != "+00:00" else "UTC"
    return f"{dates.moment(instant)} ({zone})"


def read_words(read_at: datetime, entries: int, now: datetime) -> str:
    """Return when the record was read and how many entries it had."""
    entry_words = "1 entry" if entries == 1 else f"{entries} entries"
    return f"Record read {dates.moment(read_at)} ({dates.since(read_at, now)}): {entry_words}."


def strength_of(card: ProtocolCard | None) -> tuple[str, int] | None:
    """Return the evidence strength of a card, in words and squares."""
    return None if card is None else (card.strength, card.squares)


def _born(birth_date: str | None, as_of: date | None) -> str:
    if not birth_date:
        return "not recorded"
    years = completed_years = dates.completed_years(birth_date, as_of) if as_of else None
    return (
        f"{dates.day(birth_date)} ({years} years)"
        if completed_years is not None
        else dates.day(birth_date)
    )


def _second_line(facts: list[Fact]) -> tuple[tuple[str, str], ...]:
    by_key: dict[str, Fact] = {}
    for fact in facts:
        by_key.setdefault(fact.key, fact)
    diagnosis = [
        fact.value for key, fact in by_key.items() if key.startswith("dx-") and fact.reference
    ]
    lines = [("Diagnosis", diagnosis[0])] if diagnosis else []
    for term, keys in _SECOND_LINE:
        values = [by_key[key].value for key in keys if key in by_key]
        if values:
            lines.append((term, ", ".join(values)))
    return tuple(lines)
