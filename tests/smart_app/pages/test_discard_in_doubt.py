"""A draft of which it is not known whether it was written: what is said before it is discarded."""

import re
from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from ivfhir.errors import ForbiddenError
from ivfhir.outbox.failing import After
from ivfhir.outbox.line import DROPPED, PARKED
from ivfhir.servers.http import HttpRepository
from ivfhir.writing.bundle import PLAN_SYSTEM
from smart_app.store import Store
from tests.smart_app.conftest import RunningEhr, running_samples
from tests.smart_app.pages.conftest import Clinician, csrf_token, when_accepted
from tests.smart_app.pages.wording import visible_text, wrong_words

NOTHING_THERE = "Nothing of it is in the record"


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server of this test's own."""
    with running_samples("halloran") as base:
        yield base


@pytest.fixture
def store(app: Flask) -> Store:
    """The app's database."""
    kept: Store = app.extensions["ivfhir"].store
    return kept


@pytest.fixture
def unclear(clinician: Clinician, fake_ehr: RunningEhr, store: Store) -> str:
    """A plan that was accepted and is on the server, whose answer was lost: nobody could look."""
    draft_id = clinician.make_draft()

    def away() -> None:
        fake_ehr.fail("drop-after", method="POST")
        fake_ehr.fail("status-503", method="GET", path="CarePlan", skip=1, times=None)

    with pytest.MonkeyPatch.context() as patched:
        when_accepted(store, away, patched)
        clinician.accept(draft_id)
    return draft_id


def park(store: Store, draft_id: str) -> None:
    """Let the plan be tried so long that it is given up."""
    waiting = store.waiting_of(draft_id)
    assert waiting is not None
    assert store.put_off_unclaimed(draft_id, After(PARKED, 0, 8), {**waiting.said, "again": "no"})


def drop(store: Store, draft_id: str) -> None:
    """Let whoever runs the app take the plan out."""
    waiting = store.waiting_of(draft_id)
    assert waiting is not None
    store.drop_entry(waiting.entry.id)


def confirm(clinician: Clinician, draft_id: str, **fields: str) -> int:
    """Press the button of the page, with or without its tick; return the answer's status."""
    page = clinician.open(f"discard/{draft_id}")
    (version,) = re.findall(r'name="version" value="(\d+)"', page.text)
    sent = {"version": version, **fields}
    return clinician.send(f"discard/{draft_id}", sent, token=csrf_token(page)).status_code


def discards(store: Store) -> list[dict[str, str]]:
    """Return what the trail says of each draft that was discarded."""
    told = [dict(event.content) for event in store.events()]
    return [each for each in told if each["event"] == "discard"]


@pytest.mark.parametrize("given_up", [park, drop])
def test_what_may_be_in_the_ehr_is_discarded_only_by_who_confirms_it_and_stays_in_the_trail(
    clinician: Clinician,
    unclear: str,
    store: Store,
    repository: HttpRepository,
    given_up: Callable[[Store, str], None],
) -> None:
    given_up(store, unclear)
    page = clinician.open(f"discard/{unclear}").text
    assert "Discard this draft, which may be in the EHR?" in page
    assert NOTHING_THERE not in page
    assert unclear in page
    assert wrong_words(page) == []
    assert confirm(clinician, unclear) == 422
    assert discards(store) == []
    assert store.load_draft(clinician.launched.launch_id, unclear).state == "draft"
    kept = store.load_receipt(clinician.launched.launch_id, unclear)
    assert kept is not None
    assert confirm(clinician, unclear, confirm="yes") == 303
    assert clinician.open(f"discard/{unclear}").status_code == 410
    (event,) = discards(store)
    assert (event["outcome"], event["draft"], event["written"]) == ("success", unclear, "unclear")
    assert event["accepted"] == kept.body["acceptedAt"]
    # What was lost with the draft can be found by what the trail keeps.
    query = {"identifier": f"{PLAN_SYSTEM}|{event['draft']}"}
    assert len(repository.search("CarePlan", query)) == 1


def test_without_the_tick_the_page_says_what_is_missing(
    clinician: Clinician, unclear: str, store: Store
) -> None:
    park(store, unclear)
    page = clinician.open(f"discard/{unclear}")
    (version,) = re.findall(r'name="version" value="(\d+)"', page.text)
    answer = clinician.send(f"discard/{unclear}", {"version": version}, token=csrf_token(page))
    assert "<title>Error: " in answer.text
    assert "the draft is not discarded without it" in answer.text
    assert wrong_words(answer.text) == []


def test_the_list_of_drafts_says_that_it_is_not_known(
    clinician: Clinician, unclear: str, store: Store
) -> None:
    park(store, unclear)
    assert "not known to be written" in visible_text(clinician.open("match").text)


def test_a_plan_that_was_refused_is_discarded_as_any_draft(
    clinician: Clinician, fake_ehr: RunningEhr, store: Store
) -> None:
    draft_id = clinician.make_draft()
    fake_ehr.fail("status-403", method="POST")
    clinician.accept(draft_id)
    page = clinician.open(f"discard/{draft_id}").text
    assert NOTHING_THERE in page
    assert "not known to be written" not in visible_text(clinician.open("match").text)
    assert confirm(clinician, draft_id) == 303
    (event,) = discards(store)
    assert "written" not in event


def test_what_was_taken_out_of_the_outbox_is_not_said_not_to_have_reached_the_ehr(
    clinician: Clinician, unclear: str, store: Store
) -> None:
    drop(store, unclear)
    waiting = store.waiting_of(unclear)
    assert waiting is not None
    assert waiting.entry.state == DROPPED
    page = clinician.open(f"receipt/{unclear}").text
    assert "Not known to be written: it was taken out of the outbox" in page
    assert "before it reached the EHR" not in page


@pytest.mark.parametrize("given_up", [park, drop])
@pytest.mark.parametrize("page", ["review/{}", "plan/LUNG?draft={}", "discard/{}"])
def test_what_is_found_in_the_ehr_after_all_is_written_whatever_page_is_opened(
    clinician: Clinician,
    unclear: str,
    fake_ehr: RunningEhr,
    page: str,
    given_up: Callable[[Store, str], None],
) -> None:
    given_up(clinician.client.application.extensions["ivfhir"].store, unclear)
    fake_ehr.faults.clear()
    text = visible_text(clinician.open(page.format(unclear)).text)
    assert "Written: 48 of 48 entries, read back and the same" in text
    assert "as you accepted it first" not in text
    assert "already in the record" not in text


def test_a_draft_that_was_changed_meanwhile_is_told_apart_from_what_is_there(
    clinician: Clinician, unclear: str, store: Store, fake_ehr: RunningEhr, repository
) -> None:
    park(store, unclear)
    page = clinician.open(f"plan/LUNG?draft={unclear}")  # The EHR still lets nobody look.
    (version,) = re.findall(r'name="version" value="(\d+)"', page.text)
    changed = {"version": version, "Segments": "2"}
    answer = clinician.send(f"plan/LUNG?draft={unclear}", changed, token=csrf_token(page))
    assert answer.status_code == 303
    fake_ehr.faults.clear()
    shown = clinician.open(f"review/{unclear}").text
    assert wrong_words(shown) == []
    text = visible_text(shown)
    assert "Written: 48 of 48 entries, read back and the same" in text
    assert "It is the plan as you accepted it first." in text
    assert 'id="next"' not in shown  # The next steps of the draft are none of the plan's.
    query = {"identifier": f"{PLAN_SYSTEM}|{unclear}"}
    assert len(repository.search("CarePlan", query)) == 1


def test_one_that_the_record_shows_when_it_is_accepted_again_is_not_written_again(
    clinician: Clinician,
    unclear: str,
    store: Store,
    fake_ehr: RunningEhr,
    repository,
) -> None:
    """Whoever looked first was not answered; the reading of the record then brings the plan."""
    park(store, unclear)
    review = clinician.open(f"review/{unclear}")
    assert "Review" in review.text
    (version,) = re.findall(r'name="version" value="(\d+)"', review.text)
    fake_ehr.faults.clear()
    given = {"confirm": "yes", "version": version, "earlier": "replace"}
    answer = clinician.send(f"review/{unclear}", given, token=csrf_token(review))
    assert answer.status_code == 303
    text = visible_text(clinician.open(f"receipt/{unclear}").text)
    assert "Written: 48 of 48 entries" in text
    assert "Revoked" not in text
    (plan,) = repository.search("CarePlan", {"identifier": f"{PLAN_SYSTEM}|{unclear}"})
    assert plan["status"] == "active"


def test_while_the_ehr_lets_nobody_look_it_is_not_known_whatever_is_tried(
    clinician: Clinician, unclear: str, store: Store, fake_ehr: RunningEhr
) -> None:
    park(store, unclear)
    assert clinician.accept(unclear, earlier="keep").status_code == 409  # Nor for other plans.
    assert clinician.accept(unclear, earlier="keep").status_code == 303
    assert "Not known to be written: " in clinician.open(f"receipt/{unclear}").text
    park(store, unclear)
    assert confirm(clinician, unclear) == 422
    fake_ehr.faults.clear()
    assert "Written: 48 of 48 entries" in clinician.open(f"review/{unclear}").text


def test_a_draft_that_changes_while_it_is_discarded_is_told_as_not_discarded(
    clinician: Clinician, unclear: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    park(store, unclear)
    monkeypatch.setattr(store, "discard_draft", lambda _: False)
    assert confirm(clinician, unclear, confirm="yes") == 409
    assert [each["outcome"] for each in discards(store)] == ["success", "failure"]


def test_a_refusal_that_leaves_something_behind_is_not_called_unwritten(
    clinician: Clinician, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft_id = clinician.make_draft()

    def refused(*_: object, **__: object) -> None:
        error = ForbiddenError("The EHR refused an entry.", status=403)
        error.left = ("Goal/1",)
        raise error

    monkeypatch.setattr("smart_app.visit.sending.write_back", refused)
    clinician.accept(draft_id)
    assert "Not written to its end: " in clinician.open(f"receipt/{draft_id}").text
    page = clinician.open(f"discard/{draft_id}").text
    assert "a part of the plan may be in" in page
    assert wrong_words(page) == []
    assert "a part may be in the EHR" in visible_text(clinician.open("match").text)
    assert confirm(clinician, draft_id) == 422
    assert confirm(clinician, draft_id, confirm="yes") == 303
    assert [each["written"] for each in discards(store)] == ["in-part"]
