"""Secrets that outlive a key, the proof that the key is the right one, and the change of keys.

Owners' fingerprints and the audit trail rest on secrets made for this database alone. They are
sealed like all else, so that a new key seals them anew and nothing that rests on them changes.
"""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, LargeBinary, func, insert, select, update

from ivfhir.errors import SettingsError
from smart_app.sealing import Sealer, fingerprint_key, keyed_hash
from smart_app.store.models import (
    AuditMarkRow,
    AuditRow,
    DraftRow,
    LaunchRow,
    LaunchUseRow,
    OutboxRow,
    ReadingRow,
    ReceiptRow,
    SecretRow,
    SignInRow,
)
from smart_app.store.schema import exclusive

_SECRETS_LOCK = 0x697646_48_0002
_WAIT_S = 30
_BATCH = 200

_SEALED: tuple[tuple[Any, Any, str], ...] = (
    (SecretRow.name, SecretRow.sealed, "secret"),
    (LaunchRow.id, LaunchRow.sealed, "launch"),
    (LaunchUseRow.launch_id, LaunchUseRow.given, "given"),
    (SignInRow.state_hash, SignInRow.sealed, "sign-in"),
    (DraftRow.id, DraftRow.sealed, "draft"),
    (ReceiptRow.draft_id, ReceiptRow.sealed, "receipt"),
    (OutboxRow.id, OutboxRow.said, "outbox"),
    (ReadingRow.launch_id, ReadingRow.sealed, "reading"),
    (AuditRow.number, AuditRow.sealed, "audit"),
)
"""Each column that holds something sealed: key of its row, itself, the seal's first word."""


def open_secrets(engine: Engine, sealer: Sealer) -> dict[str, bytes]:
    """Return the database's secrets by name, "fingerprint" and "audit"; made when absent.

    Raises:
        SettingsError: they, or what the database already held, were sealed with another key.
    """
    with engine.connect() as connection:
        found = _secrets(connection, sealer)
    if found:
        return found
    with exclusive(engine, _SECRETS_LOCK, wait_s=_WAIT_S) as connection:
        found = _secrets(connection, sealer)
        if not found:
            found = {"fingerprint": _fingerprint_key(connection, sealer), "audit": os.urandom(32)}
            for name, secret in found.items():
                sealed = sealer.seal({"hex": secret.hex()}, f"secret:{name}")
                connection.execute(insert(SecretRow).values(name=name, sealed=sealed))
            signed = keyed_hash(found["audit"], "mark", "head", "0", "")
            head = {"name": "head", "number": 0, "chained": "", "signed": signed}
            connection.execute(insert(AuditMarkRow).values(**head))
    return found


def _secrets(connection: Connection, sealer: Sealer) -> dict[str, bytes]:
    rows = connection.execute(select(SecretRow.name, SecretRow.sealed)).all()
    return {
        name: bytes.fromhex(sealer.open(sealed, f"secret:{name}")["hex"]) for name, sealed in rows
    }


def _fingerprint_key(connection: Connection, sealer: Sealer) -> bytes:
    """Return what owners' fingerprints of 0.1.0 were made with, that is from the key of then."""
    held = connection.execute(select(LaunchRow.id, LaunchRow.sealed).limit(1)).first()
    if held is None:
        return os.urandom(32)
    for key in sealer.keys:
        try:
            Sealer(key).open(held.sealed, f"launch:{held.id}")
        except SettingsError:
            continue
        return fingerprint_key(key)
    sealer.open(held.sealed, f"launch:{held.id}")  # Raises, with the sentence for it.
    raise AssertionError("unreachable")


def older_sealed(engine: Engine, sealer: Sealer) -> bool:
    """Tell whether anything in the database is sealed with another key than the newest."""
    return any(True for _ in _older(engine, sealer))


@dataclass(frozen=True)
class KeyUse:
    """How many rows each key of the settings is needed for, newest first.

    Attributes:
        rows: a count a key.
        unreadable: rows that none of them opens.
    """

    rows: tuple[int, ...]
    unreadable: int

    @property
    def not_needed(self) -> tuple[int, ...]:
        """Places of the older keys that no row needs; the first key has place 1."""
        return tuple(n for n, count in enumerate(self.rows, 1) if n > 1 and not count)


def count_by_key(engine: Engine, sealer: Sealer) -> KeyUse:
    """Count what each key sealed; changes nothing."""
    rows, unreadable = [0] * len(sealer.heads), 0
    for key, column, word in _SEALED:
        head = func.substr(column, 1, len(sealer.heads[0]), type_=LargeBinary())
        with engine.connect() as connection:
            for place, wanted in enumerate(sealer.heads):
                query = select(func.count()).select_from(column.class_).where(head == wanted)
                rows[place] += connection.scalar(query) or 0
            rest = select(key, column).where(column.is_not(None), head.not_in(sealer.heads))
            for row_id, sealed in connection.execute(rest.execution_options(yield_per=_BATCH)):
                place_of = _opens(sealer, sealed, f"{word}:{row_id}")
                if place_of is None:
                    unreadable += 1
                else:
                    rows[place_of] += 1
    return KeyUse(tuple(rows), unreadable)


def _opens(sealer: Sealer, sealed: bytes, row: str) -> int | None:
    """Return the place of the key that opens what names none, as release 0.1.0 sealed it."""
    for place, key in enumerate(sealer.keys):
        try:
            Sealer(key).open(sealed, row)
        except SettingsError:
            continue
        return place
    return None


def reseal(engine: Engine, sealer: Sealer, *, progress: Callable[[int], None]) -> int:
    """Seal everything that an older key sealed with the newest; the app may run meanwhile.

    It goes in batches and may be stopped at any moment: the next call goes on. What is changed or
    removed by the app at the same moment is left to the app, and looked at again.

    Returns:
        How many rows were sealed anew.
    """
    done = 0
    for key, column, word, rows in _older(engine, sealer):
        with engine.begin() as connection:
            for row_id, sealed in rows:
                seal = f"{word}:{row_id}"
                anew = sealer.seal(sealer.open(sealed, seal), seal)
                changed = connection.execute(
                    update(column.class_)
                    .where(key == row_id, column == sealed)
                    .values({column.key: anew})
                )
                done += int(changed.rowcount)
        progress(done)
    return done


def _older(
    engine: Engine, sealer: Sealer
) -> Iterator[tuple[Any, Any, str, list[tuple[Any, bytes]]]]:
    """Give what older keys sealed, in batches of one column: as `_SEALED`, and key and content."""
    for key, column, word in _SEALED:
        last: Any = None
        while True:
            query = select(key, column).where(column.is_not(None)).order_by(key).limit(_BATCH)
            with engine.connect() as connection:
                found = connection.execute(query if last is None else query.where(key > last)).all()
            if not found:
                break
            last = found[-1][0]
            rows = [(row_id, sealed) for row_id, sealed in found if not sealer.is_newest(sealed)]
            if rows:
                yield key, column, word, rows
