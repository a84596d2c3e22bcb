"""A store on each database that the app runs on, with a clock that a test may move."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from smart_app.sealing import Sealer
from smart_app.store import Store
from tests.smart_app.tables_once import begin_with_tables, make_tables

KEY = b"k" * 32


class Clock:
    """Seconds since 1970."""

    now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def has_tables() -> bool:
    """Whether the database of a test begins with this release's tables; it is empty otherwise."""
    return True


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, has_tables: bool) -> str:
    """The URL of a database of the test's own, in which nothing is kept yet."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'a.sqlite3'}"
        if has_tables:
            begin_with_tables(url)
        return url
    postgres = request.getfixturevalue("postgres")
    return str(postgres.new_copy(make_tables) if has_tables else postgres.new_database())


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
