"""The page of an entry that cannot be shown: what is so, in words, and only what can help."""

import pytest

from tests.smart_app.pages.wording import visible_text, wrong_words

PLATELETS = "record/Observation/halloran-platelets"


def test_an_entry_of_a_type_that_was_not_granted_is_refused_in_words(clinician_for, fake_ehr):
    fake_ehr.fail("no-allergies")
    answer = clinician_for("halloran").open("record/AllergyIntolerance/halloran-no-known-allergy")
    text = visible_text(answer.text)
    assert answer.status_code == 403
    assert "The EHR does not let the app read the allergy list." in text
    assert "Try again" not in text
    assert text.count("Back to the protocols") == 1
    assert wrong_words(answer.text) == []


def test_an_entry_that_the_server_forbids_is_refused_in_words(clinician, fake_ehr):
    clinician.open("match")
    fake_ehr.fail("status-403", path="/?Observation/", times=None)
    answer = clinician.open(PLATELETS)
    text = visible_text(answer.text)
    assert answer.status_code == 403
    assert "The EHR does not let the app read results and measurements." in text
    assert "Look the entry up in the EHR itself" in text
    assert "Try again" not in text
    assert wrong_words(answer.text) == []


@pytest.mark.parametrize("entry", ["Observation/none", "Basic/none", "Patient/duarte"])
def test_an_entry_that_is_not_there_is_no_fault_of_the_ehr(clinician, entry):
    answer = clinician.open(f"record/{entry}")
    text = visible_text(answer.text)
    assert answer.status_code in (403, 404)
    assert "Try again" not in text
    assert "The EHR could not do this" not in text
    assert wrong_words(answer.text) == []


@pytest.mark.parametrize("fault", ["status-500", "html", "outcome", "drop-before"])
def test_an_entry_that_failed_can_be_tried_again(clinician, fake_ehr, fault):
    clinician.open("match")
    fake_ehr.fail(fault, path="/?Observation/", times=None)
    answer = clinician.open(PLATELETS)
    assert "Try again" in answer.text
    assert wrong_words(answer.text) == []
