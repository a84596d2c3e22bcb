"""What the database is rid of in time."""

import threading
import time
from collections.abc import Callable

import pytest
from sqlalchemy import event, text

from smart_app.store import Store
from smart_app.store.engine import make_engine
from tests.smart_app.store.conftest import Clock

ROWS = 20_000


def test_of_many_whose_turn_it_may_be_one_does_it_and_not_again_for_a_while(
    store: Store, clock: Clock
) -> None:
    got: list[bool] = []
    threads = [
        threading.Thread(target=lambda: got.append(store.claim_chore("clean", every_s=60)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(got) == [False] * 7 + [True]
    clock.now += 59
    assert not store.claim_chore("clean", every_s=60)
    assert store.claim_chore("other", every_s=60)
    clock.now += 1
    assert store.claim_chore("clean", every_s=60)


def test_twenty_thousand_ended_launches_are_removed_in_short_transactions_without_decrypting(
    store: Store, open_store: Callable[..., Store], clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = store._sealer.seal({}, "launch:x")
    rows = [{"id": f"l{n}", "sealed": sealed, "at": int(clock.now)} for n in range(ROWS)]
    with store._engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO launches (id, browser_hash, owner, sealed, created_at, usable_until, "
                "expires_at, refreshing_until, holds_tokens) "
                "VALUES (:id, '', '', :sealed, :at, :at, :at, 0, false)"
            ),
            rows,
        )
    began: dict[int, float] = {}
    lasted: list[float] = []
    for name, note in (
        ("begin", lambda c: began.__setitem__(id(c), time.perf_counter())),
        ("commit", lambda c: lasted.append(time.perf_counter() - began[id(c)])),
    ):
        event.listen(store._engine, name, note)
    monkeypatch.setattr(store._sealer, "open", lambda *_: pytest.fail("something was decrypted"))
    assert store.remove_expired(keep_days=1) == 0
    assert max(lasted) < 0.1, "looking for nothing took long"
    clock.now += 2 * 86_400
    assert store.remove_expired(keep_days=1) == 10_000
    assert store.remove_expired(keep_days=1) == 10_000
    assert len(lasted) > ROWS / 200
    assert sorted(lasted)[len(lasted) // 2] < 0.1, "a batch holds the database for long"


def test_tokens_go_in_several_batches_and_what_else_a_launch_holds_stays(
    store: Store, clock: Clock
) -> None:
    for number in range(450):
        store.save_launch(
            f"l{number}",
            "s",
            {"access_token": "t", "refresh_token": "r", "patient": "p"},
            owner=(str(number), "", ""),
            usable_until=int(clock.now),
            expires_at=int(clock.now),
        )
    store.remove_expired(keep_days=1)
    bodies = [store.reload_launch(f"l{number}").body for number in range(450)]
    assert bodies == [{"patient": "p"}] * 450


def test_a_launch_that_no_key_opens_keeps_no_other_from_losing_its_tokens(
    store: Store, clock: Clock, database_url: str
) -> None:
    now = int(clock.now)
    for name in ("a", "b"):
        body = {"access_token": "t", "patient": "p"}
        owner = (name, "", "")
        store.save_launch(name, "s", body, owner=owner, usable_until=now, expires_at=now)
    engine = make_engine(database_url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE launches SET sealed = :x WHERE id = 'a'"), {"x": b"lost"})
    engine.dispose()
    store.remove_expired(keep_days=1)
    assert store.reload_launch("b").body == {"patient": "p"}
    clock.now += 2 * 86_400
    assert store.remove_expired(keep_days=1) == 2
