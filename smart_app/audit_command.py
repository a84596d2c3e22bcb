"""`ivfhir audit`: the audit trail listed, exported as FHIR, and proved."""

import argparse
import json
import os
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from ivfhir.errors import ParameterError, SettingsError
from ivfhir.fhir.json import dumps
from smart_app.audit_event import DELIVERY_SYSTEM, to_audit_event
from smart_app.config import Settings, load_settings
from smart_app.sealing import make_sealer
from smart_app.store import Store

_FOUND = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of `ivfhir audit`."""
    parser.add_argument("action", choices=("list", "export", "verify"), help="what to do")
    parser.add_argument(
        "--config", type=Path, default=None, help="settings file, such as ivfhir.toml"
    )
    parser.add_argument("--format", choices=("text", "json"), default="text")
    parser.add_argument("--since", metavar="DATE", help="list, export: from that day on (UTC)")
    parser.add_argument("--until", metavar="DATE", help="list, export: up to before that day (UTC)")
    parser.add_argument("--output", type=Path, help="export: a new file, for its owner alone")
    parser.add_argument(
        "--expect", metavar="HEAD", help="verify: a head told earlier, kept elsewhere"
    )


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked, and return the exit code; 6 when the trail is not whole.

    Raises:
        SettingsError: a setting is wrong, or the output cannot be written.
        ParameterError: a date is none.
        DatabaseError: the database does not answer.
    """
    settings = load_settings(arguments.config)
    sealer = make_sealer(settings.key, Path(settings.key_file))
    store = Store(
        settings.database_url, sealer, clock_s=time.time, new_id=lambda: secrets.token_hex(16)
    )
    try:
        if arguments.action == "verify":
            return _verify(store, arguments.expect, as_json=arguments.format == "json")
        return _tell(store, settings, arguments)
    finally:
        store.close()


def _verify(store: Store, expect: str | None, *, as_json: bool) -> int:
    proof = store.prove_trail(expect=expect)
    whole = not proof.breaks
    if as_json:
        told = {"whole": whole, "count": proof.count, "head": proof.head, "breaks": proof.breaks}
        print(json.dumps(told))  # noqa: T201 - a command's answer
    else:
        for sentence in proof.breaks:
            print(sentence)  # noqa: T201 - a command's answer
        said = "The trail is whole" if whole else "The trail is NOT whole"
        print(f"{said}: {proof.count} events, head {proof.head}")  # noqa: T201 - a command's answer
    return 0 if whole else _FOUND


def _tell(store: Store, settings: Settings, arguments: argparse.Namespace) -> int:
    since = _seconds("--since", arguments.since) or 0
    until = _seconds("--until", arguments.until)
    with _output(arguments.output) as file:
        for event in store.events(since=since, until=until):
            if arguments.action == "export":
                resource = to_audit_event(event, site=settings.public_url)
                delivery = {"system": DELIVERY_SYSTEM, "code": event.delivery}
                resource["meta"]["tag"].append(delivery)
                file.write(f"{dumps(resource)}\n")
                continue
            moment = datetime.fromtimestamp(event.at, UTC).isoformat(timespec="seconds")
            line = {
                "number": event.number,
                "at": moment,
                **event.content,
                "delivery": event.delivery,
            }
            if arguments.format == "json":
                file.write(f"{json.dumps(line)}\n")
            else:
                file.write(" ".join(f"{name}={value}" for name, value in line.items()) + "\n")
    return 0


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            path.chmod(0o600)
            yield file
    except OSError as error:
        raise SettingsError(f"--output: {path} cannot be written: {error.strerror}.") from error


def _seconds(option: str, text: str | None) -> int | None:
    if text is None:
        return None
    try:
        return int(datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise ParameterError(f"{option} must be a date such as 2026-11-28.") from error
