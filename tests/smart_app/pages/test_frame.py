"""The banner and the line of standing."""

from datetime import UTC, datetime

import pytest

from smart_app.pages.frame import as_of_words, patient_banner, patient_name, read_words
from tests.smart_app.pages.conftest import sample

ALIVE = {"asOf": "2025-03-03T23:59:59.999+01:00", "patient": {"deceased": False}}


def test_the_banner_of_a_sample_patient():
    patient = sample("halloran")
    banner = patient_banner(patient.record.patient, patient.decision)
    assert banner.name == "HALLORAN, Edmund"
    assert banner.born == "14 May 1962 (62 years)"
    assert banner.sex == "Male"
    assert (banner.identifier_name, banner.identifier) == ("Record number", "RN-100417")
    assert banner.deceased is None


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([], "Name not recorded"),
        ([{"text": "Somebody"}], "Somebody"),
        (
            [{"use": "old", "family": "A"}, {"use": "official", "family": "b", "given": ["C"]}],
            "B, C",
        ),
    ],
)
def test_the_official_name_comes_first(names, words):
    assert patient_name({"name": names}) == words


def test_what_is_not_recorded_is_said():
    banner = patient_banner({"resourceType": "Patient"}, ALIVE)
    assert (banner.born, banner.sex) == ("not recorded", "Unknown")
    assert banner.identifier == "not recorded"


def test_a_partial_birth_date_gives_no_age():
    assert patient_banner({"birthDate": "1962"}, ALIVE).born == "1962"


def test_a_death_without_a_date():
    dead = {**ALIVE, "patient": {"deceased": True}}
    assert patient_banner({}, dead).deceased == "died, date not recorded"


@pytest.mark.parametrize(
    ("as_of", "words"),
    [
        ("2025-03-03T23:59:59.999+01:00", "3 Mar 2025, end of the day"),
        ("2025-03-03T08:42:00+01:00", "3 Mar 2025, 08:42 (+01:00)"),
        ("2025-03-03T08:42:00.000+00:00", "3 Mar 2025, 08:42 (UTC)"),
    ],
)
def test_as_of_in_words(as_of, words):
    assert as_of_words(as_of) == words


def test_the_reading_says_when_and_how_much():
    read = datetime(2025, 3, 3, 8, 42, tzinfo=UTC)
    now = datetime(2025, 3, 3, 8, 46, tzinfo=UTC)
    assert read_words(read, 24, now) == "Record read 3 Mar 2025, 08:42 (4 minutes ago): 24 entries."
