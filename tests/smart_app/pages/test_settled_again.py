"""What could not be settled beside a written plan is tried again, and the receipt tells how far."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from ivfhir.outbox.failing import After
from ivfhir.outbox.line import DELIVERED, PARKED, UNSETTLED
from ivfhir.servers.http import HttpRepository
from smart_app.outbox_worker import Sent, send_due
from smart_app.store import Store
from tests.smart_app.conftest import Clock, Launched, RunningEhr, new_client, running_samples
from tests.smart_app.pages.conftest import Clinician, csrf_token, when_accepted
from tests.smart_app.pages.wording import visible_text, wrong_words

AGAIN = "What could not be looked up or ended is tried again by itself, next at"
UNKNOWN = "Whether another session accepted a plan of this protocol at the same time could not be"
ENDED = "Ended, since this document takes its place"
NOT_ENDED = "Not seen to have ended"
PLANS, DOCUMENTS = "/?CarePlan", "/?DocumentReference"


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server of this test's own."""
    with running_samples("halloran") as base:
        yield base


@pytest.fixture(params=["entries", "document"])
def way(request: pytest.FixtureRequest) -> str:
    """How plans go into the EHR."""
    return str(request.param)


@pytest.fixture
def ehr_options(way: str) -> dict[str, object]:
    """An EHR that takes plans so."""
    return {"documents_only": True} if way == "document" else {}


@dataclass(frozen=True)
class Site:
    """The app with its database and clock, the EHR, and the server behind it."""

    app: Flask
    store: Store
    clock: Clock
    ehr: RunningEhr
    upstream: HttpRepository
    way: str

    def standing(self) -> list[str]:
        """Return how the patient's plans, or their documents, stand."""
        resource_type = "CarePlan" if self.way == "entries" else "DocumentReference"
        found = self.upstream.search(resource_type, {"patient": "Patient/halloran"})
        return sorted(str(each["status"]) for each in found)


@pytest.fixture
def site(
    app: Flask, clock: Clock, fake_ehr: RunningEhr, upstream: HttpRepository, *, way: str
) -> Site:
    """The site of a test."""
    store: Store = app.extensions["ivfhir"].store
    return Site(app, store, clock, fake_ehr, upstream, way)


def state_of(store: Store, draft_id: str) -> str:
    waiting = store.waiting_of(draft_id)
    assert waiting is not None
    return waiting.entry.state


def receipt_of(clinician: Clinician, draft_id: str) -> str:
    page = clinician.open(f"receipt/{draft_id}").text
    assert wrong_words(page) == []
    return visible_text(page)


STAYS = {"entries": ["active", "revoked"], "document": ["current", "superseded"]}
BOTH = {"entries": ["active", "active"], "document": ["current", "current"]}


def accept_beside(
    first: Clinician, second: Clinician, store: Store, and_then: Callable[[], None]
) -> tuple[str, str]:
    """Accept two plans so that neither sees the other's; something happens before the last goes."""
    one, other = first.make_draft(), second.make_draft()

    def meanwhile() -> None:
        patched.undo()
        assert second.accept(other).status_code == 303
        and_then()

    with pytest.MonkeyPatch.context() as patched:
        when_accepted(store, meanwhile, patched)
        assert first.accept(one).status_code == 303
    return one, other


def replace_while(clinician: Clinician, site: Site, fault: str) -> str:
    """Accept a plan in the place of another one whose document the EHR fails to end."""
    clinician.accept(clinician.make_draft())
    second = clinician.make_draft()
    site.ehr.fail(fault, method="PUT", path=DOCUMENTS)
    clinician.accept(second, earlier="replace")
    return second


def test_of_two_plans_that_are_accepted_at_once_one_stays_and_each_receipt_says_so(
    clinician_for: Any, site: Site
) -> None:
    first, second = clinician_for("halloran"), clinician_for("halloran")
    one, other = accept_beside(first, second, site.store, lambda: None)
    assert site.standing() == STAYS[site.way]
    texts = [receipt_of(clinician, id_) for clinician, id_ in ((first, one), (second, other))]
    withdrawn = [
        "Withdrawn again: another plan was accepted at the same time" in text
        or "Revoked since it was written" in text
        or "Now superseded in the EHR" in text
        for text in texts
    ]
    assert sorted(withdrawn) == [False, True]
    assert AGAIN not in "".join(texts)
    assert state_of(site.store, one) == state_of(site.store, other) == DELIVERED


def test_plans_of_others_that_could_not_be_looked_for_are_looked_for_again(
    clinician_for: Any, site: Site
) -> None:
    first, second = clinician_for("halloran"), clinician_for("halloran")
    path = PLANS if site.way == "entries" else DOCUMENTS

    def fail() -> None:
        site.ehr.fail("status-503", method="GET", path=f"{path}/[^/]+$", times=None)

    one, _ = accept_beside(first, second, site.store, fail)
    assert site.standing() == BOTH[site.way]
    text = receipt_of(first, one)
    assert UNKNOWN in text
    assert AGAIN in text
    assert state_of(site.store, one) == UNSETTLED

    assert send_due(site.app) == Sent()  # It is not due yet.
    site.clock.ahead += timedelta(seconds=40)
    send_due(site.app)  # The EHR still fails.
    assert site.standing() == BOTH[site.way]
    assert state_of(site.store, one) == UNSETTLED

    site.ehr.faults.clear()
    site.clock.ahead += timedelta(seconds=90)
    send_due(site.app)
    assert site.standing() == STAYS[site.way]
    assert state_of(site.store, one) == DELIVERED
    text = receipt_of(first, one)
    assert UNKNOWN not in text
    assert AGAIN not in text
    assert "same time" in text


@pytest.mark.parametrize("way", ["document"], indirect=True)
def test_a_document_that_gave_way_ends_none(clinician_for: Any, site: Site) -> None:
    first, second = clinician_for("halloran"), clinician_for("halloran")
    first.accept(first.make_draft())
    one, other = first.make_draft(), second.make_draft()

    def meanwhile() -> None:
        patched.undo()
        assert second.accept(other, earlier="keep").status_code == 303

    with pytest.MonkeyPatch.context() as patched:
        when_accepted(site.store, meanwhile, patched)
        assert first.accept(one, earlier="replace").status_code == 303
    assert site.standing() == ["current", "current", "superseded"]
    text = receipt_of(first, one)
    assert "Withdrawn again: another plan was accepted at the same time" in text
    assert "because this document gave way to another one of the same moment" in text
    assert ENDED not in text
    assert state_of(site.store, one) == DELIVERED


def test_what_a_draft_shows_that_was_made_anew_was_not_shown_when_it_was_accepted(
    clinician_for: Any, site: Site
) -> None:
    first, second = clinician_for("halloran"), clinician_for("halloran")

    def away() -> None:
        site.ehr.fail("drop-after", method="POST")
        skip, path = (1, "") if site.way == "entries" else (2, DOCUMENTS)
        site.ehr.fail("status-503", method="GET", path=path, skip=skip, times=None)

    one, other = accept_beside(first, second, site.store, away)
    site.ehr.faults.clear()
    waiting = site.store.waiting_of(one)
    assert waiting is not None
    assert waiting.known == "unclear"
    assert site.store.put_off_unclaimed(one, After(PARKED, 0, 8), waiting.said)
    kept = site.store.load_receipt(second.launched.launch_id, other)
    assert kept is not None
    theirs = {"reference": kept.body["entries"][0]["reference"], "version": "1"}
    draft = site.store.load_draft(first.launched.launch_id, one)
    shown = (
        {"earlier": [{**theirs, "parts": []}]}
        if site.way == "entries"
        else {"documents": [{**theirs, "title": "Plan", "date": "", "plan": other}]}
    )
    site.store.update_draft(draft, body={**draft.body, **shown})
    assert "same time" in visible_text(first.open(f"review/{one}").text)
    assert site.standing() == STAYS[site.way]


def test_an_access_that_ends_meanwhile_does_not_end_the_tries(
    clinician_for: Any, site: Site
) -> None:
    first, second = clinician_for("halloran"), clinician_for("halloran")
    path = PLANS if site.way == "entries" else DOCUMENTS

    def fail() -> None:
        site.ehr.fail("status-503", method="GET", path=f"{path}/[^/]+$", times=None)

    one, _ = accept_beside(first, second, site.store, fail)
    site.ehr.faults.clear()
    site.ehr.fail("status-401", method="GET", times=None)
    site.clock.ahead += timedelta(seconds=40)
    send_due(site.app)
    assert state_of(site.store, one) == UNSETTLED
    site.ehr.faults.clear()
    site.clock.ahead += timedelta(seconds=900)
    send_due(site.app)
    if state_of(site.store, one) == UNSETTLED:  # Its access is over by then.
        clinician_for("halloran")
        send_due(site.app)
    assert state_of(site.store, one) == DELIVERED
    assert site.standing() == STAYS[site.way]


@pytest.mark.parametrize("way", ["document"], indirect=True)
@pytest.mark.parametrize("fault", ["status-500", "drop-before", "status-429", "status-409"])
def test_a_document_whose_end_failed_is_ended_later(
    clinician: Clinician, fault: str, site: Site
) -> None:
    second = replace_while(clinician, site, fault)
    text = receipt_of(clinician, second)
    assert NOT_ENDED in text
    assert AGAIN in text
    site.clock.ahead += timedelta(seconds=40)
    send_due(site.app)
    assert site.standing() == STAYS[site.way]
    text = receipt_of(clinician, second)
    assert ENDED in text
    assert NOT_ENDED not in text
    assert AGAIN not in text


@pytest.mark.parametrize("way", ["document"], indirect=True)
def test_what_the_ehr_refuses_is_not_tried_again(clinician: Clinician, site: Site) -> None:
    second = replace_while(clinician, site, "status-403")
    text = receipt_of(clinician, second)
    assert NOT_ENDED in text
    assert AGAIN not in text
    assert state_of(site.store, second) == DELIVERED


@pytest.mark.parametrize("way", ["document"], indirect=True)
def test_without_access_it_waits_for_the_next_launch(
    clinician: Clinician, launch_for: Callable[..., Launched], site: Site
) -> None:
    second = replace_while(clinician, site, "status-500")
    token = csrf_token(clinician.open("match"))
    assert clinician.send("sign-out", {}, token=token).status_code == 200
    (waiting,) = site.store.outbox()
    site.store.retry_entry(waiting.entry.id)
    send_due(site.app)
    assert site.standing() == BOTH[site.way]
    assert state_of(site.store, second) == UNSETTLED
    browser = new_client(site.app)
    later = Clinician(browser, launch_for(browser, "halloran"))
    send_due(site.app)
    assert site.standing() == STAYS[site.way]
    assert state_of(site.store, second) == DELIVERED
    assert ENDED in receipt_of(later, second)


@pytest.mark.parametrize("way", ["document"], indirect=True)
def test_it_is_given_up_when_an_unsent_plan_would_be(clinician: Clinician, site: Site) -> None:
    second = replace_while(clinician, site, "status-500")
    site.clock.ahead += timedelta(hours=72)
    send_due(site.app)
    assert state_of(site.store, second) == DELIVERED


@pytest.mark.parametrize("way", ["document"], indirect=True)
def test_whoever_runs_the_app_sees_it_and_may_end_it(clinician: Clinician, site: Site) -> None:
    second = replace_while(clinician, site, "status-500")
    (waiting,) = site.store.outbox()
    assert (waiting.entry.state, waiting.draft_id) == (UNSETTLED, second)
    site.store.retry_entry(waiting.entry.id)
    (server,) = site.store.due_servers()
    (due,) = site.store.due_unsettled(server, limit=9)
    held_until = site.store.claim_unsettled(due.entry, hold_s=120)
    assert held_until
    assert not site.store.claim_unsettled(due.entry, hold_s=120)
    assert site.store.due_unsettled(server, limit=9) == []
    site.store.put_off_unsettled(due.entry.id, held_until=held_until - 1, due_at=None)
    assert state_of(site.store, second) == UNSETTLED
    site.store.drop_entry(waiting.entry.id)
    assert state_of(site.store, second) == DELIVERED
    assert "Written: 1 of 1 entries" in receipt_of(clinician, second)
    assert site.standing() == BOTH[site.way]


def test_who_finds_a_plan_while_it_is_sent_takes_nothing_from_the_senders_receipt(
    clinician: Clinician, site: Site
) -> None:
    draft_id = clinician.make_draft()
    clinician.accept(draft_id)
    kept = site.store.load_receipt(clinician.launched.launch_id, draft_id)
    assert kept is not None
    site.clock.ahead += timedelta(seconds=5)
    assert not site.store.save_written(draft_id, {**kept.body, "signer": "Another"})
    assert site.store.load_receipt(clinician.launched.launch_id, draft_id) == kept
