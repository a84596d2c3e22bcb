"""Accepted plans in the database: kept with the acceptance, claimed once, settled once."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from ivfhir.errors import SessionEndedError, VersionConflictError
from ivfhir.outbox.failing import After
from ivfhir.outbox.line import DELIVERED, PARKED, SENDING, SIGN_IN, WAITING, Entry
from smart_app.store import Draft, Store
from smart_app.store.uses import MADE_ROOM, SIGNED_OUT
from tests.smart_app.store.conftest import Clock

SERVER = "https://ehr.example/fhir"
SAID = {"title": "the EHR did not answer", "outcome": {"resourceType": "OperationOutcome"}}


def launch(store: Store, clock: Clock, name: str, patient: str = "p1") -> None:
    until = int(clock.now) + 3600
    body = {"iss": SERVER, "patient": patient, "access_token": f"token-{name}"}
    store.save_launch(
        name, "s", body, owner=(SERVER, "u", patient), usable_until=until, expires_at=until
    )


def accepted(store: Store, launch_id: str, patient: str = "p1", *, held: bool = False) -> Draft:
    """Return a draft that was accepted; its claim given back unless it is to be held."""
    draft = store.save_draft(launch_id, protocol="LUNG", body={})
    assert store.claim_draft(draft)
    store.accept_draft(draft, {"written": False}, server=SERVER, patient_id=patient)
    if not held:
        store.release_draft(draft, state="accepted")
    return draft


def state_of(store: Store, draft: Draft) -> str:
    found = store.waiting_of(draft.id)
    assert found is not None
    return found.entry.state


def due(store: Store) -> list[str]:
    return [each.draft_id for each in store.due_plans(SERVER, limit=10)]


def claim(store: Store, draft: Draft, *, at_once: bool = False) -> bool:
    return bool(store.claim_entry(draft.id, hold_s=60, at_once=at_once))


@pytest.fixture
def one(store: Store, clock: Clock) -> Draft:
    launch(store, clock, "l1")
    return accepted(store, "l1")


def test_acceptance_and_row_are_kept_together_or_not_at_all(store: Store, clock: Clock) -> None:
    launch(store, clock, "l1")
    draft = store.save_draft("l1", protocol="LUNG", body={})
    assert store.claim_draft(draft, hold_s=60)
    clock.now += 61
    with pytest.raises(VersionConflictError):
        store.accept_draft(draft, {"written": False}, server=SERVER, patient_id="p1")
    assert store.load_receipt("l1", draft.id) is None
    assert store.waiting_of(draft.id) is None
    assert store.claim_draft(draft)
    assert store.accept_draft(draft, {"written": False}, server=SERVER, patient_id="p1")
    found = store.waiting_of(draft.id)
    assert found is not None
    assert found.entry.told_state(now=int(clock.now)) == SENDING
    assert (found.entry.attempts, found.entry.tried_at) == (1, int(clock.now))


def test_who_dies_while_sending_leaves_it_due_when_the_claim_ends(
    store: Store, clock: Clock
) -> None:
    launch(store, clock, "l1")
    draft = accepted(store, "l1", held=True)
    assert due(store) == []
    clock.now += 120
    assert due(store) == [draft.id]
    assert claim(store, draft)
    assert not claim(store, draft, at_once=True)
    clock.now += 60
    assert claim(store, draft)


def test_of_many_that_claim_at_once_one_does(one: Draft, open_store: Callable[..., Store]) -> None:
    stores = [open_store() for _ in range(6)]
    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(lambda each: claim(each, one), stores)) == [False] * 5 + [True]


def test_what_failed_is_due_again_in_time_and_what_was_said_is_sealed(
    store: Store, one: Draft, clock: Clock
) -> None:
    assert claim(store, one)
    store.put_off(one.id, After(WAITING, int(clock.now) + 30, 1), SAID)
    assert store.load_draft("l1", one.id).state == "accepted"
    found = store.waiting_of(one.id)
    assert found is not None
    assert (found.said, found.entry.failures, found.entry.attempts) == (SAID, 1, 2)
    assert "OperationOutcome" not in repr(found)
    assert due(store) == []
    assert claim(store, one, at_once=True)  # Somebody asks for it.
    store.put_off(one.id, After(WAITING, int(clock.now) + 30, 1), SAID)
    clock.now += 30
    assert due(store) == [one.id]


def test_who_lost_the_claim_changes_nothing(store: Store, one: Draft, clock: Clock) -> None:
    assert claim(store, one)
    store.save_written(one.id, {"written": True})
    store.put_off(one.id, After(PARKED, 0, 9), SAID)
    assert state_of(store, one) == DELIVERED
    assert store.load_draft("l1", one.id).state == "written"
    assert not claim(store, one, at_once=True)


def test_who_was_silent_too_long_does_not_give_back_the_claim_of_who_took_over(
    store: Store, open_store: Callable[..., Store], one: Draft, clock: Clock
) -> None:
    stopped = store.claim_entry(one.id, hold_s=60, at_once=False)
    assert stopped == int(clock.now) + 60
    clock.now += 60
    later = open_store().claim_entry(one.id, hold_s=60, at_once=False)
    assert later == stopped + 60
    assert not store.put_off(one.id, After(PARKED, 0, 9), SAID, held_until=stopped)
    store.release_draft(replace(one, held_until=stopped), state="accepted")
    assert not claim(store, one, at_once=True)
    assert state_of(store, one) == WAITING
    assert store.put_off(one.id, After(WAITING, int(clock.now), 1), SAID, held_until=later)
    assert claim(store, one)


def test_who_was_silent_too_long_accepts_nothing_that_another_holds(
    store: Store, open_store: Callable[..., Store], clock: Clock
) -> None:
    launch(store, clock, "l1")
    draft = store.save_draft("l1", protocol="LUNG", body={})
    stopped = store.claim_draft(draft, hold_s=60)
    clock.now += 60
    later = open_store().claim_draft(draft, hold_s=60)
    body = {"written": False}
    with pytest.raises(VersionConflictError):
        store.accept_draft(replace(draft, held_until=stopped), body, server=SERVER, patient_id="p1")
    held = replace(draft, held_until=later)
    assert store.accept_draft(held, body, server=SERVER, patient_id="p1")


def test_a_parked_plan_is_a_draft_again_and_holds_up_nobody(
    store: Store, one: Draft, clock: Clock
) -> None:
    later = accepted(store, "l1")
    other = accepted(store, "l1", "p2")
    assert due(store) == [one.id, other.id]
    assert not claim(store, later, at_once=True)
    assert claim(store, one)
    store.put_off(one.id, After(PARKED, int(clock.now), 8), SAID)
    assert store.load_draft("l1", one.id).state == "draft"
    assert set(due(store)) == {later.id, other.id}


def test_the_order_of_a_patient_is_kept(store: Store, one: Draft, clock: Clock) -> None:
    assert claim(store, one)
    store.put_off(one.id, After(WAITING, int(clock.now) + 900, 0), SAID)
    later = store.save_draft("l1", protocol="LUNG", body={})
    assert store.claim_draft(later)
    assert not store.accept_draft(later, {"written": False}, server=SERVER, patient_id="p1")
    store.release_draft(later, state="accepted")
    assert len(store.ahead_of(later.id)) == 1
    assert store.ahead_of(one.id) == []
    assert due(store) == [one.id]  # The new one lets the earlier one be tried now.
    assert not claim(store, later)
    assert claim(store, one)
    assert not claim(store, later, at_once=True)
    store.save_written(one.id, {"written": True})
    assert claim(store, later)


def test_many_that_wait_behind_others_do_not_hide_what_is_due(
    store: Store, one: Draft, clock: Clock
) -> None:
    assert claim(store, one)
    store.put_off(one.id, After(SIGN_IN, int(clock.now), 0), SAID)
    first = accepted(store, "l1")
    for _ in range(5):
        accepted(store, "l1")
    other = accepted(store, "l1", "p2")
    assert {each.draft_id for each in store.due_plans(SERVER, limit=2)} == {first.id, other.id}


def test_each_server_for_which_something_is_due_is_told_the_longest_wait_first(
    store: Store, one: Draft, clock: Clock
) -> None:
    other = store.save_draft("l1", protocol="LUNG", body={})
    assert store.claim_draft(other)
    clock.now += 1
    store.accept_draft(other, {"written": False}, server="https://a.example", patient_id="p1")
    store.release_draft(other, state="accepted")
    assert store.due_servers() == [SERVER, "https://a.example"]
    assert [each.draft_id for each in store.due_plans("https://a.example", limit=9)] == [other.id]
    assert due(store) == [one.id]
    assert claim(store, one)
    store.put_off(one.id, After(WAITING, int(clock.now) + 9, 1), SAID)
    assert store.due_servers() == ["https://a.example"]


def test_a_plan_without_access_waits_until_its_clinician_opens_the_app_again(
    store: Store, one: Draft, clock: Clock
) -> None:
    assert store.put_off_unclaimed(one.id, After(SIGN_IN, int(clock.now), 0), SAID)
    assert due(store) == []
    launch(store, clock, "other-patient", "p2")
    assert due(store) == []
    clock.now += 3600
    launch(store, clock, "l2")
    assert due(store) == [one.id]
    found = store.waiting_of(one.id)
    assert found is not None
    assert found.launch_id == "l2"


def test_a_sign_out_lets_plans_wait_and_a_backend_service_may_send_them(
    store: Store, one: Draft, clock: Clock
) -> None:
    assert not store.close_launch("l1", reason=SIGNED_OUT, drafts_kept=True)
    assert state_of(store, one) == SIGN_IN
    assert "access_token" not in store.reload_launch("l1").body
    store.resume_for(["https://other.example/fhir"])
    assert due(store) == []
    store.resume_for([f"{SERVER}/"])
    assert due(store) == [one.id]


def test_what_is_being_sent_at_the_sign_out_may_end_and_is_not_tried_again(
    store: Store, one: Draft, clock: Clock
) -> None:
    assert claim(store, one)
    assert not store.put_off_unclaimed(one.id, After(SIGN_IN, 0, 0), SAID)
    assert store.close_launch("l1", reason=SIGNED_OUT, drafts_kept=True)
    assert "access_token" in store.reload_launch("l1").body
    store.put_off(one.id, After(WAITING, int(clock.now), 0), SAID)
    assert store.forget_tokens_of_closed("l1") is not None
    assert "access_token" not in store.reload_launch("l1").body


@pytest.mark.parametrize("reason", [SIGNED_OUT, MADE_ROOM])
def test_an_access_that_is_kept_for_a_try_outlives_a_new_launch_until_the_try_ends(
    store: Store, one: Draft, clock: Clock, reason: str
) -> None:
    assert claim(store, one)
    assert store.close_launch("l1", reason=reason, drafts_kept=True)
    for name in ("l2", "l3"):
        launch(store, clock, name)
        assert "access_token" in store.reload_launch("l1").body
        assert store.load_draft(name, one.id).state == "sending"
        store.end_launch(name, return_to=None)
    launch(store, clock, "l4")
    body = store.forget_tokens_of_closed("l1")
    assert body is not None
    assert body["access_token"] == "token-l1"
    launch(store, clock, "l5")
    with pytest.raises(SessionEndedError):
        store.reload_launch("l1")


def test_an_access_that_no_try_uses_goes_with_its_window_when_the_app_is_opened_again(
    store: Store, one: Draft, clock: Clock
) -> None:
    assert store.close_launch("l1", reason=MADE_ROOM, drafts_kept=True)
    launch(store, clock, "l2")
    with pytest.raises(SessionEndedError):
        store.reload_launch("l1")
    assert due(store) == [one.id]


def test_a_draft_that_is_accepted_again_has_one_row(store: Store, one: Draft, clock: Clock) -> None:
    assert claim(store, one)
    store.put_off(one.id, After(PARKED, int(clock.now), 8), SAID)
    again = store.load_draft("l1", one.id)
    assert store.claim_draft(again)
    assert store.accept_draft(again, {"written": False}, server=SERVER, patient_id="p1")
    [found] = store.outbox(every=True)
    assert (found.entry.state, found.entry.failures, found.said) == (WAITING, 0, {})


def test_the_receipt_of_an_earlier_acceptance_changes_nothing(store: Store, clock: Clock) -> None:
    launch(store, clock, "l1")
    draft = store.save_draft("l1", protocol="LUNG", body={})
    first, second = ({"written": False, "acceptedAt": day} for day in ("Monday", "Tuesday"))
    for body in (first, second):
        draft = store.load_draft("l1", draft.id)
        assert store.claim_draft(draft)
        assert store.accept_draft(draft, body, server=SERVER, patient_id="p1")
        if body is first:
            store.put_off(draft.id, After(PARKED, int(clock.now), 1), SAID)
    assert not store.save_written(draft.id, {**first, "written": True})
    kept = store.load_receipt("l1", draft.id)
    assert kept is not None
    assert kept.body == second
    assert (store.load_draft("l1", draft.id).state, state_of(store, draft)) == ("sending", WAITING)
    assert store.save_written(draft.id, {**second, "written": True})
    assert not store.save_written(draft.id, {**first, "written": True})
    kept = store.load_receipt("l1", draft.id)
    assert kept is not None
    assert kept.body == {**second, "written": True}
    assert (store.load_draft("l1", draft.id).state, state_of(store, draft)) == (
        "written",
        DELIVERED,
    )


def test_who_did_not_hear_that_the_acceptance_was_kept_gives_back_no_mere_draft(
    store: Store, clock: Clock
) -> None:
    launch(store, clock, "l1")
    draft = accepted(store, "l1", held=True)
    store.release_draft(draft, state="draft")
    assert store.load_draft("l1", draft.id).state == "accepted"
    assert due(store) == [draft.id]


@pytest.mark.parametrize("signed_out", [False, True])
def test_what_was_accepted_by_who_was_killed_then_is_not_accepted_anew(
    store: Store, clock: Clock, signed_out: bool
) -> None:
    launch(store, clock, "l1")
    draft = accepted(store, "l1", held=True)
    clock.now += 120
    if signed_out:
        store.close_launch("l1", reason=SIGNED_OUT, drafts_kept=True)
    assert state_of(store, draft) == (SIGN_IN if signed_out else WAITING)
    assert not store.claim_draft(store.load_draft("l1", draft.id))
    assert claim(store, draft, at_once=True)


@pytest.mark.parametrize("database_url", ["postgres"], indirect=True)
def test_of_two_plans_for_a_patient_that_are_accepted_at_once_one_goes_first(
    open_store: Callable[..., Store], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has put its row in before either looks who is ahead."""
    stores = [open_store(), open_store()]
    launch(stores[0], clock, "l1")
    drafts = [stores[0].save_draft("l1", protocol="LUNG", body={}) for _ in stores]
    assert [bool(stores[0].claim_draft(draft)) for draft in drafts] == [True, True]
    both = threading.Barrier(2)
    look = Store._line_of

    def look_together(self: Store, session: Session, draft_id: str) -> list[tuple[Entry, str]]:
        session.flush()
        with suppress(threading.BrokenBarrierError):
            both.wait(1)
        return look(self, session, draft_id)

    monkeypatch.setattr(Store, "_line_of", look_together)

    def accept(store: Store, draft: Draft) -> bool:
        return store.accept_draft(draft, {"written": False}, server=SERVER, patient_id="p1")

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(accept, stores, drafts)) == [False, True]


CLAIM = """
import json, sys, time
from smart_app.sealing import Sealer
from smart_app.store import Store
store = Store(sys.argv[1], Sealer(b"k" * 32), clock_s=lambda: 1_800_000_000.0, new_id=lambda: "x")
sys.stdin.readline()
sent = []
while due := store.due_plans("https://ehr.example/fhir", limit=5):
    for each in due:
        if store.claim_entry(each.draft_id, hold_s=60, at_once=False):
            sent.append([each.entry.line, each.entry.place, each.draft_id])
            time.sleep(0.002)
            draft = store.load_draft(each.launch_id, each.draft_id)
            store.save_written(draft.id, {"written": True})
print(json.dumps(sent))
store.close()
"""


def test_workers_in_processes_of_their_own_send_each_plan_once_and_in_order(
    store: Store, clock: Clock, database_url: str
) -> None:
    launch(store, clock, "l1")
    drafts = [accepted(store, "l1", f"p{number % 7}").id for number in range(42)]
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", CLAIM, database_url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for worker in workers:
        assert worker.stdin is not None
        worker.stdin.write("go\n")
        worker.stdin.flush()
    told = [json.loads(worker.communicate(timeout=120)[0]) for worker in workers]
    sent = [draft for each in told for _, _, draft in each]
    assert sorted(sent) == sorted(drafts)
    for mine in told:
        for line in {each[0] for each in mine}:
            places = [place for of_line, place, _ in mine if of_line == line]
            assert places == sorted(places)


def test_a_plan_that_another_launch_took_over_meanwhile_does_not_wait_for_a_sign_in(
    store: Store, one: Draft, clock: Clock
) -> None:
    (found,) = store.due_plans(SERVER, limit=9)
    clock.now += 3600
    launch(store, clock, "l2")
    after = After(SIGN_IN, int(clock.now), 0)
    assert not store.put_off_unclaimed(one.id, after, SAID, launch_id=found.launch_id)
    assert due(store) == [one.id]


def test_what_waits_for_a_sign_in_goes_with_a_token_that_was_renewed_meanwhile(
    store: Store, one: Draft, clock: Clock
) -> None:
    assert store.put_off_unclaimed(one.id, After(SIGN_IN, int(clock.now), 0), SAID)
    store.end_launch("l1", return_to=None)
    body = {**store.reload_launch("l1").body, "access_token": "renewed"}
    store.renew_launch("l1", body, usable_until=int(clock.now) + 300)
    assert due(store) == [one.id]


def test_a_new_launch_takes_over_what_waits_for_a_sign_in_in_one_that_is_still_open(
    store: Store, one: Draft, clock: Clock
) -> None:
    other = store.save_draft("l1", protocol="LUNG", body={})
    assert store.put_off_unclaimed(one.id, After(SIGN_IN, int(clock.now), 0), SAID)
    launch(store, clock, "other-patient", "p2")
    assert due(store) == []
    launch(store, clock, "l2")
    (found,) = store.due_plans(SERVER, limit=9)
    assert (found.draft_id, found.launch_id) == (one.id, "l2")
    assert store.load_draft("l1", other.id).state == "draft"


def test_an_access_that_the_ehr_refused_is_over(store: Store, one: Draft, clock: Clock) -> None:
    assert store.put_off_unclaimed(one.id, After(SIGN_IN, int(clock.now), 0), SAID)
    store.end_refused("l1", "token-l1", draft_id=one.id)
    assert store.reload_launch("l1").usable_until == int(clock.now)
    assert state_of(store, one) == SIGN_IN


def test_a_sign_in_that_came_while_the_token_before_was_refused_goes_on_and_sends_the_plan(
    store: Store, one: Draft, clock: Clock
) -> None:
    launch(store, clock, "l1")
    assert store.put_off_unclaimed(one.id, After(SIGN_IN, int(clock.now), 0), SAID)
    store.end_refused("l1", "an-older-token", draft_id=one.id)
    assert store.reload_launch("l1").usable_until > int(clock.now)
    assert due(store) == [one.id]


def test_a_launch_that_took_a_plan_over_while_a_token_was_refused_sends_it(
    store: Store, one: Draft, clock: Clock
) -> None:
    clock.now += 3600
    launch(store, clock, "l2")
    assert store.put_off_unclaimed(one.id, After(SIGN_IN, int(clock.now), 0), SAID)
    store.end_refused("l1", "token-l1", draft_id=one.id)
    assert store.reload_launch("l2").usable_until > int(clock.now)
    assert due(store) == [one.id]


def test_what_is_refused_for_a_plan_that_is_gone_with_its_launch_is_nothing(store: Store) -> None:
    store.end_refused("gone", "token", draft_id="gone")
