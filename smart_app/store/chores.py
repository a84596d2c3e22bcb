"""What the database is rid of in time: by index, in batches, by one process at a time.

No batch holds the database for long, and none runs inside the transaction of a page.
"""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from ivfhir.errors import SettingsError
from ivfhir.outbox.line import PARKED
from smart_app.store.database import Database, rowcount
from smart_app.store.models import Base, ChoreRow, DraftRow, LaunchRow, OutboxRow, SignInRow
from smart_app.store.uses import UNWRITTEN

_DAY_S = 86_400
_BATCH, _BATCHES = 200, 50


class ChoreStore(Database):
    """Removes what is over."""

    def claim_chore(self, name: str, *, every_s: int) -> bool:
        """Return True to the one caller, of all processes, whose turn it is; then not for a while.

        Args:
            name: what is to be done.
            every_s: seconds until it is due again.
        """
        now = self._now
        with self._transaction() as session:
            due = session.get(ChoreRow, name)
            if due is not None and due.due_at > now:
                return False
            session.execute(
                self._insert(ChoreRow).values(name=name, due_at=0).on_conflict_do_nothing()
            )
            claimed = session.execute(
                update(ChoreRow)
                .where(ChoreRow.name == name, ChoreRow.due_at <= now)
                .values(due_at=now + every_s)
                .execution_options(synchronize_session=False)
            )
            return rowcount(claimed) == 1

    def remove_expired(self, *, keep_days: int) -> int:
        """Remove unused sign-ins, the tokens of ended launches, and launches ended `keep_days` ago.

        A launch with a signed plan that is not yet on the server stays, also one whose plan is
        parked: until it is dropped, or accepted again. At most 10,000 rows of each
        kind go in one call; the next goes on.

        Returns:
            How many launches were removed.
        """
        self._in_batches(self._remove_sign_ins)
        self._in_batches(self._remove_tokens)
        return self._in_batches(lambda session: self._remove_launches(session, keep_days))

    def _in_batches(self, step: Callable[[Session], int]) -> int:
        """Run a step until it finds less than a batch; each in a transaction of its own."""
        done = 0
        for _ in range(_BATCHES):
            with self._transaction() as session:
                count = step(session)
            done += count
            if count < _BATCH:
                break
        return done

    def _remove_sign_ins(self, session: Session) -> int:
        over = select(SignInRow.state_hash).where(SignInRow.expires_at <= self._now).limit(_BATCH)
        return _delete(session, SignInRow, SignInRow.state_hash, list(session.scalars(over)))

    def _remove_tokens(self, session: Session) -> int:
        rows = session.scalars(
            select(LaunchRow)
            .where(LaunchRow.holds_tokens, LaunchRow.expires_at <= self._now)
            .limit(_BATCH)
        ).all()
        for row in rows:
            values: dict[str, Any] = {"holds_tokens": False}
            with suppress(SettingsError):  # One that no key opens: nobody can use its tokens.
                body = self._sealer.open(row.sealed, f"launch:{row.id}")
                kept = {key: value for key, value in body.items() if not key.endswith("_token")}
                values["sealed"] = self._sealer.seal(kept, f"launch:{row.id}")
            session.execute(
                update(LaunchRow)
                .where(LaunchRow.id == row.id, LaunchRow.sealed == row.sealed)
                .values(**values)
                .execution_options(synchronize_session=False)
            )
        return len(rows)

    def _remove_launches(self, session: Session, keep_days: int) -> int:
        parked = select(OutboxRow.draft_id).where(OutboxRow.state == PARKED)
        unwritten = select(DraftRow.launch_id).where(
            or_(DraftRow.state.in_(UNWRITTEN), DraftRow.id.in_(parked))
        )
        over = (
            select(LaunchRow.id)
            .where(LaunchRow.expires_at <= self._now - keep_days * _DAY_S)
            .where(LaunchRow.id.not_in(unwritten))
            .limit(_BATCH)
        )
        return _delete(session, LaunchRow, LaunchRow.id, list(session.scalars(over)))


def _delete(session: Session, table: type[Base], key: object, found: list[str]) -> int:
    if found:
        session.execute(
            delete(table)
            .where(key.in_(found))  # type: ignore[attr-defined]  # a column
            .execution_options(synchronize_session=False)
        )
    return len(found)
