"""Every page in many states speaks a clinician's words."""

import pytest

from tests.smart_app.conftest import running_samples
from tests.smart_app.pages.test_regimens import TICKED
from tests.smart_app.pages.wording import visible_text, wrong_words


@pytest.fixture(scope="module")
def fhir_server():
    """Base URL of a FHIR server of this file's own: some of its tests write."""
    with running_samples() as base:
        yield base


SAMPLES = ("halloran", "lindqvist", "duarte", "nowak", "ferris", "sato")
READ_TYPES = ("Observation", "Condition", "AllergyIntolerance", "CarePlan")


def check(clinician, *pages):
    for page in pages:
        text = clinician.open(page).text
        assert wrong_words(text) == [], page
        assert len(visible_text(text)) > 200, page


@pytest.mark.parametrize("patient", SAMPLES)
def test_reading_pages_of_the_sample_patients(clinician_for, patient):
    check(clinician_for(patient), "match", "why/LUNG", "plan/LUNG")


@pytest.mark.parametrize("resource_type", READ_TYPES)
def test_pages_after_a_failed_read(clinician, fake_ehr, resource_type):
    fake_ehr.fail("status-500", path=f"/?{resource_type}", times=None)
    check(clinician, "match", "why/LUNG", "plan/LUNG")


def test_pages_when_nothing_but_the_patient_can_be_read(clinician, fake_ehr):
    for resource_type in READ_TYPES:
        fake_ehr.fail("status-500", path=f"/?{resource_type}", times=None)
    check(clinician, "match", "why/LUNG", "plan/LUNG")
    text = visible_text(clinician.open("match").text)
    assert "missing" not in text
    assert "To obtain" not in text


@pytest.mark.parametrize("fault", ["no-allergies", "read-only"])
def test_pages_with_refused_scopes(clinician_for, fake_ehr, fault):
    fake_ehr.fail(fault)
    check(clinician_for("halloran"), "match", "why/LUNG", "plan/LUNG")


def test_plan_review_receipt_and_written_plan(clinician):
    draft_id = clinician.make_draft(ia_infusion_minutes="120")
    check(clinician, f"plan/LUNG?draft={draft_id}", f"review/{draft_id}")
    answer = clinician.accept(draft_id)
    check(clinician, answer.headers["Location"])


def test_a_regimen_from_its_refusal_to_its_receipt(clinician):
    refused = clinician.send("plan/LUNG", {"next": "plan", "regimen": "RG-LU2"})
    assert wrong_words(refused.text) == []
    draft_id = clinician.make_draft(regimen="RG-LU1", **TICKED)
    check(clinician, f"plan/LUNG?draft={draft_id}", f"review/{draft_id}")
    page = clinician.accept(draft_id, **{"earlier": "keep"})
    check(clinician, page.headers["Location"])


def test_an_override_from_its_form_to_its_receipt(clinician_for):
    clinician = clinician_for("duarte")
    reason = "Platelets are given on the day before."
    draft_id = clinician.make_draft(**{"override-reason": reason})
    check(clinician, f"review/{draft_id}")
    check(clinician, clinician.accept(draft_id).headers["Location"])


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<p>Rule: doubling time (vdt_reference_days)</p>", "the name of a parameter"),
        ("<p>Adult: met</p>", "a verdict that reads wrongly"),
        ("<p>see [R32]</p>", "a mark of a source"),
        ("<p>Condition/x leaves it open</p>", "a raw reference"),
        ("<p>on 2025-03-03</p>", "a date as machines write it"),
        ("<p>gate LUNG-G01</p>", "an id of the specification"),
    ],
)
def test_the_check_sees_what_it_is_for(text, what):
    [line] = wrong_words(text)
    assert line.startswith(what)


def test_grey_ids_are_let_be():
    assert wrong_words('<h2>Bleeding <span class="ref">X-BLEED</span></h2>') == []
