"""Every word of the pages that only read, in every state that we know of."""

import re
from collections.abc import Iterator

import pytest
import requests

from ivfhir.servers.http import HttpRepository
from smart_app.fake_ehr.sample_patients import LOAD_TIMEOUT_S, SUMMARIES
from tests.smart_app.pages.conftest import Clinician
from tests.smart_app.pages.twisted_patients import TWISTS, load_twisted
from tests.smart_app.pages.wording import visible_text, wrong_words

TYPES = ("Condition", "Observation", "AllergyIntolerance")


@pytest.fixture(scope="module")
def twisted(fhir_server: str) -> Iterator[None]:
    """The twisted patients, in the server that all tests share; they are taken out again."""
    session = requests.Session()
    repository = HttpRepository(fhir_server, session=session, read_timeout_s=LOAD_TIMEOUT_S)
    load_twisted(repository)
    yield
    for name in TWISTS:
        for resource_type in TYPES:
            for each in repository.search(resource_type, {"patient": name}):
                session.delete(f"{fhir_server}/{resource_type}/{each['id']}", timeout=30)
        session.delete(f"{fhir_server}/Patient/{name}", timeout=30)


def read_all(clinician: Clinician) -> dict[str, str]:
    """Open the pages that only read, and every entry of the record that they lead to."""
    pages = {name: clinician.open(name).text for name in ("match", "why/LUNG")}
    entries = sorted({href for page in pages.values() for href in re.findall(_ENTRY, page)})
    return {**pages, **{href: clinician.open(href).text for href in entries[:12]}}


_ENTRY = re.compile(r'href="([^"]+/record/[^"]+)"')


def assert_plain(clinician: Clinician) -> dict[str, str]:
    """Assert that no page holds what a clinician should not have to read; return their text."""
    pages = read_all(clinician)
    found = sorted({line for page in pages.values() for line in wrong_words(page)})
    assert found == []
    return {name: visible_text(page) for name, page in pages.items()}


@pytest.mark.parametrize("patient", SUMMARIES)
def test_a_sample_patient(clinician_for, patient):
    assert_plain(clinician_for(patient))


@pytest.mark.parametrize("family", ["Franecki", "Skiles"])
def test_a_published_patient(clinician_for, repository, family):
    (patient,) = repository.search("Patient", {"family": family})
    pages = assert_plain(clinician_for(patient["id"]))
    assert "lung" in pages["match"].lower()


@pytest.mark.parametrize("twist", TWISTS)
def test_a_twisted_record(clinician_for, twisted, twist):
    assert_plain(clinician_for(twist))


@pytest.mark.parametrize("fault", ["status-500", "status-403", "outcome", "html", "drop-before"])
@pytest.mark.parametrize("unread", ["Condition", "Observation", "AllergyIntolerance"])
def test_a_type_that_is_not_read(clinician, fake_ehr, unread, fault):
    fake_ehr.fail(fault, path=f"/?{unread}", times=None)
    pages = assert_plain(clinician)
    for name in ("match", "why/LUNG"):
        assert "Nothing was judged from it." in pages[name]
        assert not re.search(r"facts? (?:is|are) missing", pages[name])


@pytest.mark.parametrize("patient", ["halloran", "lindqvist", "duarte"])
@pytest.mark.parametrize("both", [("Condition", "Observation"), ("Condition", "Allergy")])
def test_two_types_that_are_not_read(clinician_for, fake_ehr, patient, both):
    for each in both:
        fake_ehr.fail("status-503", path=f"/?{each}", times=None)
    assert_plain(clinician_for(patient))


@pytest.mark.parametrize("refusal", ["no-allergies", "read-only", "no-update"])
def test_a_refused_scope(clinician_for, fake_ehr, refusal):
    fake_ehr.fail(refusal)
    assert_plain(clinician_for("halloran"))


def test_an_entry_that_leaves_it_open_is_named_and_leads_to_its_page(clinician_for, twisted):
    page = clinician_for("provisional").open("why/LUNG").text
    link = re.search(
        r'<a href="[^"]+/record/Condition/provisional-odd">“Lung mass” of \d+ \w+ \d{4}</a>', page
    )
    assert link
    assert "What is recorded leaves it open: settle the entries named here" in page
    assert "What to obtain" not in page
    match = clinician_for("provisional").open("match").text
    assert (
        '/record/Condition/provisional-odd">“Lung mass” of'
        in match.partition("Entries to look at")[2]
    )
    assert "See what is left open" in match
    assert "To obtain" not in match
    concerned = visible_text(match).partition("The other protocols")[0]
    assert "missing" not in concerned, concerned[-900:]


def test_what_is_missing_beside_an_open_entry_is_asked_for_and_the_entry_named(
    clinician_for, twisted
):
    clinician = clinician_for("bleeder-no-inr")
    for name in ("match", "why/LUNG"):
        page = clinician.open(name).text
        assert "<b>INR</b>: a blood result" in page
        assert '/record/Condition/bleeder-no-inr-odd">“Haemophilia A”' in page


def test_a_result_that_cannot_be_used_is_named_where_its_fact_is_missing(clinician_for, twisted):
    page = clinician_for("unit-unknown").open("why/LUNG").text
    assert "Lung: cannot tell, platelets are missing" in page
    assert "its unit is missing or cannot be converted" in page
    assert "Look in the EHR at the entries named here as well" in page


def test_a_need_is_one_line(clinician_for, twisted):
    kidney = visible_text(clinician_for("no-kidney").open("match").text)
    assert "Cannot tell yet for lung: 1 fact is missing" in kidney
    assert "Creatinine or eGFR : a blood result" in kidney
    count = visible_text(clinician_for("no-blood-count").open("match").text)
    assert "Cannot tell yet for lung: 1 fact is missing" in count
    assert "Blood count : with platelets and neutrophils" in count


def test_an_entry_that_leaves_several_conditions_open_is_one_line(clinician_for, twisted):
    page = clinician_for("in-words").open("match").text
    assert page.count('/record/Condition/in-words-odd"') == page.count('class="protocol box')


def test_many_entries_that_leave_it_open_are_counted(clinician_for, twisted):
    text = visible_text(clinician_for("many-open").open("match").text)
    assert text.count("leaves open whether there is a bleeding disorder") == 6
    assert "3 more entries: see the reasons" in text
    text = visible_text(clinician_for("many-in-words").open("match").text)
    assert text.count("9 entries of the problem list have no code that can be looked up") == 6


def test_conditions_that_the_record_leaves_open_are_counted_and_named(clinician_for, twisted):
    clinician = clinician_for("disagreeing")
    match = visible_text(clinician.open("match").text)
    assert "Cannot tell yet for lung: 2 conditions are not settled" in match
    why = visible_text(clinician.open("why/LUNG").text)
    assert "the record leaves severe bleeding tendency and marrow reserve" in why


def test_a_long_record_reads_like_a_short_one(clinician_for, twisted):
    page = visible_text(clinician_for("long").open("match").text)
    assert "Eligible for 1 protocol: lung" in page


def test_an_empty_problem_list_hides_no_block(clinician_for, twisted):
    clinician = clinician_for("no-problems-and-low")
    assert "Not eligible for 6 protocols: " in clinician.open("match").text
    empty = clinician_for("no-problems").open("match").text
    assert "The problem list is empty: no protocol can be judged" in empty


def test_a_death_without_a_date_is_neutral(clinician_for, twisted):
    clinician = clinician_for("dead-undated")
    for name in ("match", "why/LUNG"):
        page = clinician.open(name).text
        assert "ecorded as died, date not recorded" in page
        body = page.partition("<main")[2]
        assert "s-eligible" not in body
        assert "s-stop" not in body
        assert "obtain</h" not in body
