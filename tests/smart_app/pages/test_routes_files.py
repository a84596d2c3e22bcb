"""An EHR that takes nothing of a plan: the files for whoever accepted it, and for nobody else."""

import io
import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pypdf import PdfReader

from smart_app.outbox_worker import send_due
from smart_app.visit.way import FILES
from tests.smart_app.conftest import new_client, running_samples
from tests.smart_app.pages.documents import documents_of
from tests.smart_app.pages.wording import wrong_words

NOT_WRITTEN = "A plan cannot be written to this EHR"


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server with two sample patients, of this test's own."""
    with running_samples("halloran", "lindqvist") as base:
        yield base


def plans_of(repository, draft_id):
    query = {"identifier": f"https://ivfhir.example/fhir/plan|{draft_id}"}
    return repository.search("CarePlan", query)


def words_of(pdf):
    pages = PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def read_only(clinician_for, fake_ehr):
    fake_ehr.fail("read-only")
    return clinician_for("halloran")


def test_an_ehr_that_takes_nothing_gets_nothing_and_the_clinician_the_files(
    clinician_for, fake_ehr, repository, app
):
    clinician = read_only(clinician_for, fake_ehr)
    draft_id = clinician.make_draft()
    review = clinician.open(f"review/{draft_id}").text
    assert NOT_WRITTEN in review
    assert "Nothing will be written" in review
    assert "Accept and get the files" in review
    assert clinician.open(f"receipt/{draft_id}/plan.pdf").status_code == 404  # Not accepted yet.
    assert clinician.accept(draft_id).status_code == 303
    receipt = clinician.open(f"receipt/{draft_id}").text
    assert "Accepted, and not written: download the plan" in receipt
    assert "read back" not in receipt
    assert wrong_words(receipt) == wrong_words(review) == []
    pdf = clinician.open(f"receipt/{draft_id}/plan.pdf")
    assert pdf.mimetype == "application/pdf"
    assert pdf.headers["Cache-Control"] == "no-store"
    assert pdf.headers["Content-Disposition"] == 'attachment; filename="LUNG-plan.pdf"'
    assert "Accepted by Dr Imogen Vance" in words_of(pdf.data)
    data = clinician.open(f"receipt/{draft_id}/plan.json")
    assert json.loads(data.data)["entry"][0]["resource"]["status"] == "active"
    assert documents_of(repository, draft_id) == plans_of(repository, draft_id) == []
    assert send_due(app).delivered == 0
    assert clinician.open(f"receipt/{draft_id}/plan.txt").status_code == 404


def test_beside_files_the_earlier_plan_is_said_to_stay_and_not_two_to_be_active(
    clinician_for, fake_ehr
):
    first = clinician_for("halloran")
    first.accept(first.make_draft())
    other = read_only(clinician_for, fake_ehr)
    review = other.open(f"review/{other.make_draft()}").text
    assert "The earlier plan stays as it is</label>" in review
    assert "Keep both active" not in review


def test_files_are_for_the_launch_that_accepted_the_plan(clinician_for, fake_ehr, launch_for, app):
    clinician = read_only(clinician_for, fake_ehr)
    draft_id = clinician.make_draft()
    clinician.accept(draft_id)
    path = clinician.launched.url(f"receipt/{draft_id}/plan.pdf")
    stranger = new_client(app)
    other = launch_for(stranger, "lindqvist")
    assert stranger.get(path).status_code in (302, 303, 401, 403)
    assert stranger.get(other.url(f"receipt/{draft_id}/plan.pdf")).status_code == 403


def test_a_written_plan_has_no_files(clinician):
    draft_id = clinician.make_draft()
    clinician.accept(draft_id)
    assert clinician.open(f"receipt/{draft_id}/plan.pdf").status_code == 404
    assert "download" not in clinician.open(f"receipt/{draft_id}").text.lower()


def test_another_way_than_the_one_that_was_shown_is_told_before_anything_is_accepted(
    clinician, repository
):
    draft_id = clinician.make_draft()
    answer = clinician.accept(draft_id, way=FILES)
    assert answer.status_code == 409
    assert "How the plan goes to the EHR" in answer.text
    assert plans_of(repository, draft_id) == []


def test_an_accepted_plan_whose_app_was_killed_becomes_files_all_the_same(
    clinician_for, fake_ehr, app, monkeypatch, clock
):
    clinician = read_only(clinician_for, fake_ehr)
    draft_id = clinician.make_draft()
    store = app.extensions["ivfhir"].store

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store, "save_receipt", killed)
        with pytest.raises(KeyboardInterrupt):
            clinician.accept(draft_id)
    clock.ahead += timedelta(minutes=5)
    send_due(app)
    assert "download the plan" in clinician.open(f"receipt/{draft_id}").text
