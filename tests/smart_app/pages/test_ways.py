"""An EHR that takes documents and no care plan: said before, and after."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
import requests
from pypdf import PdfReader

from ivfhir.servers.http import HttpRepository
from ivfhir.writing.document import contents_of
from smart_app.outbox_worker import send_due
from smart_app.pages.ways import way_note
from smart_app.visit.way import ENTRIES, Way
from tests.smart_app.conftest import running_samples
from tests.smart_app.pages.documents import documents_of
from tests.smart_app.pages.wording import wrong_words

SAID = "A plan goes into this EHR as a document only"
NOT_WRITTEN = "A plan cannot be written to this EHR"


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server with two sample patients, of this test's own."""
    with running_samples("halloran", "lindqvist") as base:
        yield base


@pytest.fixture
def ehr_options() -> dict[str, object]:
    """An EHR that lets apps create documents alone."""
    return {"documents_only": True}


def plans_of(repository, draft_id):
    query = {"identifier": f"https://ivfhir.example/fhir/plan|{draft_id}"}
    return repository.search("CarePlan", query)


def words_of(pdf):
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_it_is_said_from_the_list_of_protocols_on_that_the_plan_goes_in_as_a_document(clinician):
    draft_id = clinician.make_draft()
    for name in ("match", "why/LUNG", "plan/LUNG", f"review/{draft_id}"):
        page = clinician.open(name).text
        assert SAID in page
        assert "no care plan in the record" in page
        assert NOT_WRITTEN not in page
    assert "One document will be written" in page
    assert "Accept and write the document" in page
    assert "All entries go in together" not in page


def test_an_accepted_plan_is_one_document_that_says_who_accepted_it(clinician, repository):
    draft_id = clinician.make_draft()
    assert clinician.accept(draft_id).status_code == 303
    (document,) = documents_of(repository, draft_id)
    assert (document["status"], document["docStatus"]) == ("current", "final")
    attached = contents_of(document)
    words = words_of(attached["application/pdf"])
    for each in ("HALLORAN, Edmund", "Accepted by Dr Imogen Vance", "Evidence: very low"):
        assert each in words
    assert "Not signed" not in words
    bundle = json.loads(attached["application/fhir+json"])
    kinds = {each["resource"]["resourceType"] for each in bundle["entry"]}
    assert {"CarePlan", "RequestGroup", "ServiceRequest", "Goal", "Provenance"} <= kinds
    assert plans_of(repository, draft_id) == []
    receipt = clinician.open(f"receipt/{draft_id}").text
    for each in ("Written: 1 of 1 entries, read back and the same", "as one document", "Document"):
        assert each in receipt
    assert "transaction" not in receipt
    assert "Nothing is written" not in receipt
    clinician.accept(draft_id)
    assert len(documents_of(repository, draft_id)) == 1


@pytest.mark.parametrize("fault", ["drop-after", "drop-before", "status-503"])
def test_a_document_arrives_once_whatever_happens_to_the_answer(
    clinician, fake_ehr, app, clock, fault
):
    repository = HttpRepository(fake_ehr.settings.fhir_upstream, session=requests.Session())
    draft_id = clinician.make_draft()
    fake_ehr.fail(fault, method="POST", path="DocumentReference")
    assert clinician.accept(draft_id).status_code == 303
    if fault != "drop-after":
        assert "Not written" in clinician.open(f"receipt/{draft_id}").text
        clock.ahead += timedelta(minutes=5)
        assert send_due(app).delivered == 1
    assert len(documents_of(repository, draft_id)) == 1
    assert "Written: 1 of 1 entries" in clinician.open(f"receipt/{draft_id}").text


def test_a_document_that_the_ehr_marks_is_told_so_on_its_receipt(clinician, repository):
    draft_id = clinician.make_draft()
    clinician.accept(draft_id)
    (document,) = documents_of(repository, draft_id)
    repository.update(document | {"status": "superseded"})
    assert "Now superseded in the EHR" in clinician.open(f"receipt/{draft_id}").text


def test_without_what_draws_a_pdf_the_data_are_all_there_is(clinician_for, monkeypatch):
    monkeypatch.setattr("ivfhir.pdf._weasyprint", lambda: None)
    clinician = clinician_for("halloran")
    draft_id = clinician.make_draft()
    review = clinician.open(f"review/{draft_id}").text
    assert "install WeasyPrint and Pango" in review
    clinician.accept(draft_id)
    receipt = clinician.open(f"receipt/{draft_id}").text
    assert "Download the PDF" not in receipt
    assert "Download the data" in receipt
    assert clinician.open(f"receipt/{draft_id}/plan.pdf").status_code == 404
    assert clinician.open(f"receipt/{draft_id}/plan.json").status_code == 200


def test_the_words_are_plain(clinician):
    draft_id = clinician.make_draft()
    pages = [clinician.open(f"review/{draft_id}")]
    clinician.accept(draft_id)
    pages.append(clinician.open(f"receipt/{draft_id}"))
    for page in pages:
        assert wrong_words(page.text) == []


def test_of_a_plan_that_goes_in_as_entries_nothing_is_said():
    assert way_note(None) is way_note(Way(ENTRIES, ())) is None
