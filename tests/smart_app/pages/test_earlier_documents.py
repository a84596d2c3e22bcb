"""An EHR that takes documents alone: what becomes of the document of an earlier plan."""

import re
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask

from ivfhir.outbox.failing import After
from ivfhir.outbox.line import PARKED
from ivfhir.servers.http import HttpRepository
from smart_app.outbox_worker import send_due
from smart_app.pages.replacing import after_documents
from smart_app.store import Store
from smart_app.visit.documents import end_with
from smart_app.visit.draft import DraftContent
from tests.smart_app.conftest import Clock, RunningEhr, running_samples
from tests.smart_app.pages.conftest import Clinician, csrf_token, when_accepted
from tests.smart_app.pages.documents import documents_of
from tests.smart_app.pages.wording import visible_text, wrong_words

THERE = "A document of another plan of this protocol is already in the record"
ENDED = "Ended, since this document takes its place"
NOT_ENDED = "Not seen to have ended"
DOCUMENTS = "/?DocumentReference"


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server of this test's own."""
    with running_samples("halloran", "lindqvist") as base:
        yield base


@pytest.fixture
def ehr_options() -> dict[str, object]:
    """An EHR that lets apps create documents alone."""
    return {"documents_only": True}


@pytest.fixture
def store(app: Flask) -> Store:
    """The app's database."""
    kept: Store = app.extensions["ivfhir"].store
    return kept


def document_of(repository: HttpRepository, draft_id: str) -> dict[str, Any]:
    (document,) = documents_of(repository, draft_id)
    return document


def statuses(repository: HttpRepository, *draft_ids: str) -> list[str]:
    return [document_of(repository, each)["status"] for each in draft_ids]


def replaced_by(document: dict[str, Any]) -> list[str]:
    """Return the ids of the documents that one says it replaces."""
    assert {each["code"] for each in document.get("relatesTo", ())} <= {"replaces"}
    targets = [each["target"]["reference"] for each in document.get("relatesTo", ())]
    return [each.rpartition("/")[2] for each in targets]


def receipt_of(clinician: Clinician, draft_id: str) -> str:
    page = clinician.open(f"receipt/{draft_id}").text
    assert wrong_words(page) == []
    return visible_text(page)


def first_plan(clinician: Clinician) -> str:
    draft_id = clinician.make_draft()
    assert clinician.accept(draft_id).status_code == 303
    return draft_id


def accept_unheard(clinician: Clinician, fake_ehr: RunningEhr, store: Store) -> str:
    """Accept a plan whose document arrives; nobody hears so, and the EHR shows it to nobody."""
    draft_id = clinician.make_draft()

    def away() -> None:
        fake_ehr.fail("drop-after", method="POST")
        fake_ehr.fail("status-503", method="GET", path=DOCUMENTS, skip=2, times=None)

    with pytest.MonkeyPatch.context() as patched:
        when_accepted(store, away, patched)
        clinician.accept(draft_id)
    return draft_id


def test_every_page_before_the_review_names_the_documents_that_are_there(
    clinician: Clinician, repository: HttpRepository
) -> None:
    pages = {"match": "a plan of these protocols", "why/LUNG": "a plan of this protocol"}
    for page in pages:
        assert "A document of" not in visible_text(clinician.open(page).text)
    first = first_plan(clinician)
    second = clinician.make_draft()
    pages |= {f"plan/LUNG?draft={second}": "a plan of this protocol"}
    for page, of in pages.items():
        text = clinician.open(page).text
        assert f"A document of {of} is already in the record" in visible_text(text), page
        assert f"DocumentReference/{document_of(repository, first)['id']}" in text, page
        assert wrong_words(text) == []
    clinician.accept(second, earlier="keep")
    assert "2 documents of plans of these protocols are" in visible_text(
        clinician.open("match").text
    )
    assert "A document of" not in visible_text(clinician.open("why/LIVER").text)


def test_the_pages_say_when_documents_could_not_be_looked_for(
    clinician: Clinician, fake_ehr: RunningEhr
) -> None:
    first_plan(clinician)
    fake_ehr.fail("status-500", method="GET", path=f"{DOCUMENTS}$")
    for page in ("match?read=again", "why/LUNG"):
        text = clinician.open(page).text
        said = visible_text(text)
        assert "Whether a document of a plan is already in the record is not known." in said
        assert "Read the record again before a plan is made." in said
        assert "A document of" not in said
        assert wrong_words(text) == []
    assert "A document of a plan" in visible_text(clinician.open("match?read=again").text)


def test_the_document_of_an_earlier_plan_ends_when_the_clinician_replaces_it(
    clinician: Clinician, repository: HttpRepository
) -> None:
    first = first_plan(clinician)
    second = clinician.make_draft()
    review = clinician.open(f"review/{second}").text
    assert THERE in review
    assert "Replace it: this document takes its place" in review
    assert "Keep both current" in review
    assert "stays current unless you choose below to replace it" in review
    assert "No current document" not in review
    assert wrong_words(review) == []
    assert clinician.accept(second, earlier="replace").status_code == 303
    assert statuses(repository, first, second) == ["superseded", "current"]
    old, new = (document_of(repository, each) for each in (first, second))
    assert replaced_by(new) == [old["id"]]
    receipt = receipt_of(clinician, second)
    assert ENDED in receipt
    assert NOT_ENDED not in receipt
    assert "Written: 1 of 1 entries, read back and the same" in receipt
    assert "Now superseded in the EHR" in receipt_of(clinician, first)


def test_nothing_is_written_before_it_is_chosen_what_becomes_of_it(
    clinician: Clinician, repository: HttpRepository
) -> None:
    first = first_plan(clinician)
    second = clinician.make_draft()
    answer = clinician.accept(second)
    assert answer.status_code == 422
    assert "Choose what becomes of the document that is already there." in answer.text
    assert documents_of(repository, second) == []
    assert statuses(repository, first) == ["current"]


def test_at_the_clinicians_wish_both_stay_current_and_the_receipt_says_so(
    clinician: Clinician, repository: HttpRepository
) -> None:
    first = first_plan(clinician)
    second = clinician.make_draft()
    assert clinician.accept(second, earlier="keep").status_code == 303
    assert statuses(repository, first, second) == ["current", "current"]
    assert replaced_by(document_of(repository, second)) == []
    receipt = receipt_of(clinician, second)
    assert "you chose to keep it current beside this one" in receipt
    assert ENDED not in receipt


def test_without_the_scope_it_stays_which_review_and_receipt_say(
    clinician_for: Any,
    fake_ehr: RunningEhr,
    repository: HttpRepository,
) -> None:
    fake_ehr.fail("no-update")
    clinician = clinician_for("halloran")
    first = first_plan(clinician)
    second = clinician.make_draft()
    review = clinician.open(f"review/{second}").text
    assert "does not let the app change documents" in review
    assert "The other document stays current</label>" in review
    assert "takes its place" not in review
    assert clinician.accept(second, earlier="replace").status_code == 422
    assert clinician.accept(second, earlier="keep").status_code == 303
    assert statuses(repository, first, second) == ["current", "current"]
    receipt = receipt_of(clinician, second)
    assert "the EHR does not let the app change documents; it stayed current beside this" in receipt
    assert "you chose" not in receipt


@pytest.mark.parametrize("may", [True, False])
def test_what_becomes_of_the_document_of_an_earlier_try_is_said_as_it_will_be(
    clinician_for: Any, fake_ehr: RunningEhr, monkeypatch: pytest.MonkeyPatch, may: bool
) -> None:
    if not may:
        fake_ehr.fail("no-update")
    clinician = clinician_for("halloran")
    first_plan(clinician)
    second = clinician.make_draft()
    monkeypatch.setattr(DraftContent, "documents_but", lambda *_: ())  # As if it were its own.
    review = visible_text(clinician.open(f"review/{second}").text)
    assert ("left is ended: this one takes its place" in review) is may
    assert ("left stays current: the EHR does not let the app change" in review) is not may
    assert wrong_words(review) == []


@pytest.mark.parametrize("fault", ["status-403", "status-409", "status-500", "drop-before"])
def test_what_the_ehr_does_not_end_is_told_and_takes_the_new_plan_not_away(
    clinician: Clinician, upstream: HttpRepository, fake_ehr: RunningEhr, fault: str
) -> None:
    first = first_plan(clinician)
    second = clinician.make_draft()
    fake_ehr.fail(fault, method="PUT", path=DOCUMENTS)
    assert clinician.accept(second, earlier="replace").status_code == 303
    assert statuses(upstream, first, second) == ["current", "current"]
    receipt = receipt_of(clinician, second)
    assert "Written: 1 of 1 entries" in receipt
    assert NOT_ENDED in receipt
    assert ENDED not in receipt
    assert "mark there as superseded what is still current" in receipt
    why = {"status-403": "the EHR refused to change it"}
    assert why.get(fault, "the EHR failed or did not answer") in receipt


def test_an_end_whose_answer_was_lost_is_found_out(
    clinician: Clinician, upstream: HttpRepository, fake_ehr: RunningEhr
) -> None:
    first = first_plan(clinician)
    second = clinician.make_draft()
    fake_ehr.fail("drop-after", method="PUT", path=DOCUMENTS)
    clinician.accept(second, earlier="replace")
    assert statuses(upstream, first, second) == ["superseded", "current"]
    receipt = receipt_of(clinician, second)
    assert ENDED in receipt
    assert NOT_ENDED not in receipt


def test_an_earlier_document_that_cannot_be_read_is_not_taken_for_ended(
    clinician: Clinician, upstream: HttpRepository, fake_ehr: RunningEhr
) -> None:
    first = first_plan(clinician)
    second = clinician.make_draft()
    old = document_of(upstream, first)["id"]
    fake_ehr.fail("status-500", method="GET", path=f"{DOCUMENTS}/{old}", times=None)
    clinician.accept(second, earlier="replace")
    assert statuses(upstream, first, second) == ["current", "current"]
    receipt = receipt_of(clinician, second)
    assert "it could not be read, so whether it ended is not known" in receipt
    assert ENDED not in receipt


def test_what_somebody_changes_after_the_acceptance_stays(
    clinician: Clinician,
    upstream: HttpRepository,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = first_plan(clinician)
    second = clinician.make_draft()

    def change() -> None:
        upstream.update(document_of(upstream, first) | {"description": "Kept for the board"})

    when_accepted(store, change, monkeypatch)
    clinician.accept(second, earlier="replace")
    assert statuses(upstream, first, second) == ["current", "current"]
    assert "it was changed since it was shown to you" in receipt_of(clinician, second)


def test_what_changes_before_the_acceptance_is_shown_first(
    clinician: Clinician, upstream: HttpRepository
) -> None:
    first = first_plan(clinician)
    second = clinician.make_draft()
    upstream.update(document_of(upstream, first) | {"description": "Kept for the board"})
    answer = clinician.accept(second, earlier="replace")
    assert answer.status_code == 409
    assert "Current documents of plans of this protocol" in answer.text
    assert wrong_words(answer.text) == []
    assert documents_of(upstream, second) == []
    assert "Kept for the board" in clinician.open(f"review/{second}").text
    assert clinician.accept(second, earlier="replace").status_code == 303
    assert statuses(upstream, first, second) == ["superseded", "current"]


def test_that_earlier_documents_could_not_be_looked_for_is_said_before_and_after(
    clinician: Clinician, upstream: HttpRepository, fake_ehr: RunningEhr
) -> None:
    first = first_plan(clinician)
    fake_ehr.fail("status-500", method="GET", path=f"{DOCUMENTS}$")
    second = clinician.make_draft()
    review = clinician.open(f"review/{second}").text
    assert "Whether a document of another plan of this protocol is there is not known" in review
    assert "No current document" not in review
    assert wrong_words(review) == []
    fake_ehr.fail("status-500", method="GET", path=f"{DOCUMENTS}$")
    assert clinician.accept(second).status_code == 303
    assert statuses(upstream, first, second) == ["current", "current"]
    receipt = receipt_of(clinician, second)
    assert "could not be looked up. If there was one, it was left as it was" in receipt
    assert ENDED not in receipt


def test_documents_that_are_seen_after_all_stop_the_acceptance(
    clinician: Clinician, upstream: HttpRepository, fake_ehr: RunningEhr
) -> None:
    first_plan(clinician)
    fake_ehr.fail("status-500", method="GET", path=f"{DOCUMENTS}$")
    second = clinician.make_draft()
    assert clinician.accept(second).status_code == 409
    assert documents_of(upstream, second) == []
    assert THERE in clinician.open(f"review/{second}").text


def test_who_is_killed_before_the_end_leaves_it_to_the_next_try(
    clinician: Clinician,
    upstream: HttpRepository,
    app: Flask,
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first = first_plan(clinician)
    second = clinician.make_draft()

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("smart_app.visit.settling.end_with", killed)
        with pytest.raises(KeyboardInterrupt):
            clinician.accept(second, earlier="replace")
    assert statuses(upstream, first, second) == ["current", "current"]
    clock.ahead += timedelta(minutes=5)
    assert send_due(app).delivered == 1
    assert statuses(upstream, first, second) == ["superseded", "current"]
    assert ENDED in receipt_of(clinician, second)


def test_what_an_earlier_try_left_of_the_same_plan_ends_whatever_was_chosen(
    clinician: Clinician,
    upstream: HttpRepository,
    fake_ehr: RunningEhr,
    store: Store,
    clock: Clock,
) -> None:
    """A plan that is accepted again is another document: its acceptance is of another moment."""
    draft_id = accept_unheard(clinician, fake_ehr, store)
    fake_ehr.faults.clear()
    assert len(documents_of(upstream, draft_id)) == 1
    waiting = store.waiting_of(draft_id)
    assert waiting is not None
    assert waiting.known == "unclear"
    assert store.put_off_unclaimed(draft_id, After(PARKED, 0, 8), waiting.said)
    clock.ahead += timedelta(seconds=5)
    with pytest.MonkeyPatch.context() as patched:  # As if it came between two looks.
        patched.setattr("smart_app.visit.accepting.find_sent", lambda *_: False)
        answer = clinician.accept(draft_id)
    assert answer.status_code == 303, visible_text(answer.text)
    found = documents_of(upstream, draft_id)
    assert sorted(each["status"] for each in found) == ["current", "superseded"]
    receipt = receipt_of(clinician, draft_id)
    assert f"{ENDED}: from an earlier try to write this plan" in receipt


def test_a_document_that_is_there_after_all_is_not_written_again(
    clinician: Clinician, upstream: HttpRepository, fake_ehr: RunningEhr, store: Store
) -> None:
    draft_id = accept_unheard(clinician, fake_ehr, store)
    waiting = store.waiting_of(draft_id)
    assert waiting is not None
    assert store.put_off_unclaimed(draft_id, After(PARKED, 0, 8), waiting.said)
    review = clinician.open(f"review/{draft_id}")
    fake_ehr.faults.clear()
    (version,) = re.findall(r'name="version" value="(\d+)"', review.text)
    given = {"confirm": "yes", "version": version}
    assert clinician.send(f"review/{draft_id}", given, token=csrf_token(review)).status_code == 303
    assert "Written: 1 of 1 entries" in receipt_of(clinician, draft_id)
    assert [each["status"] for each in documents_of(upstream, draft_id)] == ["current"]


def test_only_current_documents_of_accepted_plans_of_the_protocol_count(
    clinician: Clinician, upstream: HttpRepository
) -> None:
    first = first_plan(clinician)
    document = document_of(upstream, first)
    related = [{"identifier": {"system": "urn:ietf:rfc:3986", "value": "https://x.example/P|1"}}]
    for changed in (
        {"docStatus": "preliminary"},
        {"status": "superseded"},
        {"status": "entered-in-error"},
        {"subject": {"reference": "Patient/lindqvist"}},
        {"context": {**document["context"], "related": related}},
        {"identifier": [each for each in document["identifier"] if "value" not in each]},
    ):
        upstream.update(document | changed)
        clinician.open("match?read=again")
        review = clinician.open(f"review/{clinician.make_draft()}").text
        assert THERE not in review, changed
        assert "No current document of another plan of this protocol was found" in review


def test_a_document_that_is_found_again_as_the_plan_itself_does_not_end(
    clinician: Clinician, repository: HttpRepository, app: Flask
) -> None:
    draft_id = first_plan(clinician)
    written = f"DocumentReference/{document_of(repository, draft_id)['id']}"
    launch_id = clinician.launched.launch_id
    kept = app.extensions["ivfhir"].store.load_receipt(launch_id, draft_id).body
    row = {"reference": written, "version": "1", "title": "x", "date": "", "plan": draft_id}
    documents = {**kept["documents"], "ended": [row]}
    assert end_with(SimpleNamespace(), {**kept, "documents": documents}) == []
    assert after_documents(documents, [], draft_id=draft_id) is None
    assert statuses(repository, draft_id) == ["current"]
