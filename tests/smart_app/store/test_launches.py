"""Sign-ins and launches in the database."""

import threading
from pathlib import Path

import pytest

from ivfhir.errors import SessionEndedError, SettingsError
from smart_app.sealing import Sealer
from smart_app.store import Store
from tests.smart_app.store.conftest import Clock

OWNER = ("https://ehr.example/fhir", "user", "patient")


def keep(store: Store, clock: Clock, launch_id: str, *, life_s: int = 100, **more: object):
    options = {
        "owner": OWNER,
        "usable_until": int(clock.now) + life_s,
        "expires_at": int(clock.now) + 1000,
        **more,
    }
    return store.save_launch(launch_id, f"secret-{launch_id}", {"access_token": "t"}, **options)


def test_a_sign_in_is_used_once(store: Store) -> None:
    store.save_sign_in("state", "browser", {"a": 1}, life_s=10)
    assert store.sign_in_is_open("state")
    assert store.use_sign_in("state", "browser") == {"a": 1}
    assert store.use_sign_in("state", "browser") is None
    assert not store.sign_in_is_open("state")


def test_another_browser_neither_uses_a_sign_in_nor_spoils_it(store: Store) -> None:
    store.save_sign_in("state", "browser", {}, life_s=10)
    assert store.use_sign_in("state", "other") is None
    assert store.use_sign_in("other", "browser") is None
    assert store.use_sign_in("state", "browser") == {}


def test_a_sign_in_ends_by_itself(store: Store, clock: Clock) -> None:
    store.save_sign_in("state", "browser", {}, life_s=10)
    clock.now += 10
    assert not store.sign_in_is_open("state")
    assert store.use_sign_in("state", "browser") is None


def test_of_many_that_use_a_sign_in_at_once_one_gets_it(store: Store) -> None:
    store.save_sign_in("state", "browser", {}, life_s=10)
    got: list[object] = []
    threads = [
        threading.Thread(target=lambda: got.append(store.use_sign_in("state", "browser")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(map(str, got)) == ["None"] * 7 + ["{}"]


def test_a_launch_opens_for_its_browser_alone(store: Store, clock: Clock) -> None:
    keep(store, clock, "a")
    record = store.load_launch("a", "secret-a")
    assert record is not None
    assert record.body == {"access_token": "t"}
    assert "t" not in repr(record)[20:] or "access_token" not in repr(record)
    assert store.load_launch("a", "secret-b") is None
    assert store.load_launch("b", "secret-a") is None


def test_one_caller_renews(store: Store, clock: Clock) -> None:
    keep(store, clock, "a")
    assert store.claim_refresh("a", hold_s=10)
    assert not store.claim_refresh("a", hold_s=10)
    store.renew_launch("a", {"access_token": "t2"}, usable_until=int(clock.now) + 50)
    assert store.reload_launch("a").body == {"access_token": "t2"}
    assert store.claim_refresh("a", hold_s=10)
    clock.now += 10
    assert store.claim_refresh("a", hold_s=10)


def test_a_launch_that_was_removed_has_ended(store: Store) -> None:
    with pytest.raises(SessionEndedError):
        store.reload_launch("a")


def test_drafts_follow_their_owner_from_a_launch_that_is_over(store: Store, clock: Clock) -> None:
    keep(store, clock, "a")
    draft = store.save_draft("a", protocol="LUNG", body={})
    store.end_launch("a", return_to="review/x")
    assert keep(store, clock, "b") == "review/x"
    assert store.load_draft("b", draft.id).launch_id == "b"
    assert store.load_launch("a", "secret-a") is None


@pytest.mark.parametrize("part", [0, 1, 2])
def test_another_owner_takes_nothing_over(store: Store, clock: Clock, part: int) -> None:
    keep(store, clock, "a")
    draft = store.save_draft("a", protocol="LUNG", body={})
    store.end_launch("a", return_to="review/x")
    other = tuple("other" if number == part else value for number, value in enumerate(OWNER))
    assert keep(store, clock, "b", owner=other) is None
    assert store.load_draft("a", draft.id) == draft


def test_a_launch_that_runs_is_left_alone(store: Store, clock: Clock) -> None:
    keep(store, clock, "a")
    keep(store, clock, "b")
    assert store.load_launch("a", "secret-a") is not None


def test_ended_launches_lose_their_tokens_and_then_go(store: Store, clock: Clock) -> None:
    keep(store, clock, "a")
    clock.now += 1000
    assert store.remove_expired(keep_days=1) == 0
    assert store.reload_launch("a").body == {}
    clock.now += 86_400
    assert store.remove_expired(keep_days=1) == 1
    assert store.load_launch("a", "secret-a") is None


def test_a_launch_with_a_signed_plan_that_is_not_written_stays(store: Store, clock: Clock) -> None:
    keep(store, clock, "a")
    draft = store.save_draft("a", protocol="LUNG", body={})
    store.claim_draft(draft)
    store.release_draft(draft, state="accepted")
    clock.now += 10 * 86_400
    assert store.remove_expired(keep_days=1) == 0
    assert store.load_draft("a", draft.id).state == "accepted"


def test_a_database_that_cannot_be_had_is_a_setting_s_fault(tmp_path: Path) -> None:
    for url in ("nonsense", "unheard://x", f"sqlite:///{tmp_path}/absent/x.sqlite3"):
        with pytest.raises(SettingsError, match="database_url"):
            Store(url, Sealer(b"k" * 32), clock_s=lambda: 0.0, new_id=lambda: "x")


def test_the_other_launches_are_those_of_the_same_user_and_patient(
    store: Store, clock: Clock
) -> None:
    keep(store, clock, "first")
    clock.now += 1
    keep(store, clock, "second")
    keep(store, clock, "foreign", owner=("https://ehr.example/fhir", "user", "another"))
    keep(store, clock, "third")
    assert set(store.other_launches("third")) == {"first", "second"}
    assert store.other_launches("foreign") == []
    assert store.other_launches("unknown") == []
