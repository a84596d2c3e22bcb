"""How launches are used: when last, what was ticked, and why one was closed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from ivfhir.outbox.line import UNSETTLED
from smart_app.store.database import Database
from smart_app.store.models import ClosedLaunchRow, DraftRow, LaunchRow, LaunchUseRow, OutboxRow
from smart_app.store.outbox import stop

SIGNED_OUT, MADE_ROOM = "signed-out", "made-room"
UNWRITTEN = ("accepted", "sending")
"""States of a draft that was accepted and of which the EHR's answer is still to come."""

_NOTED_EVERY_S = 30
_REMOVED_AT_ONCE = 500


@dataclass(frozen=True)
class Closed:
    """Why a launch was closed, and whether its drafts wait for the next launch of its owner."""

    reason: str
    drafts_kept: bool

    @property
    def signed_out(self) -> bool:
        """Tell whether its user signed out of it."""
        return self.reason == SIGNED_OUT


class UseStore(Database):
    """Keeps when launches were used, and closes them."""

    def use_launch(self, launch_id: str, *, idle_s: int) -> bool:
        """Note that a launch is used now; False when it was unused for `idle_s` seconds.

        What was not yet noted counts as used now. An idle launch stays so until somebody signs in.
        """
        with self._transaction() as session:
            row = session.get(LaunchUseRow, launch_id)
            seen_at = self._now if row is None else row.seen_at
        if self._now - seen_at >= idle_s:
            return False
        if row is None or self._now - seen_at >= min(_NOTED_EVERY_S, idle_s / 2):
            self._note(launch_id)
        return True

    def is_idle(self, launch_id: str, *, idle_s: int) -> bool:
        """Tell whether a launch was unused for `idle_s` seconds."""
        with self._transaction() as session:
            row = session.get(LaunchUseRow, launch_id)
            return row is not None and self._now - row.seen_at >= idle_s

    def _note(self, launch_id: str) -> None:
        with self._transaction() as session:
            if session.get(LaunchRow, launch_id) is not None:
                self._note_in(session, launch_id)

    def _note_in(self, session: Session, launch_id: str) -> None:
        row = session.get(LaunchUseRow, launch_id) or LaunchUseRow(launch_id=launch_id)
        row.seen_at = self._now
        session.add(row)

    def keep_given(self, launch_id: str, given: Mapping[str, Any]) -> None:
        """Keep what was ticked on a form, so that it is there again after a sign-in."""
        with self._transaction() as session:
            row = session.get(LaunchUseRow, launch_id) or LaunchUseRow(
                launch_id=launch_id, seen_at=self._now
            )
            row.given = self._sealer.seal(dict(given), f"given:{launch_id}")
            session.add(row)

    def load_given(self, launch_id: str) -> dict[str, Any]:
        """Return what `keep_given` kept; empty when nothing was."""
        with self._transaction() as session:
            row = session.get(LaunchUseRow, launch_id)
            if row is None or row.given is None:
                return {}
            return self._sealer.open(row.given, f"given:{launch_id}")

    def close_launch(self, launch_id: str, *, reason: str, drafts_kept: bool) -> bool:
        """Close a launch for good: no cookie opens it, and its tokens are forgotten.

        While a plan is being sent the tokens stay, until it is there or that try ends. Otherwise an
        accepted plan that is not there waits for a sign-in after a sign-out; where another window
        made room, the tokens stay for it until they end.

        Args:
            launch_id: its id.
            reason: `SIGNED_OUT` or `MADE_ROOM`.
            drafts_kept: whether a later launch of the same owner finds its drafts.

        Returns:
            Whether the tokens stay for a plan that is not yet on the server.
        """
        with self._transaction() as session:
            row = session.get(LaunchRow, launch_id)
            if row is None:
                return False
            row.browser_hash = ""
            row.expires_at = min(row.expires_at, row.usable_until)
            row.usable_until = min(row.usable_until, self._now)
            waits = self._needs_tokens(session, launch_id, reason)
            if not waits:
                self._forget_tokens_in(row)
                stop(session, launch_id)
            session.merge(
                ClosedLaunchRow(
                    launch_id=launch_id,
                    reason=reason,
                    drafts_kept=drafts_kept,
                    closed_at=self._now,
                )
            )
            return waits

    def closed(self, launch_id: str) -> Closed | None:
        """Return why a launch was closed; None when it was not, or long ago."""
        with self._transaction() as session:
            row = session.get(ClosedLaunchRow, launch_id)
            return None if row is None else Closed(row.reason, row.drafts_kept)

    def forget_tokens(self, launch_id: str) -> dict[str, Any] | None:
        """Forget a launch's tokens unless an accepted plan still needs them.

        Returns:
            What was kept, tokens included; None when there were none or they stay.
        """
        with self._transaction() as session:
            row = session.get(LaunchRow, launch_id)
            if row is None:
                return None
            closed = session.get(ClosedLaunchRow, launch_id)
            if self._needs_tokens(session, launch_id, closed.reason if closed else None):
                return None
            return self._forget_tokens_in(row)

    def forget_tokens_of_closed(self, launch_id: str) -> dict[str, Any] | None:
        """Do the same for a launch that was closed while a plan was on its way."""
        with self._transaction() as session:
            found = session.scalar(select(LaunchRow.browser_hash).where(LaunchRow.id == launch_id))
        return self.forget_tokens(launch_id) if found == "" else None

    def remove_closed(self, *, keep_days: int) -> None:
        """Forget why launches were closed, where that was `keep_days` ago; some at a time."""
        old = (
            select(ClosedLaunchRow.launch_id)
            .where(ClosedLaunchRow.closed_at <= self._now - keep_days * 86_400)
            .limit(_REMOVED_AT_ONCE)
        )
        with self._transaction() as session:
            session.execute(delete(ClosedLaunchRow).where(ClosedLaunchRow.launch_id.in_(old)))

    def _forget_tokens_in(self, row: LaunchRow) -> dict[str, Any] | None:
        body = self._sealer.open(row.sealed, f"launch:{row.id}")
        if "access_token" not in body and "refresh_token" not in body:
            return None
        kept = {key: value for key, value in body.items() if not key.endswith("_token")}
        row.sealed = self._sealer.seal(kept, f"launch:{row.id}")
        row.holds_tokens = False
        return body

    def _needs_tokens(self, session: Session, launch_id: str, closed: str | None) -> bool:
        """Tell whether an accepted plan is still sent with a launch's tokens.

        Also where a plan is written and something beside it is tried again. Who signed out wants
        them used no more; only a try that is under way is let end.
        """
        under_way = (DraftRow.state == "sending") & (DraftRow.claimed_until > self._now)
        which = under_way if closed == SIGNED_OUT else DraftRow.state.in_(UNWRITTEN)
        query = select(DraftRow.id).where(DraftRow.launch_id == launch_id, which)
        if session.scalar(query.limit(1)) is not None:
            return True
        unsettled = (
            select(OutboxRow.id)
            .join(DraftRow, DraftRow.id == OutboxRow.draft_id)
            .where(DraftRow.launch_id == launch_id, OutboxRow.state == UNSETTLED)
        )
        return closed != SIGNED_OUT and session.scalar(unsettled.limit(1)) is not None

    def has_unsent(self, launch_id: str) -> bool:
        """Tell whether a launch has a plan that was accepted and is not known to be in the EHR."""
        query = select(DraftRow.id).where(
            DraftRow.launch_id == launch_id, DraftRow.state.in_(UNWRITTEN)
        )
        with self._transaction() as session:
            return session.scalar(query.limit(1)) is not None
