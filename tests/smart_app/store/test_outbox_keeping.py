"""The outbox as whoever runs the app sees and changes it; and what an earlier release left."""

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from sqlite3 import connect

import pytest
from sqlalchemy import text

from ivfhir.errors import UsageError
from ivfhir.outbox.failing import After
from ivfhir.outbox.line import DELIVERED, DROPPED, PARKED, SIGN_IN, WAITING
from smart_app.store import Draft, Store
from smart_app.store.engine import make_engine
from smart_app.store.uses import SIGNED_OUT
from tests.smart_app.store.conftest import Clock
from tests.smart_app.store.test_outbox import SAID, accepted, claim, due, launch, state_of
from tests.smart_app.store.test_schema import RELEASE, release  # noqa: F401 - a fixture


@pytest.fixture
def parked(store: Store, clock: Clock) -> Draft:
    launch(store, clock, "l1")
    draft = accepted(store, "l1")
    assert claim(store, draft)
    store.put_off(draft.id, After(PARKED, int(clock.now), 8), SAID)
    return draft


def test_a_parked_plan_is_tried_again_when_it_is_told_so(
    store: Store, parked: Draft, clock: Clock
) -> None:
    accepted_at = int(clock.now)
    clock.now += 4 * 86_400
    [found] = store.outbox()
    store.retry_entry(found.entry.id)
    assert store.load_draft("l1", parked.id).state == "accepted"
    again = store.outbox_entry(found.entry.id).entry
    assert (again.state, again.failures) == (WAITING, 0)
    assert (again.accepted_at, again.counts_from) == (accepted_at, int(clock.now))
    assert due(store) == [parked.id]


def test_a_draft_that_was_changed_since_is_not_sent_as_it_was_before(
    store: Store, parked: Draft
) -> None:
    store.update_draft(store.load_draft("l1", parked.id), body={"changed": True})
    [found] = store.outbox()
    with pytest.raises(UsageError, match=r"or changed, since .* accepts it anew"):
        store.retry_entry(found.entry.id)
    assert state_of(store, parked) == PARKED
    assert store.load_draft("l1", parked.id).state == "draft"


def test_what_is_dropped_is_not_sent_and_its_draft_is_kept(store: Store, clock: Clock) -> None:
    launch(store, clock, "l1")
    draft = accepted(store, "l1")
    [found] = store.outbox()
    assert claim(store, draft)
    with pytest.raises(UsageError, match="being sent"):
        store.drop_entry(found.entry.id)
    store.put_off(draft.id, After(WAITING, int(clock.now), 0), SAID)
    store.drop_entry(found.entry.id)
    assert (state_of(store, draft), store.outbox(), due(store)) == (DROPPED, [], [])
    assert len(store.outbox(every=True)) == 1
    assert store.load_draft("l1", draft.id).state == "draft"
    for step in (store.drop_entry, store.retry_entry):
        with pytest.raises(UsageError, match="dropped"):
            step(found.entry.id)


def test_what_a_killed_holder_left_is_dropped_though_the_clock_was_set_back(
    store: Store, clock: Clock
) -> None:
    launch(store, clock, "l1")
    draft = accepted(store, "l1")
    [found] = store.outbox()
    assert store.claim_entry(draft.id, hold_s=120, at_once=False)
    for back_s in (0, 59, 60):
        clock.now -= back_s
        with pytest.raises(UsageError, match="being sent"):
            store.drop_entry(found.entry.id)
        clock.now += back_s
    clock.now -= 61
    store.drop_entry(found.entry.id)
    dropped = store.waiting_of(draft.id)
    assert dropped is not None
    assert (dropped.entry.state, dropped.known) == (DROPPED, "unclear")
    assert store.load_draft("l1", draft.id).state == "draft"
    assert store.claim_draft(store.load_draft("l1", draft.id))


def delivers(store: Store, draft: Draft) -> None:
    assert claim(store, draft, at_once=True)
    assert store.save_written(draft.id, {"written": True, "ended": [], "entries": []})


@pytest.mark.parametrize("state", [WAITING, SIGN_IN])
def test_what_is_delivered_while_it_is_told_to_be_tried_again_stays_delivered(
    store: Store,
    open_store: Callable[[], Store],
    clock: Clock,
    monkeypatch: pytest.MonkeyPatch,
    state: str,
) -> None:
    launch(store, clock, "l1")
    draft = accepted(store, "l1")
    assert claim(store, draft)
    store.put_off(draft.id, After(state, int(clock.now), 0), SAID)
    [found] = store.outbox()
    delivers(open_store(), draft)
    monkeypatch.setattr(store, "outbox_entry", lambda _: found)  # As it was a moment ago.
    with pytest.raises(UsageError, match="nothing to send"):
        store.retry_entry(found.entry.id)
    monkeypatch.undo()
    assert state_of(store, draft) == DELIVERED


def test_a_plan_whose_state_changed_at_this_moment_is_not_told_to_be_tried_again(
    store: Store, parked: Draft, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    [found] = store.outbox()
    waiting = replace(found, entry=replace(found.entry, state=WAITING))
    monkeypatch.setattr(store, "outbox_entry", lambda _: waiting)
    with pytest.raises(UsageError, match="changed at this moment"):
        store.retry_entry(found.entry.id)
    assert state_of(store, parked) == PARKED


def test_a_row_that_was_left_behind_its_written_draft_can_be_dropped(
    store: Store, clock: Clock
) -> None:
    launch(store, clock, "l1")
    draft = accepted(store, "l1")
    [found] = store.outbox()
    delivers(store, draft)
    with store._transaction() as session:
        session.execute(text("UPDATE outbox SET state = 'waiting'"))
    with pytest.raises(UsageError, match="takes it off the list"):
        store.retry_entry(found.entry.id)
    later = accepted(store, "l1")
    assert due(store) == []
    store.drop_entry(found.entry.id)
    assert state_of(store, draft) == DELIVERED
    assert store.load_draft("l1", draft.id).state == "written"
    assert due(store) == [later.id]


@pytest.mark.parametrize("entry_id", ["nothing", "", "é", "\udcff", "id0\udcff"])
def test_an_unknown_id_is_said(store: Store, entry_id: str) -> None:
    for step in (store.drop_entry, store.retry_entry, store.outbox_entry):
        with pytest.raises(UsageError, match="no plan of that id"):
            step(entry_id)


def before_the_outbox(store: Store, launch_id: str, receipt: bool) -> Draft:
    """Return a draft as a release without an outbox left it, accepted or on its way."""
    draft = store.save_draft(launch_id, protocol="LUNG", body={})
    assert store.claim_draft(draft, hold_s=60)
    if receipt:
        store.save_receipt(draft, {"written": False, "bundle": {"entry": []}})
    return draft


def test_what_an_earlier_release_accepted_and_did_not_send_is_adopted(
    store: Store, clock: Clock
) -> None:
    launch(store, clock, "l1")
    launch(store, clock, "l2", "p2")
    unsent, unaccepted = (before_the_outbox(store, "l1", receipt) for receipt in (True, False))
    gone = before_the_outbox(store, "l2", True)
    store.close_launch("l2", reason=SIGNED_OUT, drafts_kept=True)
    assert store.adopt_unsent() == 0  # Somebody may be sending them at this moment.
    clock.now += 60
    assert store.adopt_unsent() == 2
    assert store.adopt_unsent() == 0
    assert due(store) == [unsent.id]
    assert state_of(store, gone) == SIGN_IN
    assert store.load_draft("l1", unaccepted.id).state == "draft"
    assert [each.known for each in store.outbox()] == ["unclear", "unclear"]
    store.drop_entry(store.outbox()[0].entry.id)
    assert [each.known for each in store.outbox(every=True)] == ["unclear", "unclear"]


def test_a_draft_whose_new_acceptance_was_cut_off_does_not_stay_claimed(
    store: Store, parked: Draft, clock: Clock
) -> None:
    assert store.claim_draft(store.load_draft("l1", parked.id), hold_s=60)
    clock.now += 60
    assert store.adopt_unsent() == 0
    assert store.load_draft("l1", parked.id).state == "draft"


@pytest.mark.parametrize("state", [WAITING, SIGN_IN])
def test_a_plan_that_waits_beside_what_counts_as_a_draft_is_sent(
    store: Store, clock: Clock, state: str
) -> None:
    launch(store, clock, "l1")
    stuck, behind = accepted(store, "l1"), accepted(store, "l1")
    if state == SIGN_IN:
        store.put_off_unclaimed(stuck.id, After(SIGN_IN, int(clock.now), 0), SAID)
    with store._transaction() as session:  # As an earlier release gave it back.
        session.execute(text("UPDATE drafts SET state = 'draft' WHERE id = :id"), {"id": stuck.id})
    assert due(store) == ([behind.id] if state == SIGN_IN else [])
    assert store.adopt_unsent() == 0
    assert store.load_draft("l1", stuck.id).state == "accepted"
    assert claim(store, stuck, at_once=True)
    assert state_of(store, stuck) == WAITING


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_accepted_draft_of_0_1_0_is_still_there_and_harms_nothing(
    release: str,  # noqa: F811 - the fixture
    open_store: Callable[..., Store],
) -> None:
    store = open_store(release)
    assert store.adopt_unsent() == 0
    with closing(connect(RELEASE)) as database:
        held = database.execute("SELECT count(*) FROM drafts").fetchone()[0]
    with closing(connect(release.removeprefix("sqlite:///"))) as database:
        assert database.execute("SELECT count(*) FROM drafts").fetchone()[0] == held


def test_what_no_key_opens_hides_nothing_and_is_not_adopted(
    store: Store, parked: Draft, clock: Clock, open_store: Callable[..., Store], database_url: str
) -> None:
    legacy = before_the_outbox(store, "l1", True)
    clock.now += 60
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE outbox SET said = :x"), {"x": b"nonsense"})
        connection.execute(text("UPDATE receipts SET sealed = :x"), {"x": b"nonsense"})
    engine.dispose()
    assert store.adopt_unsent() == 0
    assert [each.said for each in store.outbox()] == [{}]
    assert store.load_draft("l1", legacy.id).state == "sending"


def test_many_old_drafts_that_cannot_be_adopted_hide_none_that_can(
    store: Store, clock: Clock
) -> None:
    launch(store, clock, "l1")
    for number in range(230):
        draft = before_the_outbox(store, "l1", receipt=True)
        if number != 150:
            store.save_receipt(draft, {"written": False})  # Without what is to be sent.
        else:
            whole = draft
    clock.now += 60
    assert store.adopt_unsent() == 1
    assert due(store) == [whole.id]
    assert store.adopt_unsent() == 0


def test_a_parked_plan_is_kept_until_it_is_dropped(
    store: Store, parked: Draft, clock: Clock
) -> None:
    clock.now += 100 * 86_400
    assert store.remove_expired(keep_days=30) == 0
    [found] = store.outbox()
    assert (found.draft_id, found.said) == (parked.id, SAID)
    store.drop_entry(found.entry.id)
    assert store.remove_expired(keep_days=30) == 1
    assert store.outbox(every=True) == []
