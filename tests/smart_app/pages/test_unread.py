"""What could not be read and what the EHR refuses: told apart, each with what helps."""

import pytest

from ivfhir.wording import words
from tests.smart_app.conftest import running_samples
from tests.smart_app.pages.wording import visible_text


@pytest.fixture(scope="module")
def fhir_server():
    """Base URL of a FHIR server of this file's own: some of its tests write."""
    with running_samples("halloran", "duarte") as base:
        yield base


PAGES = ("match", "why/LUNG", "plan/LUNG")
TYPES = ("Condition", "Observation", "AllergyIntolerance", "Procedure", "ServiceRequest")


def shown(clinician, page):
    return visible_text(clinician.open(page).text)


@pytest.mark.parametrize("fault", ["no-allergies", "status-403"])
def test_reading_again_is_not_offered_for_what_the_ehr_refuses(clinician_for, fake_ehr, fault):
    """A scope that was not granted, and a search that the server forbids, are both refusals."""
    path = {} if fault == "no-allergies" else {"path": "/?AllergyIntolerance"}
    fake_ehr.fail(fault, **path, times=None)
    clinician = clinician_for("halloran")
    for page in PAGES:
        text = shown(clinician, page)
        assert "the EHR does not let the app read the allergy list" in text, page
        assert "the allergy list could not be read" not in text, page
        assert "Read the record again" not in text, page
    for page in ("match", "why/LUNG"):
        text = shown(clinician, page)
        assert "Reading again does not help for the allergy list: open the app again" in text
        assert "look it up in the EHR before anything is obtained" in text


def test_reading_again_is_offered_for_what_failed(clinician, fake_ehr):
    fake_ehr.fail("status-500", path="/?AllergyIntolerance", times=None)
    for page in ("match", "why/LUNG"):
        text = shown(clinician, page)
        assert "the allergy list could not be read" in text
        assert "Read the record again before anything is obtained or repeated." in text
        assert "does not let the app read" not in text


def test_what_failed_and_what_is_refused_are_told_apart_on_one_page(clinician_for, fake_ehr):
    fake_ehr.fail("no-allergies")
    fake_ehr.fail("status-500", path="/?Observation", times=None)
    text = shown(clinician_for("halloran"), "why/LUNG")
    assert (
        "results and measurements could not be read "
        "and the EHR does not let the app read the allergy list" in text
    )
    assert "Read results and measurements again before anything is obtained or repeated." in text
    assert "Reading again does not help for the allergy list" in text


def test_a_refused_part_stays_told_apart_in_an_override(clinician_for, fake_ehr):
    fake_ehr.fail("no-allergies")
    clinician = clinician_for("halloran")
    reason = {"override-reason": "The allergy list was looked at in the EHR itself."}
    text = shown(clinician, f"review/{clinician.make_draft(**reason)}")
    assert "cannot tell, the EHR does not let the app read the allergy list" in text


def test_where_no_search_works_the_page_says_what_was_not_read(clinician, fake_ehr):
    for resource_type in (*TYPES, "CarePlan"):
        fake_ehr.fail("status-500", path=rf"/?{resource_type}(\?|$|/_search)", times=None)
    answer = clinician.open("match")
    text = visible_text(answer.text)
    assert answer.status_code == 200
    assert "HALLORAN, Edmund" in text
    assert "Part of the record could not be read" in text
    for part in ("The problem list", "Results and measurements", "The allergy list"):
        assert f"{part} could not be read" in text
    assert "Cannot tell yet for 6 protocols (liver, " in text
    assert "To obtain" not in text
    assert "missing" not in text


def test_an_unreadable_patient_is_an_error_page(clinician, fake_ehr):
    fake_ehr.fail("status-500", path="/?Patient/", times=None)
    answer = clinician.open("match")
    assert answer.status_code == 502
    assert "the server failed (500)" in visible_text(answer.text)


def test_a_draft_is_not_said_to_have_lost_facts_that_only_could_not_be_read(clinician, fake_ehr):
    draft_id = clinician.make_draft()
    version_page = clinician.open(f"review/{draft_id}")
    assert "Accept and write" in version_page.text
    fake_ehr.fail("status-500", path="/?Observation", times=None)
    text = visible_text(clinician.accept(draft_id).text)
    assert "The record changed or could not be read whole" in text, text
    assert "could not be read" in text.partition("What is different")[2]
    assert "not in the record" not in text


@pytest.mark.parametrize(
    ("failed", "refused", "said"),
    [
        ([], [], ""),
        (["the allergy list"], [], "the allergy list could not be read"),
        ([], ["orders"], "the EHR does not let the app read orders"),
    ],
)
def test_words_of_what_was_not_read(failed, refused, said):
    assert words.not_read(failed, refused) == said


def test_what_could_not_be_read_to_its_end_agrees_in_number():
    results = words.unread_reason("Observation could not be read to its end: it failed.")
    assert results == "Results and measurements could not be read to their end: it failed."
    problems = words.unread_reason("Condition could not be read to its end: it failed.")
    assert problems == "The problem list could not be read to its end: it failed."
