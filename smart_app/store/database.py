"""The database behind the store: engine, tables, transactions."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, event, inspect, text
from sqlalchemy.engine import Engine
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError, OperationalError
from sqlalchemy.orm import Session

from ivfhir.errors import SettingsError
from smart_app.sealing import Sealer
from smart_app.store.models import Base


class Database:
    """What both halves of the store share: the engine, the sealer, the clock and the maker of ids.

    Args:
        url: a SQLAlchemy URL.
        sealer: encrypts what is kept.
        clock_s: seconds since 1970.
        new_id: makes an id that cannot be guessed, at most 32 characters that need no quoting in a
            URL.

    Raises:
        SettingsError: the URL cannot be meant, or the database cannot be reached.
    """

    def __init__(
        self, url: str, sealer: Sealer, *, clock_s: Callable[[], float], new_id: Callable[[], str]
    ) -> None:
        """Reach the database and make the tables that are absent."""
        self._sealer = sealer
        self._clock_s = clock_s
        self._new_id = new_id
        self._engine = _engine(url)
        self._make_tables()

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    def ping(self) -> None:
        """Ask the database for nothing, so that one that does not answer is noticed."""
        with self._transaction() as session:
            session.execute(text("SELECT 1"))

    @property
    def _now(self) -> int:
        return int(self._clock_s())

    @contextmanager
    def _transaction(self) -> Iterator[Session]:
        with Session(self._engine, expire_on_commit=False) as session, session.begin():
            yield session

    def _make_tables(self) -> None:
        try:
            Base.metadata.create_all(self._engine)
        except OperationalError as error:
            if set(Base.metadata.tables) <= set(_table_names(self._engine)):
                return  # Another worker made them at the same moment.
            raise SettingsError(
                "database_url: the database cannot be reached, or its tables not made."
            ) from error


def _table_names(engine: Engine) -> list[str]:
    try:
        return inspect(engine).get_table_names()
    except OperationalError:
        return []


def _engine(url: str) -> Engine:
    try:
        engine = create_engine(url, pool_pre_ping=True)
    except (ArgumentError, ImportError) as error:
        raise SettingsError(
            "database_url is no SQLAlchemy URL, or its driver is not installed."
        ) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
    return engine


def _set_up_sqlite(connection: DBAPIConnection, _record: object) -> None:
    """Readers do not block the writer, writers wait for each other, and foreign keys hold."""
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "busy_timeout=20000", "foreign_keys=ON", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
