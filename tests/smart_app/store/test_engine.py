"""The way to an SQLite file that other processes open, write to and close at the same moment."""

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy.exc import DatabaseError, OperationalError

from smart_app.store import engine as engines
from smart_app.store.engine import make_engine


@pytest.fixture
def has_tables() -> bool:
    """Here none are needed."""
    return False


@pytest.fixture
def written_to(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that holds the write lock of a file without a write-ahead log."""
    with closing(sqlite3.connect(tmp_path / "a", check_same_thread=False)) as other:
        other.execute("CREATE TABLE one (a)")
        other.commit()
        other.execute("BEGIN IMMEDIATE")
        yield other


def mode_of(path: Path) -> str:
    engine = make_engine(f"sqlite:///{path}")
    try:
        with engine.connect() as connection:
            return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())
    finally:
        engine.dispose()


def test_a_file_that_another_is_writing_to_is_waited_for(
    written_to: sqlite3.Connection, tmp_path: Path
) -> None:
    end = threading.Timer(0.5, written_to.commit)
    end.start()
    try:
        assert mode_of(tmp_path / "a") == "wal"
    finally:
        end.join()


def test_the_wait_has_an_end(
    written_to: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_BUSY_S", 0)
    with pytest.raises(OperationalError, match="locked"):
        mode_of(tmp_path / "a")


def test_what_is_no_database_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"no database" * 100)
    with pytest.raises(DatabaseError, match="not a database"):
        mode_of(tmp_path / "a")


def test_a_log_that_goes_while_its_mode_is_set_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a-wal").touch()
    as_it_is = os.chmod

    def gone_before(path: Path, *rest: object, **more: object) -> None:
        Path(path).unlink()
        as_it_is(path, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "chmod", gone_before)
    make_engine(f"sqlite:///{tmp_path / 'a'}").dispose()
    assert not (tmp_path / "a-wal").exists()
