"""`ivfhir db`: the version of the tables, told and brought up; a new key for what they hold."""

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from ivfhir.errors import DatabaseError, SettingsError
from smart_app.config import Settings, load_settings
from smart_app.sealing import add_key, make_sealer
from smart_app.store.database import unreachable
from smart_app.store.engine import make_engine
from smart_app.store.keeping import KeyUse, count_by_key, older_sealed, open_secrets, reseal
from smart_app.store.schema import SchemaStatus, schema_status, upgrade_schema

_WORDS = {
    "current": "The database is of this release.",
    "older": "The database is of an older release; `ivfhir db upgrade` or a start upgrades it.",
    "newer": "The database is of a newer release; this one refuses to start with it.",
    "empty": "The database is empty; a start makes its tables.",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of `ivfhir db`."""
    parser.add_argument("action", choices=("upgrade", "status", "rotate-key"), help="what to do")
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
    settings = load_settings(arguments.config)
    engine = make_engine(settings.database_url)
    try:
        if arguments.action == "rotate-key":
            return _rotate(settings, engine, as_json=arguments.format == "json")
        before = upgrade_schema(engine) if arguments.action == "upgrade" else schema_status(engine)
        after = schema_status(engine)
        use = _key_use(settings, engine, after)
    except SQLAlchemyError as error:
        raise DatabaseError(unreachable(engine, error)) from error
    finally:
        engine.dispose()
    _tell(before, after, use, as_json=arguments.format == "json")
    return 0


def _key_use(settings: Settings, engine: Engine, status: SchemaStatus) -> KeyUse | None:
    """Return what each key is needed for; None where there is no key, or no table of this release.

    A key that is missing is not made: whoever asks may be another user than the app's.
    """
    if status.state != "current" or (settings.key is None and not Path(settings.key_file).exists()):
        return None
    return count_by_key(engine, make_sealer(settings.key, Path(settings.key_file)))


def _key_words(use: KeyUse) -> Iterator[str]:
    for place, count in enumerate(use.rows, 1):
        name = f"Key {place}" + (" (newest, seals)" if place == 1 else " (older, opens)")
        yield f"{name}: {count} {'row' if count == 1 else 'rows'}."
    if use.unreadable:
        yield f"{use.unreadable} rows are sealed with a key that is not in the settings."
    for place in use.not_needed:
        yield (
            f"Key {place} is no longer needed here. When every process runs with key 1, take it "
            "out of the settings and keep it with the backups from before."
        )
    if any(use.rows[1:]):
        yield "`ivfhir db rotate-key` seals all rows with key 1."


def _tell(before: SchemaStatus, after: SchemaStatus, use: KeyUse | None, *, as_json: bool) -> None:
    upgraded = before != after
    if as_json:
        told = {"found": after.found, "wanted": after.wanted, "state": after.state}
        keys = use and {
            "rows": use.rows,
            "unreadable": use.unreadable,
            "notNeeded": use.not_needed,
        }
        print(json.dumps({**told, "upgraded": upgraded, "keys": keys}))  # noqa: T201 - a command's answer
        return
    words = f"Upgraded to version {after.found}. " if upgraded else ""
    lines = [f"{words}{_WORDS[after.state]}", *(_key_words(use) if use else ())]
    print("\n".join(lines))  # noqa: T201 - a command's answer


def _rotate(settings: Settings, engine: Engine, *, as_json: bool) -> int:
    """Seal everything with a new key, or go on where an earlier run stopped."""
    upgrade_schema(engine)
    sealer = make_sealer(settings.key, Path(settings.key_file))
    open_secrets(engine, sealer)
    added = len(sealer.keys) == 1 or not older_sealed(engine, sealer)
    if added:
        if settings.key is not None:
            raise SettingsError(
                "key: put a new key before the one of the settings, with a blank between them, on "
                "every host; restart the app; then run this again."
            )
        add_key(Path(settings.key_file))
    done = reseal(engine, sealer, progress=_show)
    while older_sealed(engine, sealer):
        done += reseal(engine, sealer, progress=_show)
    if as_json:
        print(json.dumps({"resealed": done, "newKey": added}))  # noqa: T201 - a command's answer
    else:
        print(  # noqa: T201 - a command's answer
            f"{done} rows are sealed with the newest key. The older ones open backups from before; "
            "take them out of the settings and keep them with those backups."
        )
    return 0


def _show(count: int) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{count} rows")
