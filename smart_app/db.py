"""`ivfhir db`: the version of the database's tables, told and brought up."""

import argparse
import json
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from ivfhir.errors import DatabaseError
from smart_app.config import load_settings
from smart_app.store.database import unreachable
from smart_app.store.engine import make_engine
from smart_app.store.schema import SchemaStatus, schema_status, upgrade_schema

_WORDS = {
    "current": "The database is of this release.",
    "older": "The database is of an older release; `ivfhir db upgrade` or a start upgrades it.",
    "newer": "The database is of a newer release; this one refuses to start with it.",
    "empty": "The database is empty; a start makes its tables.",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of `ivfhir db`."""
    parser.add_argument("action", choices=("upgrade", "status"), help="what to do")
    parser.add_argument(
        "--config", type=Path, default=None, help="settings file, such as ivfhir.toml"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked, and return the exit code.

    Raises:
        SettingsError: a setting is wrong, or the tables are of a newer release.
        DatabaseError: the database cannot be reached.
    """
    engine = make_engine(load_settings(arguments.config).database_url)
    try:
        before = upgrade_schema(engine) if arguments.action == "upgrade" else schema_status(engine)
        after = schema_status(engine)
    except SQLAlchemyError as error:
        raise DatabaseError(unreachable(engine)) from error
    finally:
        engine.dispose()
    _tell(before, after, as_json=arguments.format == "json")
    return 0


def _tell(before: SchemaStatus, after: SchemaStatus, *, as_json: bool) -> None:
    upgraded = before != after
    if as_json:
        told = {"found": after.found, "wanted": after.wanted, "state": after.state}
        print(json.dumps({**told, "upgraded": upgraded}))  # noqa: T201 - a command's answer
        return
    words = f"Upgraded to version {after.found}. " if upgraded else ""
    print(f"{words}{_WORDS[after.state]}")  # noqa: T201 - a command's answer
