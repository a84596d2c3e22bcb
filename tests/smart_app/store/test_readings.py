"""What was read for a launch: the read that began last is kept, in whatever order they end."""

import zlib
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from smart_app.sealing import Sealer
from smart_app.store import Store
from smart_app.store.readings import to_text

KEEP_S = 300


class Clock:
    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'a.sqlite3'}"


@pytest.fixture
def stores(url: str, clock: Clock):
    """Two workers at one database, with a launch."""
    ids = iter(f"id{number}" for number in range(1000))
    workers = [
        Store(url, Sealer(b"k" * 32), clock_s=clock, new_id=lambda: next(ids)) for _ in range(2)
    ]
    save_launch(workers[0], clock, "l")
    yield workers
    for worker in workers:
        worker.close()


def save_launch(store: Store, clock: Clock, launch_id: str) -> None:
    store.save_launch(
        launch_id,
        f"secret-{launch_id}",
        {"access_token": "t"},
        owner=("https://ehr.example/fhir", "user", launch_id),
        usable_until=int(clock.now) + 1000,
        expires_at=int(clock.now) + 1000,
    )


def shown(store: Store, launch_id: str = "l") -> object:
    """Return what a page of that worker would show; None when it would read anew."""
    version = store.reading_version(launch_id, keep_s=KEEP_S)
    kept = store.load_reading(launch_id)
    assert (version is None) is (kept is None)
    assert kept is None or kept.version == version
    return None if kept is None else kept.body["inr"]


def read(store: Store, inr: object, launch_id: str = "l") -> object:
    ticket = store.begin_reading(launch_id)
    return store.keep_reading(launch_id, ticket, {"inr": inr}, keep_s=KEEP_S)


def test_what_one_worker_read_the_other_shows(stores) -> None:
    one, other = stores
    assert shown(other) is None
    read(one, Decimal("1.00"))
    assert str(shown(other)) == "1.00"
    read(other, Decimal("9.0"))
    assert str(shown(one)) == "9.0"


def test_the_read_that_began_last_wins_though_it_ends_first(stores) -> None:
    one, other = stores
    early = one.begin_reading("l")
    late = other.begin_reading("l")
    assert other.keep_reading("l", late, {"inr": 9}, keep_s=KEEP_S) is not None
    assert one.keep_reading("l", early, {"inr": 1}, keep_s=KEEP_S) is None
    assert shown(one) == shown(other) == 9


def test_what_was_begun_before_read_again_is_not_kept_after_it(stores) -> None:
    one, other = stores
    read(one, 1)
    under_way = one.begin_reading("l")
    other.drop_reading("l")
    assert shown(one) is None
    assert one.keep_reading("l", under_way, {"inr": 1}, keep_s=KEEP_S) is None
    assert shown(other) is None
    read(other, 9)
    assert shown(one) == 9


def test_a_reading_goes_with_its_time_its_end_and_its_launch(stores, clock: Clock, url: str):
    store = stores[0]
    for launch_id in ("ended", "removed", "old"):
        save_launch(store, clock, launch_id)
        read(store, 1, launch_id)
    store.end_launch("ended", return_to=None)
    assert shown(store, "ended") is None
    clock.now += KEEP_S
    assert store.reading_version("old", keep_s=KEEP_S) is None
    read(store, 2)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("PRAGMA foreign_keys=ON"))
        connection.execute(text("DELETE FROM launches WHERE id = 'removed'"))
        left = connection.execute(
            text("SELECT launch_id FROM readings WHERE sealed IS NOT NULL")
        ).all()
        rows = connection.execute(text("SELECT launch_id FROM readings ORDER BY launch_id")).all()
    engine.dispose()
    assert left == [("l",)]
    assert rows == [("ended",), ("l",), ("old",)]


def test_a_read_for_a_launch_that_was_removed_is_kept_nowhere(stores) -> None:
    assert read(stores[0], 1, "gone") is None
    assert shown(stores[0], "gone") is None
    stores[0].drop_reading("gone")


def test_a_reading_is_sealed_small_and_bound_to_its_launch(stores, clock: Clock, url: str):
    store = stores[0]
    save_launch(store, clock, "other")
    read(store, ["HALLORAN"] * 20_000)
    read(store, 1, "other")
    engine = create_engine(url)
    with engine.begin() as connection:
        (sealed,) = connection.execute(
            text("SELECT sealed FROM readings WHERE launch_id = 'l'")
        ).one()
        connection.execute(
            text("UPDATE readings SET sealed = :sealed WHERE launch_id = 'other'"),
            {"sealed": sealed},
        )
    engine.dispose()
    assert len(sealed) < 5_000
    assert b"HALLORAN" not in sealed
    assert b"HALLORAN" not in zlib.compress(sealed)
    assert store.load_reading("other") is None


def test_a_reading_that_another_key_sealed_is_read_anew(stores, url: str) -> None:
    """Its key was changed, and the old one taken away, while the reading was kept."""
    read(stores[0], 1)
    assert stores[1].load_reading("l") is not None
    sealed = Sealer(b"o" * 32).seal({"packed": ""}, "reading:l")
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE readings SET sealed = :sealed"), {"sealed": sealed})
    engine.dispose()
    assert stores[1].load_reading("l") is None


def test_digits_and_words_are_kept_as_they_are() -> None:
    body = {"a": [Decimal("1.00"), Decimal("1E+3"), 5, True, None, 'say "é"\n'], "b": {}}
    assert to_text(body) == '{"a": [1.00, 1E+3, 5, true, null, "say \\"é\\"\\n"], "b": {}}'
    with pytest.raises(TypeError, match="set is no JSON value"):
        to_text({"a": {1}})
