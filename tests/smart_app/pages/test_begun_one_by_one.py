"""An EHR without transactions broke off in the middle of a plan: what it has then is no other plan.

The EHR of these tests takes what it is given; `test_one_by_one` has one that looks closer.
"""

import sqlite3
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import closing

import pytest
from flask import Flask

from ivfhir.fhir.types import Resource
from ivfhir.servers.http import HttpRepository
from smart_app.outbox_worker import Sent, send_due
from smart_app.visit.way import ALONE, ENTRIES, SINGLES, Way
from tests.smart_app.conftest import RunningEhr, running_samples
from tests.smart_app.pages.conftest import Clinician
from tests.smart_app.pages.test_routes_write import plans_of
from tests.smart_app.pages.wording import wrong_words
from tests.smart_app.test_outbox_worker import let_them_be_due, store_of

TYPES = (
    "CarePlan",
    "RequestGroup",
    "ServiceRequest",
    "MedicationRequest",
    "CommunicationRequest",
    "Goal",
)
TOTAL = 48
ALREADY_THERE = "The active plan that is already there"


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server with one sample patient, of this test's own."""
    with running_samples("halloran") as base:
        yield base


@pytest.fixture(autouse=True)
def _singly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smart_app.visit.reading.way_of", lambda *_: Way(SINGLES, ()))


def begun_at(
    path: str, fault: str, clinician: Clinician, fake_ehr: RunningEhr, *, skip: int = 0
) -> str:
    """Accept a plan at whose entry of a type the EHR fails once, and return the draft."""
    draft_id = clinician.make_draft()
    fake_ehr.fail(fault, method="POST", path=path, skip=skip)
    assert clinician.accept(draft_id).status_code == 303
    fake_ehr.faults.clear()
    return draft_id


def carrying(repository: HttpRepository, draft_id: str) -> dict[str, Resource]:
    """Return what carries the plan's identifier or that of a part of it, by reference."""
    return {
        f"{kind}/{each['id']}": each
        for kind in TYPES
        for each in repository.search(kind, {"patient": "halloran"})
        if any(str(mark.get("value")).startswith(draft_id) for mark in each.get("identifier", ()))
    }


def status_of(resource: Resource) -> str:
    return str(resource.get("status", resource.get("lifecycleStatus")))


@pytest.mark.parametrize("broken", [("Provenance", "status-503"), ("CarePlan", "drop-after")])
def test_a_plan_that_broke_off_at_its_last_entries_is_completed_by_itself(
    app: Flask,
    clinician: Clinician,
    fake_ehr: RunningEhr,
    repository: HttpRepository,
    broken: tuple[str, str],
) -> None:
    draft_id = begun_at(*broken, clinician, fake_ehr)
    begun = carrying(repository, draft_id)
    assert [plan["status"] for plan in plans_of(repository, draft_id)] == ["active"]
    let_them_be_due(app)
    assert send_due(app) == Sent(delivered=1)
    assert carrying(repository, draft_id).keys() == begun.keys()
    page = clinician.open(f"receipt/{draft_id}").text
    assert f"Written: {TOTAL} of {TOTAL} entries, read back and the same" in page


def test_a_plan_that_broke_off_at_its_signature_can_be_sent_again(
    clinician: Clinician, fake_ehr: RunningEhr, repository: HttpRepository
) -> None:
    draft_id = begun_at("Provenance", "status-503", clinician, fake_ehr)
    assert clinician.send(f"receipt/{draft_id}", {}).status_code == 303
    assert [plan["status"] for plan in plans_of(repository, draft_id)] == ["active"]
    assert f"Written: {TOTAL} of {TOTAL} entries" in clinician.open(f"receipt/{draft_id}").text


def test_a_plan_whose_signature_was_refused_is_no_other_plan_at_its_review(
    app: Flask, clinician: Clinician, fake_ehr: RunningEhr, repository: HttpRepository
) -> None:
    draft_id = begun_at("Provenance", "status-409", clinician, fake_ehr)
    found = store_of(app).waiting_of(draft_id)
    assert found is not None
    assert (found.entry.state, found.known) == ("parked", "in part")
    assert [plan["status"] for plan in plans_of(repository, draft_id)] == ["active"]
    assert ALREADY_THERE not in clinician.open(f"review/{draft_id}").text
    assert clinician.accept(draft_id).status_code == 303
    active = [plan for plan in plans_of(repository, draft_id) if plan["status"] == "active"]
    assert len(active) == 1
    assert f"Written: {TOTAL} of {TOTAL} entries" in clinician.open(f"receipt/{draft_id}").text


def test_a_draft_that_was_changed_beside_its_own_begun_plan_asks_of_no_other_plan(
    app: Flask, clinician: Clinician, fake_ehr: RunningEhr, repository: HttpRepository
) -> None:
    draft_id = begun_at("Provenance", "status-409", clinician, fake_ehr)
    change_start(app, clinician, draft_id)
    assert ALREADY_THERE not in clinician.open(f"review/{draft_id}").text
    assert clinician.accept(draft_id).status_code == 303
    active = [plan for plan in plans_of(repository, draft_id) if plan["status"] == "active"]
    assert len(active) == 1


def change_start(app: Flask, clinician: Clinician, draft_id: str) -> None:
    """Change when a draft begins, to 1 February of the year after the day of the tests."""
    version = store_of(app).load_draft(clinician.launched.launch_id, draft_id).version
    start = {"start-day": "1", "start-month": "2", "start-year": "2027"}
    fields = {"next": "review", "version": str(version), **start}
    assert clinician.send(f"plan/LUNG?draft={draft_id}", fields).status_code == 303


def keep_known(app: Flask, draft_id: str, known: str) -> None:
    """Keep of a parked plan that so much is known of it."""
    store = store_of(app)
    waiting = store.waiting_of(draft_id)
    assert waiting is not None
    sealed = store._sealer.seal({**waiting.said, "known": known}, f"outbox:{waiting.entry.id}")
    with closing(sqlite3.connect(str(store._engine.url.database))) as database, database:
        database.execute("UPDATE outbox SET said = ? WHERE draft_id = ?", (sealed, draft_id))


def test_what_a_changed_plan_had_left_is_marked_before_it_is_accepted_anew(
    app: Flask, clinician: Clinician, fake_ehr: RunningEhr, repository: HttpRepository
) -> None:
    draft_id = begun_at("ServiceRequest", "status-409", clinician, fake_ehr, skip=5)
    begun = carrying(repository, draft_id)
    assert 0 < len(begun) < TOTAL
    change_start(app, clinician, draft_id)
    page = clinician.open(f"review/{draft_id}").text
    assert "Review: not written to its end yet" in page
    part = "left only a part of it in the EHR, that is marked as entered in error first"
    assert part in page
    keep_known(app, draft_id, "unclear")
    page = clinician.open(f"review/{draft_id}").text
    assert "Review: not known to be written" in page
    assert part in page
    keep_known(app, draft_id, "in part")
    assert "nothing is replaced or removed" not in page
    assert wrong_words(page) == []
    assert clinician.accept(draft_id).status_code == 303
    page = clinician.open(f"receipt/{draft_id}").text
    assert f"Written: {TOTAL} of {TOTAL} entries, read back and the same" in page
    assert states_of(repository, draft_id, begun) == {"entered-in-error": len(begun)}
    there = carrying(repository, draft_id)
    assert len(there) == TOTAL - 1 + len(begun)  # The signature is found by its tag.


@pytest.mark.parametrize("kind", [ALONE, ENTRIES])
def test_what_was_begun_is_marked_where_the_plan_goes_another_way_then(
    clinician: Clinician,
    fake_ehr: RunningEhr,
    repository: HttpRepository,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    draft_id = begun_at("ServiceRequest", "status-409", clinician, fake_ehr, skip=5)
    begun = carrying(repository, draft_id)
    monkeypatch.setattr("smart_app.visit.reading.way_of", lambda *_: Way(kind, ()))
    clinician.open("match?read=again")
    assert clinician.accept(draft_id, way=kind).status_code == 303
    total = 1 if kind == ALONE else TOTAL
    page = clinician.open(f"receipt/{draft_id}").text
    assert f"Written: {total} of {total} entries, read back and the same" in page
    assert states_of(repository, draft_id, begun) == {"entered-in-error": len(begun)}
    [plan] = plans_of(repository, draft_id)
    assert plan["status"] == "active"


def test_a_plan_is_not_accepted_beside_what_could_not_be_marked(
    app: Flask, clinician: Clinician, fake_ehr: RunningEhr, repository: HttpRepository
) -> None:
    draft_id = begun_at("ServiceRequest", "status-409", clinician, fake_ehr, skip=5)
    begun = carrying(repository, draft_id)
    change_start(app, clinician, draft_id)
    accepted = store_of(app).load_receipt(clinician.launched.launch_id, draft_id)
    fake_ehr.fail("status-403", method="PUT", path="Goal", times=None)
    answer = clinician.accept(draft_id)
    assert answer.status_code == 502
    goals = [reference for reference in begun if reference.startswith("Goal/")]
    assert all(reference in answer.text for reference in goals)
    assert "5 entries of it that had been written are marked as entered in error" in answer.text
    assert "The plan is not accepted now. Try again" in answer.text
    assert wrong_words(answer.text) == []
    assert store_of(app).load_receipt(clinician.launched.launch_id, draft_id) == accepted
    found = store_of(app).waiting_of(draft_id)
    assert found is not None
    assert (found.entry.state, found.known) == ("parked", "in part")
    assert carrying(repository, draft_id).keys() == begun.keys()
    fake_ehr.faults.clear()
    assert clinician.accept(draft_id).status_code == 303
    assert states_of(repository, draft_id, begun) == {"entered-in-error": len(begun)}
    assert f"Written: {TOTAL} of {TOTAL} entries" in clinician.open(f"receipt/{draft_id}").text


def states_of(
    repository: HttpRepository, draft_id: str, references: Collection[str]
) -> dict[str, int]:
    """Return how many of these entries of a plan have which status."""
    there = carrying(repository, draft_id)
    return dict(Counter(status_of(there[reference]) for reference in references))
