"""What was sent, beside the input: it makes a second run short, and shows what an edit changed.

It is an aid, never the truth: whether a plan is on a server, the server is asked. It holds patient
data as the input does, and is readable by its owner alone.
"""

import os
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import random
from typing import Any

from ivfhir.errors import InputError, UsageError
from ivfhir.fhir.json import dumps, loads
from ivfhir.fhir.types import Resource
from ivfhir.sqlite import is_busy
from ivfhir.writing.content import content_digest

NAME = ".ivfhir-sync.sqlite3"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS sent_plan (
  server TEXT, plan TEXT, digest TEXT, state TEXT, patient TEXT, parts BLOB,
  PRIMARY KEY (server, plan));
CREATE TABLE IF NOT EXISTS sent_part (
  server TEXT, plan TEXT, value TEXT, reference TEXT, version TEXT,
  PRIMARY KEY (server, plan, value)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS part_by_reference ON sent_part (server, reference);
"""
SENDING, DONE = "sending", "done"
_UNSURE = "unsure"
_BUSY_S = 0.5
_TRIES = 3
"""Two that open a file at one moment may each hold a part of it, and neither have it."""


@dataclass(frozen=True)
class SentPart:
    """One resource of a plan as it was sent, and as it was then stored.

    Attributes:
        value: its identifier value.
        reference: where it is.
        version: its version there then; '' when the server has none.
        sent: what was sent, its references as the server's.
    """

    value: str
    reference: str
    version: str
    sent: Resource

    @property
    def sent_digest(self) -> str:
        """The digest of what was sent."""
        return content_digest(self.sent)


@dataclass(frozen=True)
class SentPlan:
    """A plan of the ledger.

    Attributes:
        digest: of the input that was sent.
        state: SENDING before, DONE after it was read back.
        patient: the patient on that server.
        sure: it is done, and no earlier request for it can still arrive as far as is known.
    """

    digest: str
    state: str
    patient: str
    sure: bool = True


class Ledger:
    """One file, used by one run at a time; safe for the threads of that run.

    What writes raises UsageError when the file cannot be written any more.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        pause: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random,
    ) -> None:
        """Open or make it; None keeps it in memory, for a dry run.

        Args:
            path: the file.
            pause: waits so many seconds.
            random: returns a number from 0 to below 1: of two runs that keep each other from it,
                one must come back first.

        Raises:
            UsageError: it cannot be written, or another run holds it.
        """
        self._lock = threading.Lock()
        try:
            if path is not None:
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._db = _opened(path, pause=pause, random=random)
        except (OSError, sqlite3.Error) as error:
            raise UsageError(
                f"The ledger {path} cannot be used ({error}); is another sync running on it? "
                "Else name a file that can be written with --ledger."
            ) from None

    @classmethod
    def copy_of(cls, path: Path) -> "Ledger":
        """Return a ledger in memory with what a file holds; empty where there is none."""
        ledger = cls(None)
        if path.exists():
            try:
                source = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=1)
                source.backup(ledger._db)
                source.close()
                ledger._db.executescript(_SCHEMA)  # A run that found a full disk left none.
            except sqlite3.Error as error:
                raise UsageError(f"The ledger {path} cannot be read ({error}).") from None
        return ledger

    def plan(self, server: str, plan_id: str) -> SentPlan | None:
        """Return what is known of a plan."""
        rows = self._rows(
            "SELECT digest, state, patient FROM sent_plan WHERE server = ? AND plan = ?",
            (server, plan_id),
        )
        if not rows:
            return None
        digest, state, patient = map(str, rows[0])
        done = DONE if state == _UNSURE else state
        return SentPlan(digest, done, patient, sure=state != _UNSURE)

    def versions(self, server: str, plan_id: str) -> dict[str, str]:
        """Return reference -> version of each part of a plan."""
        query = "SELECT reference, version FROM sent_part WHERE server = ? AND plan = ?"
        return {str(key): str(version) for key, version in self._rows(query, (server, plan_id))}

    def parts(self, server: str, plan_id: str) -> dict[str, SentPart]:
        """Return the parts of a plan by identifier value; the plan's own is `plan_id`.

        Raises:
            UsageError: the ledger cannot be read any more, or what it holds of the plan is damaged.
        """
        own = (server, plan_id)
        rows = self._rows(
            "SELECT value, reference, version FROM sent_part WHERE server = ? AND plan = ?", own
        )
        blobs = self._rows("SELECT parts FROM sent_plan WHERE server = ? AND plan = ?", own)
        if not rows or not blobs or blobs[0][0] is None:
            return {}
        try:
            sent: Any = loads(zlib.decompress(blobs[0][0]).decode(), place="the ledger")
            parts = {
                value: SentPart(value, reference, version, sent[value])
                for value, reference, version in rows
            }
        except (InputError, LookupError, TypeError, ValueError, zlib.error):
            parts = {}
        if not parts or not all(map(_is_sound, parts.values())):
            # Of such a file nothing else is believed either: what is there, the server tells.
            raise _unreadable("what it holds of a plan is damaged")
        return parts

    def begin(self, server: str, plan_id: str, digest: str, patient: str) -> None:
        """Note, before anything is sent, that it will be."""
        self._write(
            "INSERT INTO sent_plan VALUES (?, ?, ?, ?, ?, NULL) "
            "ON CONFLICT (server, plan) DO UPDATE SET state = excluded.state",
            [(server, plan_id, digest, SENDING, patient)],
        )

    def finish(
        self,
        server: str,
        plan_id: str,
        digest: str,
        patient: str,
        parts: Iterable[SentPart],
        *,
        sure: bool = True,
    ) -> None:
        """Note what was sent and read back; not `sure` where an earlier request may arrive yet."""
        kept = list(parts)
        rows = [(server, plan_id, part.value, part.reference, part.version) for part in kept]
        # Parts are alike: as one text they take a third of the room and of the time.
        sent = dumps({part.value: part.sent for part in kept}).encode()
        state = DONE if sure else _UNSURE
        plan = (server, plan_id, digest, state, patient, zlib.compress(sent, level=1))
        own = (server, plan_id)
        with self._writing() as db:
            db.execute("DELETE FROM sent_part WHERE server = ? AND plan = ?", own)
            db.executemany("INSERT INTO sent_part VALUES (?, ?, ?, ?, ?)", rows)
            db.execute("INSERT OR REPLACE INTO sent_plan VALUES (?, ?, ?, ?, ?, ?)", plan)

    def note_versions(self, server: str, versions: Mapping[str, str]) -> None:
        """Note the versions of resources that a run of ours changed, by reference."""
        self._write(
            "UPDATE sent_part SET version = ? WHERE server = ? AND reference = ?",
            [(version, server, key) for key, version in versions.items()],
        )

    def close(self) -> None:
        """Let another run have it."""
        with self._lock:
            self._db.close()

    def _rows(self, query: str, values: tuple[str, ...]) -> list[tuple[Any, ...]]:
        """Return what a query finds.

        Raises:
            UsageError: the ledger cannot be read any more.
        """
        try:
            with self._lock:
                return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise _unreadable(error) from None

    def _write(self, statement: str, rows: list[tuple[str, ...]]) -> None:
        with self._writing() as db:
            db.executemany(statement, rows)

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Write all of the block or nothing.

        Raises:
            UsageError: it cannot be written any more, such as on a full disk.
        """
        try:
            with self._lock, self._db:
                yield self._db
        except sqlite3.Error as error:
            raise UsageError(
                f"The ledger cannot be written any more ({error}); make room for it, or name "
                "another place with --ledger."
            ) from None


def _is_sound(part: SentPart) -> bool:
    """Tell whether a part is of the types that `finish` wrote."""
    words = (part.value, part.reference, part.version)
    return all(isinstance(each, str) for each in words) and isinstance(part.sent, dict)


def _unreadable(why: object) -> UsageError:
    return UsageError(
        f"The ledger cannot be read any more ({why}); move the file away, or name another place "
        "with --ledger: without it the server is asked. Or restore it."
    )


def _opened(
    path: Path | None, *, pause: Callable[[float], None], random: Callable[[], float]
) -> sqlite3.Connection:
    """Return a connection that holds the ledger alone.

    Raises:
        sqlite3.Error: it cannot be had.
    """
    for _ in range(_TRIES - 1):
        try:
            return _held(path)
        except sqlite3.OperationalError as error:
            if not is_busy(error):
                raise
            pause(random() * _BUSY_S)
    return _held(path)


def _held(path: Path | None) -> sqlite3.Connection:
    """Return a connection that holds the ledger alone, or nothing of it."""
    db = sqlite3.connect(
        ":memory:" if path is None else path, check_same_thread=False, timeout=_BUSY_S
    )
    try:
        db.execute("PRAGMA locking_mode = EXCLUSIVE")
        db.execute("PRAGMA journal_mode = WAL")
        # A crash of the machine may lose the last rows, not the file: the server is asked.
        db.execute("PRAGMA synchronous = NORMAL")
        db.executescript(_SCHEMA)
        db.execute("DELETE FROM sent_plan WHERE server IS NULL")  # Takes the lock now.
        db.commit()
    except sqlite3.Error:
        db.close()
        raise
    return db
