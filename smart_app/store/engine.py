"""The way to the database: SQLite in one file, or PostgreSQL."""

import os
import sqlite3
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import URL, Engine, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.exc import ArgumentError

from ivfhir.errors import SettingsError
from ivfhir.sqlite import is_busy

_BUSY_S = 5
"""How long a statement waits for another writer before the page says that it cannot be done."""

_POSTGRES_LIMITS = (
    f"-c lock_timeout={_BUSY_S}s -c statement_timeout=15s "
    "-c idle_in_transaction_session_timeout=60s"
)
_OWNER_ONLY = 0o600
_ASK_AGAIN_S = 0.02


def make_engine(url: str, *, threads: int = 8) -> Engine:
    """Return the engine of a database; it is not reached yet.

    Args:
        url: a SQLAlchemy URL; `postgresql://` means psycopg.
        threads: how many requests of this process may need a connection at once.

    Raises:
        SettingsError: the URL cannot be meant, its driver is not installed, or the file of an
            SQLite database cannot be made.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername in ("postgresql", "postgres"):
            parsed = parsed.set(drivername="postgresql+psycopg")
        engine = create_engine(parsed, hide_parameters=True, **_options(parsed, threads))
    except (ArgumentError, ImportError) as error:
        raise SettingsError(
            "database_url is no SQLAlchemy URL, or its driver is not installed. PostgreSQL needs "
            "pip install 'ivfhir[postgres]'."
        ) from error
    if engine.dialect.name == "sqlite":
        _keep_to_owner(parsed.database)
        event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _options(url: URL, threads: int) -> dict[str, Any]:
    if url.get_backend_name() != "postgresql":
        return {}
    return {
        "pool_pre_ping": True,
        "pool_size": max(threads, 1),
        "max_overflow": 2,
        "pool_timeout": _BUSY_S,
        "pool_recycle": 1800,
        "connect_args": {"connect_timeout": _BUSY_S, "options": _POSTGRES_LIMITS},
    }


def _keep_to_owner(database: str | None) -> None:
    """Make the file readable by its owner alone; SQLite gives -wal and -shm the same mode."""
    if not database or database == ":memory:" or database.startswith("file:"):
        return
    try:
        os.close(os.open(database, os.O_RDWR | os.O_CREAT, _OWNER_ONLY))
    except OSError as error:
        raise SettingsError(
            f"database_url: {database} cannot be opened or made: {error.strerror}."
        ) from error
    for path in (Path(database), Path(f"{database}-wal"), Path(f"{database}-shm")):
        with suppress(FileNotFoundError):  # The last process to close the database removes these.
            if path.stat().st_uid == os.geteuid():
                path.chmod(_OWNER_ONLY)


def _set_up_sqlite(connection: DBAPIConnection, _record: object) -> None:
    """Readers do not block the writer, writers wait for each other, and foreign keys hold."""
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={_BUSY_S * 1000}")
    _write_ahead(cursor)
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _write_ahead(cursor: DBAPICursor) -> None:
    """Keep a write-ahead log, as the file remembers from then on.

    Of connections that turn to it at one moment SQLite refuses some without the wait that
    `busy_timeout` asks for; they ask again.
    """
    until = time.monotonic() + _BUSY_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if not is_busy(error) or time.monotonic() > until:
                raise
            time.sleep(_ASK_AGAIN_S)
        else:
            return
