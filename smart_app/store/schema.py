"""The version of the database's tables: told, compared with this release's, and brought up to it.

One process at a time upgrades; others wait for it, then find nothing left to do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from ivfhir.errors import SettingsError

_SCRIPTS = Path(__file__).parent / "migrations"
_UPGRADE_LOCK = 0x697646_48_0001
"""What an upgrade locks on PostgreSQL; the number means nothing else."""

_UPGRADE_WAIT_S = 300


@dataclass(frozen=True)
class SchemaStatus:
    """The version that the tables have, and the one that this release needs.

    Attributes:
        found: None for tables of release 0.1.0, which kept no version, and for an empty database.
        wanted: this release's.
        state: "current", "older", "newer" or "empty".
    """

    found: str | None
    wanted: str
    state: str


def schema_status(engine: Engine) -> SchemaStatus:
    """Return the version of the tables and what it means for this release; changes nothing."""
    with engine.connect() as connection:
        return _status(connection)


def upgrade_schema(engine: Engine) -> SchemaStatus:
    """Bring the tables up to this release's version; all of it or, when that fails, nothing.

    Returns:
        What was found before.

    Raises:
        SettingsError: the tables are of a newer release.
    """
    found = schema_status(engine)
    if found.state == "current":
        return found
    with exclusive(engine, _UPGRADE_LOCK, wait_s=_UPGRADE_WAIT_S) as connection:
        found = _status(connection)
        if found.state == "newer":
            raise SettingsError(
                f"The database is of a newer release of ivfhir (its tables have version "
                f"{found.found}, this release knows {found.wanted}). Install that release, or go "
                "back to a backup of the database from before its upgrade."
            )
        if found.state != "current":
            _upgrade(connection)
    return found


@contextmanager
def exclusive(engine: Engine, lock: int, *, wait_s: int) -> Iterator[Connection]:
    """Give a connection whose transaction no other process with the same lock runs beside.

    Args:
        engine: the database.
        lock: names what is locked, on PostgreSQL; SQLite has one writer at a time anyway.
        wait_s: how long to wait for others, in seconds.

    Raises:
        OperationalError: the others did not end in time.
    """
    with engine.connect() as connection:
        if connection.dialect.name == "sqlite":
            [before] = connection.exec_driver_sql("PRAGMA busy_timeout").one()
            connection.exec_driver_sql(f"PRAGMA busy_timeout={wait_s * 1000}")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            connection.exec_driver_sql(f"PRAGMA busy_timeout={before}")
        else:
            connection.execute(text(f"SET LOCAL lock_timeout = '{wait_s}s'"))
            connection.execute(text(f"SET LOCAL statement_timeout = '{wait_s}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})
        yield connection
        connection.commit()


def _status(connection: Connection) -> SchemaStatus:
    known = sorted(path.name[1:5] for path in (_SCRIPTS / "versions").glob("r[0-9]*_*.py"))
    wanted, held = known[-1], inspect(connection)
    found = None
    if held.has_table("alembic_version"):
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    if found is None:
        state = "older" if held.has_table("launches") else "empty"
    elif found == wanted:
        state = "current"
    else:
        state = "older" if found in known else "newer"
    return SchemaStatus(found, wanted, state)


def _upgrade(connection: Connection) -> None:
    """Run the steps that the tables lack."""
    # What runs them takes a sixth of an app's start, and has nothing to do at most of them.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
