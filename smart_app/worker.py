"""`ivfhir worker`: sends accepted plans that wait, in a process of its own."""

import argparse
import signal
import sys
import threading
from pathlib import Path

from smart_app.app import create_app, load_to_stay
from smart_app.config import load_settings
from smart_app.outbox_worker import Sent, send_due, watch

_STILL_WAITS, _PARKED = 5, 6


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `ivfhir worker`."""
    parser.add_argument(
        "--config", type=Path, default=None, help="settings file, such as ivfhir.toml"
    )
    parser.add_argument("--once", action="store_true", help="send what is due now, and end")


def run(arguments: argparse.Namespace) -> int:
    """Send what is due until stopped, or once, and return the exit code.

    Returns:
        With `--once`: 6 when a plan was parked, 5 when one did not arrive and is tried again,
        else 0.

    Raises:
        SettingsError: a setting is wrong, or the database cannot be had.
        DatabaseError: with `--once`, the database does not answer.
    """
    settings = load_settings(arguments.config)
    app = create_app(settings, protocols=load_to_stay)
    store = app.extensions["ivfhir"].store
    try:
        if arguments.once:
            store.adopt_unsent()
            sent = send_due(app)
            print(_told(sent))  # noqa: T201 - a command's answer
            return _PARKED if sent.parked else _STILL_WAITS if sent.waiting else 0
        sys.stderr.write("ivfhir sends what waits in the outbox. Ctrl-C ends it.\n")
        watch(app, _until_told_to_end())
        return 0
    finally:
        store.close()


def _until_told_to_end() -> threading.Event:
    """Return an event that Ctrl-C or TERM sets: the plan that is being sent is let end."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def _told(sent: Sent) -> str:
    return (
        f"{sent.delivered} sent, {sent.waiting} not yet, {sent.sign_in} waiting for a sign-in, "
        f"{sent.parked} parked"
    )
