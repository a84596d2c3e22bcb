"""What a plan by PORT says of its base, its interval and its lock."""

from datetime import UTC, datetime

import pytest

from ivfhir.expressions.values import Date
from ivfhir.knowledge.load import load_protocol
from ivfhir.parameters import parse_as_of
from ivfhir.plan import draft_plan
from ivfhir.read import PatientRecord
from tests.cases.case import KNOWLEDGE, load_case

AS_OF = parse_as_of("2025-03-03", time_zone="UTC", now=datetime(1900, 1, 1, tzinfo=UTC))
START = Date((2025, 3, 10))
WHY = "The tumour board of today decided so"


@pytest.fixture(scope="module")
def port():
    return load_protocol("PORT")


def notes(port, case, *, reason=None, **parameters):
    bundle = load_case(KNOWLEDGE / "port" / "cases" / case).bundle()
    patient, *resources = (entry["resource"] for entry in bundle["entry"])
    record = PatientRecord(patient, tuple(resources), {})
    plan = draft_plan(
        port, record, as_of=AS_OF, start=START, parameters=parameters, override_reason=reason
    )
    return [note["text"] for note in plan["note"]]


def test_the_only_base_that_fits_is_taken_and_named(port):
    [settings] = [text for text in notes(port, "in-v04-liver") if text.startswith("Settings")]
    assert settings.startswith("Settings: base LIVER; 6 infusions; 14 days between infusions;")


def test_an_interval_below_that_of_the_reference_regimen_says_what_dose_it_allows(port):
    guard = "Infusions every 20 days allow at most 20/21 of the dose"
    assert any(guard in text for text in notes(port, "in-v04-liver", port_interval_days=20))
    assert not any("/21" in text for text in notes(port, "in-v04-liver", port_interval_days=21))


def test_a_base_that_does_not_fit_is_named_with_what_stands_in_its_way(port):
    said = notes(port, "in-one-of-two-bases", reason=WHY, base="REGI")
    assert "The base REGI is ineligible: Marrow reserve (REGI-I02)." in said
    said = notes(port, "in-one-of-two-bases", base="LMET")
    assert not any(text.startswith("The base") for text in said)


def test_a_plan_in_spite_of_thrombocytopenia_by_heparin_asks_for_another_lock(port):
    said = notes(port, "out-hit-active", reason=WHY, base="LMET")
    assert any("needs a lock without heparin" in text for text in said)
    assert not any("lock without heparin" in text for text in notes(port, "in-v04-liver"))
