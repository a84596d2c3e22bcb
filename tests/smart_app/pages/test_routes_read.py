"""The pages that only read, as a clinician opens them."""

import re

import pytest
from flask import Flask

from ivfhir.errors import KnowledgeError
from ivfhir.knowledge.load import BrokenProtocol, load_protocol, load_protocols
from ivfhir.knowledge.planned import planned_protocols
from ivfhir.knowledge.route import BrokenRoute
from ivfhir.wording.words import UNITS
from tests.smart_app.conftest import running_samples
from tests.smart_app.pages.conftest import Clinician


@pytest.fixture(scope="module")
def fhir_server():
    """Base URL of a FHIR server of this file's own: some of its tests write."""
    with running_samples() as base:
        yield base


COUNT = UNITS["10*9/L"]


def test_match_shows_the_answer_the_patient_and_the_standing(clinician: Clinician):
    page = clinician.open("match").text
    assert "Eligible for 1 protocol: lung" in page
    for words in (
        "HALLORAN, Edmund",
        "14 May 1962",
        "Male",
        "RN-100417",
        "As of",
        "LUNG 0.2.0",
        "Evidence: very low",
        "Draft, not for clinical use",
        "Record read",
        "Standard care first.",
    ):
        assert words in page
    assert page.count("Not yet computable") == len(planned_protocols(load_protocols()))


def test_undecided_lists_what_to_obtain(clinician_for):
    page = clinician_for("lindqvist").open("match").text
    assert "Cannot tell yet for lung: 1 fact is missing" in page
    assert "<b>INR</b>: a blood result" in page


def test_where_the_protocol_does_not_apply_nothing_has_to_be_obtained(clinician_for):
    page = clinician_for("nowak").open("why/LUNG").text
    assert "Lung: does not apply" in page
    assert "See what to obtain" not in page
    assert "nothing has to be obtained" in page


def test_not_eligible_names_the_fact_that_blocks(clinician_for):
    clinician = clinician_for("duarte")
    assert f"Not eligible for lung: platelets 45 {COUNT}" in clinician.open("match").text
    page = clinician.open("why/LUNG").text
    assert f"Lung: not eligible, platelets 45 {COUNT}" in page
    assert f'class="culprit">45 {COUNT}' in page


def test_not_applicable_says_why(clinician_for):
    page = clinician_for("nowak").open("match").text
    assert "No protocol applies" in page
    assert "Active lung cancer: not fulfilled." in page


def test_the_dead_get_no_plan(clinician_for):
    clinician = clinician_for("ferris")
    page = clinician.open("match").text
    assert re.search(r"Recorded as died on \d+ \w+ \d{4}", page)
    assert "No plan can be made." in page
    assert "Make a plan" not in clinician.open("why/LUNG").text
    assert "Plan anyway" not in clinician.open("why/LUNG").text
    assert clinician.open("plan/LUNG").request.path.endswith("/why/LUNG")


def test_an_active_plan_of_the_protocol_is_shown(clinician_for):
    page = clinician_for("sato").open("match").text
    assert "An active plan of this protocol is already in the record" in page
    assert "CarePlan/sato-plan" in page


def test_every_fact_leads_to_its_resource(clinician: Clinician):
    page = clinician.open("why/LUNG").text
    assert f"Platelets</a> <b>220 {COUNT}</b>" in page
    href = re.search(r'href="([^"]+/record/Observation/halloran-platelets)"', page).group(1)
    record = clinician.open(href).text
    assert "halloran-platelets" in record
    assert "valueQuantity.value" in record
    assert "220" in record


def test_an_unread_type_is_told_and_counts_as_not_known(clinician: Clinician, fake_ehr):
    fake_ehr.fail("status-500", path="/?AllergyIntolerance", times=None)
    page = clinician.open("match").text
    assert "Part of the record could not be read" in page
    assert "The allergy list could not be read to its end: " in page
    assert "Nothing was judged from it." in page
    assert "AllergyIntolerance" not in page
    assert "Cannot tell yet for lung: the allergy list could not be read" in page
    assert "To obtain" not in page
    why = clinician.open("why/LUNG").text
    assert "Could not be read: nothing judged from it" in why
    assert why.count("Read the record again") >= 2
    assert "What to obtain" not in why


def test_a_scope_that_is_missing_is_told(clinician_for, fake_ehr):
    fake_ehr.fail("no-allergies")
    page = clinician_for("halloran").open("match").text
    assert "The allergy list was not read: the granted scopes lack it." in page
    assert "Cannot tell yet" in page


def test_what_cannot_be_written_is_said_at_once(clinician_for, fake_ehr):
    fake_ehr.fail("read-only")
    clinician = clinician_for("halloran")
    page = clinician.open("match").text
    assert "A plan cannot be written to this EHR" in page
    assert "does not let the app create" in page
    draft_id = clinician.make_draft()
    review = clinician.open(f"review/{draft_id}").text
    assert "Accept and write" not in review


def test_a_resource_that_is_not_there_has_a_page_of_its_own(clinician: Clinician):
    answer = clinician.open("record/Observation/none")
    assert answer.status_code == 404
    assert "Draft, not for clinical use" not in answer.text


@pytest.mark.parametrize("page", ["why/NONE", "plan/NONE"])
def test_an_unknown_protocol_is_no_page(clinician: Clinician, page):
    assert clinician.open(page).status_code == 404


def test_no_page_holds_script_or_style_or_an_outside_address(clinician_for):
    clinician = clinician_for("sato")
    draft_id = clinician.make_draft()
    for page in ("match", "why/LUNG", f"plan/LUNG?draft={draft_id}", f"review/{draft_id}"):
        text = clinician.open(page).text
        assert "<script" not in text
        assert not re.search(r"\sstyle=", text)
        # A citation may be opened in another window; nothing is fetched from outside by itself.
        text = re.sub(
            r'<a href="https://[^"]+" rel="noreferrer noopener" target="_blank">', "", text
        )
        assert not re.search(r'(?:src|href|action)="https?:', text)


def test_a_broken_route_is_told_where_the_route_stands(app: Flask, clinician: Clinician) -> None:
    app.extensions["ivfhir"].route = BrokenRoute(KnowledgeError("/secret/place is broken."))
    page = clinician.open("match").text
    assert "Route could not be checked." in page
    assert "Its rules could not be loaded, so the route is not told here" in page
    assert "Eligible for 1 protocol: lung" in page
    assert "secret" not in page


def test_a_broken_protocol_is_a_card_and_has_no_page_of_reasons(
    app: Flask, clinician: Clinician
) -> None:
    error = KnowledgeError("/secret/place/PlanDefinition-TINY.json has no library; add it.")
    broken = BrokenProtocol("TINY", "0.1.0", "A tiny protocol", error)
    app.extensions["ivfhir"].every_protocol = {"TINY": broken, "LUNG": load_protocol("LUNG")}
    page = clinician.open("match").text
    assert "A tiny protocol" in page
    assert "Its rules could not be loaded" in page
    assert "Eligible for 1 protocol: lung" in page
    assert "secret" not in page
    assert clinician.open("why/TINY").status_code == 404
    assert "LUNG 0.2.0" in page
