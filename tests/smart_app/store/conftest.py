"""A store on each database that the app runs on, with a clock that a test may move."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smart_app.sealing import Sealer
from smart_app.store import Store

KEY = b"k" * 32


class Clock:
    """Seconds since 1970."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'a.sqlite3'}"
    url: str = request.getfixturevalue("postgres").new_database()
    return url


@pytest.fixture
def open_store(database_url: str, clock: Clock) -> Iterator[Callable[..., Store]]:
    """A function that opens a store as one process does."""
    opened: list[Store] = []
    ids = iter(f"id{number}" for number in range(100_000))

    def open_one(url: str = database_url, sealer: Sealer | None = None) -> Store:
        sealer = Sealer(KEY) if sealer is None else sealer
        store = Store(url, sealer, clock_s=clock, new_id=lambda: next(ids))
        opened.append(store)
        return store

    yield open_one
    for store in opened:
        store.close()


@pytest.fixture
def store(open_store: Callable[..., Store]) -> Store:
    return open_store()
