"""`ivfhir outbox`: accepted plans on their way to the EHR, listed, shown, tried again, dropped.

Nothing of a patient is printed: no name, no identifier, no part of a plan.
"""

import argparse
import json
import os
import platform
import pwd
import secrets
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ivfhir.errors import UsageError
from ivfhir.fhir.json import dumps
from ivfhir.fhir.outcome import issues_of, words_of
from ivfhir.outbox.line import PARKED, UNSETTLED, WAITING
from smart_app.config import load_settings
from smart_app.sealing import make_sealer
from smart_app.store import Store
from smart_app.store.outbox import Waiting

_FOUND = 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the words of `ivfhir outbox`."""
    parser.add_argument("action", choices=("list", "show", "retry", "drop"), help="what to do")
    parser.add_argument("id", nargs="?", help="show, retry, drop: which plan, as `list` names it")
    parser.add_argument(
        "--config", type=Path, default=None, help="settings file, such as ivfhir.toml"
    )
    parser.add_argument("--all", action="store_true", help="list: also what is delivered, dropped")
    parser.add_argument("--format", choices=("text", "json"), default="text")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked, and return the exit code; `list` returns 6 when a plan is parked.

    Raises:
        SettingsError: a setting is wrong.
        UsageError: an id is missing, unknown, or cannot be tried again or dropped.
        DatabaseError: the database does not answer.
    """
    if (arguments.action == "list") == (arguments.id is not None):
        raise UsageError("show, retry and drop need the id of a plan; list takes none.")
    settings = load_settings(arguments.config)
    sealer = make_sealer(settings.key, Path(settings.key_file))
    store = Store(
        settings.database_url, sealer, clock_s=time.time, new_id=lambda: secrets.token_hex(16)
    )
    as_json = arguments.format == "json"
    try:
        if arguments.action == "list":
            return _list(store.outbox(every=arguments.all), as_json=as_json)
        if arguments.action != "show":
            before = store.outbox_entry(arguments.id)
            act = store.retry_entry if arguments.action == "retry" else store.drop_entry
            act(arguments.id)
            _record(store, f"outbox-{arguments.action}", before, account=_account())
        _show(store.outbox_entry(arguments.id), as_json=as_json)
        return 0
    finally:
        store.close()


def _account() -> str:
    """Return who runs the command, as this machine knows them; not what they say of themselves."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = str(os.getuid())
    return f"{name}@{platform.node()}"


def entry_row(waiting: Waiting, *, now: int, moment: Callable[[int], str]) -> dict[str, Any]:
    """Return a plan of the outbox as a row, nothing of its patient in it.

    Where nothing is to be said a member is absent.

    Args:
        waiting: the plan.
        now: seconds since 1970.
        moment: returns seconds since 1970 as they are shown.
    """
    entry = waiting.entry
    state = entry.told_state(now=now)
    row = {
        "id": entry.id,
        "server": entry.server,
        "protocol": waiting.protocol,
        "state": state,
        "accepted": moment(entry.accepted_at),
        "attempts": entry.attempts,
        "tried": None if entry.tried_at is None else moment(entry.tried_at),
        "next": moment(entry.due_at) if state in (WAITING, UNSETTLED) else None,
        "why": waiting.said.get("title") or None,
    }
    return {name: value for name, value in row.items() if value is not None}


def _in_utc(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _record(store: Store, event: str, waiting: Waiting, *, account: str) -> None:
    """Keep in the audit trail what somebody who runs the app did with a plan.

    Args:
        store: the database, beside whose app the command runs.
        event: "outbox-retry" or "outbox-drop".
        waiting: the plan, before it.
        account: who it was, as the machine knows them.

    Raises:
        DatabaseError: it could not be kept.
    """
    told = {
        "event": event,
        "outcome": "success",
        "ehr": waiting.entry.server,
        "user": account,
        "launch": waiting.launch_id,
        "protocol": waiting.protocol,
        "draft": waiting.draft_id,
        "was": waiting.entry.state,
    }
    store.add_event({name: value for name, value in told.items() if value})


def _list(found: list[Waiting], *, as_json: bool) -> int:
    rows = [entry_row(each, now=int(time.time()), moment=_in_utc) for each in found]
    if as_json:
        _print(dumps(rows, indent=2))
    else:
        for row in rows:
            _print_line(" ".join(_words(name, value) for name, value in row.items()))
        sys.stderr.write(f"{len(rows)} {'plan' if len(rows) == 1 else 'plans'}\n")
    return _FOUND if any(each.entry.state == PARKED for each in found) else 0


def _show(waiting: Waiting, *, as_json: bool) -> None:
    """Print a plan with what the server, or our own check, said of it."""
    told = entry_row(waiting, now=int(time.time()), moment=_in_utc)
    told["failures"] = waiting.entry.failures
    outcome = _outcome(waiting)
    if outcome is not None:
        told["outcome"] = outcome
    if as_json:
        _print(dumps(told, indent=2))
        return
    for name, value in told.items():
        if name != "outcome":
            _print_line(f"{name}: {value}")
    for issue in issues_of(outcome):
        said = words_of(issue)
        by = waiting.said.get("by", "server")
        _print_line(f"{by}: {issue.get('severity', '')} {issue.get('code', '')} {said}".rstrip())


def _outcome(waiting: Waiting) -> dict[str, Any] | None:
    found: dict[str, Any] | None = waiting.said.get("outcome")
    return found


def _print_line(text: str) -> None:
    """Print one line: a server's words end none, and steer no terminal."""
    _print("".join(each if each.isprintable() else _escaped(each) for each in text))


def _print(text: str) -> None:
    """Print text of which the lines are ours; what else steers a terminal is escaped."""
    shown = (each if each.isprintable() or each == "\n" else _escaped(each) for each in text)
    print("".join(shown))  # noqa: T201 - a command's answer


def _escaped(character: str) -> str:
    return json.dumps(character)[1:-1]


def _words(name: str, value: object) -> str:
    return f"{name}={json.dumps(value) if ' ' in str(value) else value}"
