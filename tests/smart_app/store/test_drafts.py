"""Drafts and receipts in the database."""

import threading
from decimal import Decimal
from pathlib import Path

import pytest

from ivfhir.errors import DraftGoneError, ForeignDraftError, VersionConflictError
from smart_app.store import Store
from tests.smart_app.store.conftest import Clock


@pytest.fixture
def store(store: Store) -> Store:
    for name in ("a", "b"):
        store.save_launch(name, "s", {}, owner=(name, "", ""), usable_until=2**31, expires_at=2**31)
    return store


def test_a_draft_comes_back_with_every_digit(store: Store) -> None:
    body = {"carePlan": {"x": Decimal("2.50")}, "list": [1, None]}
    draft = store.save_draft("a", protocol="LUNG", body=body)
    loaded = store.load_draft("a", draft.id)
    assert loaded == draft
    assert str(loaded.body["carePlan"]["x"]) == "2.50"
    assert (loaded.state, loaded.version, loaded.protocol) == ("draft", 1, "LUNG")


def test_a_draft_of_another_launch_is_refused(store: Store) -> None:
    draft = store.save_draft("a", protocol="LUNG", body={})
    with pytest.raises(ForeignDraftError):
        store.load_draft("b", draft.id)
    with pytest.raises(ForeignDraftError):
        store.load_receipt("b", draft.id)
    with pytest.raises(DraftGoneError):
        store.load_draft("a", "absent")


def test_drafts_are_listed_newest_first(store: Store, clock: Clock) -> None:
    first = store.save_draft("a", protocol="LUNG", body={})
    clock.now += 1
    second = store.save_draft("a", protocol="LUNG", body={})
    store.save_draft("b", protocol="LUNG", body={})
    assert [draft.id for draft in store.drafts("a")] == [second.id, first.id]


def test_a_save_on_top_of_another_is_refused(store: Store) -> None:
    draft = store.save_draft("a", protocol="LUNG", body={"n": 1})
    newer = store.update_draft(draft, body={"n": 2})
    assert (newer.version, newer.body) == (2, {"n": 2})
    with pytest.raises(VersionConflictError, match="another window"):
        store.update_draft(draft, body={"n": 3})
    assert store.load_draft("a", draft.id).body == {"n": 2}


def test_a_draft_that_is_being_sent_is_not_changed(store: Store) -> None:
    draft = store.save_draft("a", protocol="LUNG", body={})
    assert store.claim_draft(draft)
    with pytest.raises(VersionConflictError):
        store.update_draft(draft, body={"n": 1})


def test_of_twenty_that_claim_a_draft_one_gets_it(store: Store) -> None:
    draft = store.save_draft("a", protocol="LUNG", body={})
    got: list[bool] = []
    threads = [
        threading.Thread(target=lambda: got.append(bool(store.claim_draft(draft))))
        for _ in range(20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 19 + [True]


def test_a_claim_ends_when_its_holder_is_taken_for_dead(store: Store, clock: Clock) -> None:
    draft = store.save_draft("a", protocol="LUNG", body={})
    assert store.claim_draft(draft, hold_s=60)
    clock.now += 59
    assert not store.claim_draft(draft, hold_s=60)
    clock.now += 1
    assert store.claim_draft(draft, hold_s=60)


def test_a_claim_that_was_given_back_can_be_had_again_until_the_draft_is_accepted(
    store: Store,
) -> None:
    draft = store.save_draft("a", protocol="LUNG", body={})
    assert store.claim_draft(draft)
    store.release_draft(draft, state="draft")
    assert not store.claim_draft(draft)
    draft = store.load_draft("a", draft.id)
    assert store.claim_draft(draft)
    store.release_draft(draft, state="accepted")
    assert not store.claim_draft(store.load_draft("a", draft.id))


def test_a_draft_that_was_saved_since_it_was_seen_is_not_claimed(store: Store) -> None:
    seen = store.save_draft("a", protocol="LUNG", body={"v": 1})
    saved = store.update_draft(seen, body={"v": 2})
    assert not store.claim_draft(seen)
    assert store.claim_draft(saved)


def test_a_receipt_is_one_a_draft_and_closes_it_when_written(store: Store) -> None:
    draft = store.save_draft("a", protocol="LUNG", body={})
    assert store.load_receipt("a", draft.id) is None
    assert store.claim_draft(draft)
    store.save_receipt(draft, {"written": False})
    assert store.load_draft("a", draft.id).state == "sending"
    store.save_written(draft.id, {"written": True, "n": Decimal("1.0")})
    receipt = store.load_receipt("a", draft.id)
    assert receipt is not None
    assert receipt.body == {"written": True, "n": Decimal("1.0")}
    assert store.load_draft("a", draft.id).state == "written"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_nothing_clinical_is_readable_on_disk_or_in_a_repr(store: Store, tmp_path: Path) -> None:
    draft = store.save_draft("a", protocol="LUNG", body={"name": "HALLORAN"})
    store.save_receipt(draft, {"name": "HALLORAN"})
    assert "HALLORAN" not in repr(draft)
    files = [path.read_bytes() for path in tmp_path.iterdir()]
    assert files
    assert all(b"HALLORAN" not in content for content in files)


def test_a_discarded_draft_is_gone_with_its_receipt(store: Store) -> None:
    draft = store.save_draft("a", protocol="LUNG", body={"v": 1})
    store.save_receipt(draft, {"written": False})
    assert store.discard_draft(draft)
    assert not store.discard_draft(draft)
    assert store.drafts("a") == []
    with pytest.raises(DraftGoneError):
        store.load_receipt("a", draft.id)


def test_only_the_draft_that_was_seen_is_discarded(store: Store) -> None:
    seen = store.save_draft("a", protocol="LUNG", body={"v": 1})
    saved = store.update_draft(seen, body={"v": 2})
    assert not store.discard_draft(seen)
    assert store.claim_draft(saved)
    assert not store.discard_draft(saved)
    store.release_draft(saved, state="accepted")
    assert not store.discard_draft(store.load_draft("a", seen.id))
    assert store.load_draft("a", seen.id).body == {"v": 2}
