"""The database behind the store: engine, tables, transactions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Result, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DatabaseError as RefusedError
from sqlalchemy.exc import InterfaceError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session

from ivfhir.errors import DatabaseError, SettingsError
from smart_app.sealing import Sealer
from smart_app.store.engine import make_engine
from smart_app.store.keeping import open_secrets
from smart_app.store.models import Base
from smart_app.store.schema import upgrade_schema

_READ_ONLY = "The database can be read but not written to; let the app's user write to it."
_NOT_NOW = (
    "The app's database does not answer, or is locked, so this could not be done. Try "
    "again in a minute; whoever runs this app sees at /health what is wrong."
)
_ONLY_READ = (
    "The app's database can be read but not written to at this moment, so this could not be kept. "
    "Try again in a minute; whoever runs this app sees at /health what is wrong."
)
_FULL = (
    "The app's database has no room left on its disk, so this could not be kept. Whoever runs this "
    "app has to make room; then try again."
)
_DAMAGED = (
    "The file of the database is damaged, or of something else. Stop the app, put the file back "
    "from a backup, and start the app again."
)
_SILENT = "The database does not answer; see whether it runs and can be reached."
_UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeoutError)


class Database:
    """What all parts of the store share: the engine, the sealer, the clock and the maker of ids.

    Args:
        url: a SQLAlchemy URL.
        sealer: encrypts what is kept.
        clock_s: seconds since 1970.
        new_id: makes an id that cannot be guessed, at most 32 characters that need no quoting in a
            URL.
        threads: how many requests of this process may need a connection at once.

    Raises:
        SettingsError: the URL cannot be meant, the tables are of a newer release, or another key
            sealed what it holds.
        DatabaseError: the database cannot be had; the message says what is wrong.
    """

    def __init__(
        self,
        url: str,
        sealer: Sealer,
        *,
        clock_s: Callable[[], float],
        new_id: Callable[[], str],
        threads: int = 8,
    ) -> None:
        """Reach the database and bring its tables up to this release."""
        self._sealer = sealer
        self._clock_s = clock_s
        self._new_id = new_id
        self._engine = make_engine(url, threads=threads)
        try:
            upgrade_schema(self._engine)
            self._secrets = open_secrets(self._engine, sealer)
        except (SettingsError, SQLAlchemyError) as error:
            self.close()
            if isinstance(error, SettingsError):
                raise
            raise DatabaseError(unreachable(self._engine, error)) from error
        sealer.adopt_fingerprint_key(self._secrets["fingerprint"])

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    def ping(self) -> None:
        """Ask the database for nothing, so that one that does not answer is noticed.

        Raises:
            DatabaseError: it does not answer, or cannot be written to now; the message says which.
        """
        file = self._engine.url.database
        if self._engine.dialect.name == "sqlite" and file and not Path(file).exists():
            raise DatabaseError(
                "The file of the database is gone. Stop the app, put the file back from a backup, "
                "and start the app again."
            )
        try:
            with self._engine.connect() as connection:
                if connection.dialect.name == "sqlite":
                    connection.exec_driver_sql("BEGIN IMMEDIATE")
                    version = connection.exec_driver_sql("PRAGMA user_version").scalar_one()
                    connection.exec_driver_sql(f"PRAGMA user_version={version}")  # A write.
                    connection.rollback()
                elif connection.scalar(text("SHOW transaction_read_only")) == "on":
                    raise DatabaseError(_READ_ONLY)
                connection.execute(text("SELECT 1"))
        except _UNAVAILABLE as error:
            raise DatabaseError(_what_is_wrong(error) or _SILENT) from error
        except RefusedError as error:
            if not _is_damaged(error):
                raise
            raise DatabaseError(_DAMAGED) from error

    @property
    def _now(self) -> int:
        return int(self._clock_s())

    def _insert(self, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
        """Return an INSERT that can say what is done when the row is there already."""
        if self._engine.dialect.name == "postgresql":
            return postgresql.insert(table)
        return sqlite.insert(table)

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        """Give a session whose changes are kept together when the block ends.

        Raises:
            DatabaseError: the database does not answer, or stays locked.
        """
        with (
            self._telling(),
            Session(self._engine, expire_on_commit=False) as session,
            session.begin(),
        ):
            yield session

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn the failures of a database that cannot be had into a DatabaseError."""
        try:
            yield
        except _UNAVAILABLE as error:
            raise DatabaseError(_why_not_now(error)) from error
        except RefusedError as error:
            if _is_read_only(error):  # A PostgreSQL that is being moved to another host, say.
                raise DatabaseError(_ONLY_READ) from error
            if not _is_damaged(error):
                raise
            raise DatabaseError(_DAMAGED) from error


def _why_not_now(error: Exception) -> str:
    if _is_full(error):
        return _FULL
    return _ONLY_READ if _is_read_only(error) else _NOT_NOW


def _is_full(error: Exception) -> bool:
    """Tell whether the database has no room left to write to."""
    said = str(getattr(error, "orig", ""))
    return "is full" in said or "No space left" in said or "disk full" in said


def _is_read_only(error: Exception) -> bool:
    """Tell whether the database can be read, and takes nothing that is to be kept."""
    said = str(getattr(error, "orig", ""))
    return "readonly" in said or "read-only" in said


def _is_damaged(error: Exception) -> bool:
    """Tell whether the file is no database of SQLite, or not a whole one."""
    said = str(getattr(error, "orig", ""))
    return "malformed" in said or "not a database" in said


def _what_is_wrong(error: Exception) -> str:
    """Return what is wrong with the database, a sentence; '' where that cannot be told."""
    said = str(getattr(error, "orig", ""))
    if _is_full(error):
        return "The disk of the database is full; make room, then all goes on by itself."
    if _is_damaged(error):
        return _DAMAGED
    if "disk I/O error" in said:  # What SQLite says of a full disk before it has written at all.
        return "The disk of the database is full, or cannot be read or written; see what it lacks."
    if _is_read_only(error):
        return _READ_ONLY
    if "locked" in said:
        return "The database stays locked by another process; end what holds it."
    return ""


def unreachable(engine: Engine, error: Exception) -> str:
    """Return the sentence for a database that cannot be had at the start.

    Args:
        engine: the way to it.
        error: what came of it.
    """
    why = _what_is_wrong(error)
    if why:
        return f"database_url: {why}"
    return (
        "database_url: the database cannot be reached, or its tables not made "
        f"({engine.dialect.name})."
    )


def rowcount(result: Result[Any]) -> int:
    """Return how many rows an UPDATE or DELETE changed."""
    return int(getattr(result, "rowcount", 0))
