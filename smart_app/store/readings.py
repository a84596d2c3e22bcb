"""What was read for each launch, in the database: so that any worker shows the newest.

A read takes a ticket when it begins. Whoever began last wins, whoever ends last; and what was begun
before "Read again" or a write is not kept after it. No clock decides.
"""

import base64
import json
import re
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from ivfhir.errors import SettingsError
from ivfhir.fhir.json import loads
from smart_app.store.database import Database, rowcount
from smart_app.store.models import ReadingRow

_SWEPT = 50
"""Readings whose time is over that are emptied with each one that is kept."""


@dataclass(frozen=True)
class KeptReading:
    """A reading as kept; `size` is that of its text, in characters."""

    version: int
    size: int
    body: dict[str, Any] = field(repr=False)


class ReadingStore(Database):
    """Keeps the newest reading of each launch for a few minutes."""

    def begin_reading(self, launch_id: str) -> int:
        """Return the ticket of a read that begins now; 0 when the launch was removed."""
        return self._next_ticket(launch_id) or self._first_ticket(launch_id) or 0

    def keep_reading(
        self, launch_id: str, ticket: int, body: Mapping[str, Any], *, keep_s: int
    ) -> KeptReading | None:
        """Keep what a read brought, unless a newer one is kept or it must not be kept any more.

        Args:
            launch_id: the launch.
            ticket: what `begin_reading` returned.
            body: JSON values, decimals with their digits.
            keep_s: seconds for which readings are kept; those older are emptied.

        Returns:
            What is kept; None when it is not.
        """
        text = to_text(body)
        sealed = self._sealer.seal({"packed": _pack(text)}, f"reading:{launch_id}")
        with self._transaction() as session:
            kept = session.execute(
                update(ReadingRow)
                .where(ReadingRow.launch_id == launch_id)
                .where(ReadingRow.kept < ticket, ReadingRow.dropped < ticket)
                .values(kept=ticket, sealed=sealed, read_at=self._now)
            )
            over = select(ReadingRow.launch_id).where(ReadingRow.read_at <= self._now - keep_s)
            session.execute(
                update(ReadingRow)
                .where(ReadingRow.launch_id.in_(over.limit(_SWEPT)))
                .values(sealed=None, read_at=None)
            )
        return KeptReading(ticket, len(text), dict(body)) if rowcount(kept) else None

    def reading_version(self, launch_id: str, *, keep_s: int) -> int | None:
        """Return the version of the launch's reading; None when none is kept or young enough."""
        with self._transaction() as session:
            return session.scalar(
                select(ReadingRow.kept).where(
                    ReadingRow.launch_id == launch_id,
                    ReadingRow.sealed.is_not(None),
                    ReadingRow.read_at > self._now - keep_s,
                )
            )

    def load_reading(self, launch_id: str) -> KeptReading | None:
        """Return the launch's reading; None when there is none, or an earlier key sealed it."""
        with self._transaction() as session:
            row = session.get(ReadingRow, launch_id)
            if row is None or row.sealed is None:
                return None
            version, sealed = row.kept, row.sealed
        try:
            packed = self._sealer.open(sealed, f"reading:{launch_id}")["packed"]
        except SettingsError:
            return None
        text = zlib.decompress(base64.b64decode(packed)).decode()
        body: Any = loads(text, place="a kept reading")
        return KeptReading(version, len(text), body)

    def drop_reading(self, launch_id: str) -> None:
        """Forget the launch's reading, and keep none that was begun before now."""
        with self._transaction() as session:
            forget_reading(session, launch_id)

    def _next_ticket(self, launch_id: str) -> int | None:
        mine = ReadingRow.launch_id == launch_id
        with self._transaction() as session:
            session.execute(update(ReadingRow).where(mine).values(ticket=ReadingRow.ticket + 1))
            return session.scalar(select(ReadingRow.ticket).where(mine))

    def _first_ticket(self, launch_id: str) -> int | None:
        try:
            with self._transaction() as session:
                session.add(ReadingRow(launch_id=launch_id))
        except IntegrityError:  # Another request was first, or the launch was removed.
            return self._next_ticket(launch_id)
        return 1


def forget_reading(session: Session, launch_id: str) -> None:
    """Empty a launch's reading within a transaction; reads under way will not be kept."""
    session.execute(
        update(ReadingRow)
        .where(ReadingRow.launch_id == launch_id)
        .values(sealed=None, read_at=None, dropped=ReadingRow.ticket)
    )


def to_text(body: Mapping[str, Any]) -> str:
    """Return JSON text, every digit kept, at the speed of the library's own encoder.

    That encoder writes no Decimal, so each stands as a string with a mark that nobody can guess,
    whose quotes are taken away afterwards.
    """
    mark = secrets.token_hex(16)

    def default(value: object) -> str:
        if isinstance(value, Decimal):
            return f"{mark}{value}"
        raise TypeError(f"{type(value).__name__} is no JSON value")

    text = json.dumps(body, default=default, ensure_ascii=False)
    return re.sub(f'"{mark}([^"]*)"', r"\1", text)


def _pack(text: str) -> str:
    return base64.b64encode(zlib.compress(text.encode(), level=1)).decode()
