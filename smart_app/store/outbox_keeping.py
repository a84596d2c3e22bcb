"""The outbox for whoever runs the app: listed, tried again, dropped; and what was left unsent."""

from typing import Any

from sqlalchemy import Select, or_, select, update
from sqlalchemy.orm import Session

from ivfhir.errors import SettingsError, UsageError
from ivfhir.outbox.line import DELIVERED, DROPPED, PARKED, SIGN_IN, UNSETTLED, WAITING
from smart_app.store.database import rowcount
from smart_app.store.models import DraftRow, LaunchRow, OutboxRow, ReceiptRow
from smart_app.store.outbox import HOLD_S, OutboxStore, Waiting

_BATCH = 100
_APART_S = 60
"""Seconds by which the clocks of two hosts may differ."""

_UNENDED = {
    "title": "its sending did not end",
    "message": "An earlier release of the app accepted it; this one has not looked for it yet.",
    "details": "",
    "again": "yes",
    "known": "unclear",
}


class OutboxKeepingStore(OutboxStore):
    """What is done to the outbox by hand."""

    def outbox(self, *, every: bool = False) -> list[Waiting]:
        """Return the plans of the outbox, the earliest accepted first.

        Args:
            every: also those that were delivered or dropped.
        """
        query = self._rows().order_by(OutboxRow.accepted_at, OutboxRow.id)
        if not every:
            query = query.where(OutboxRow.state.not_in((DELIVERED, DROPPED)))
        with self._transaction() as session:
            return [self._waiting(row) for row in session.execute(query)]

    def outbox_entry(self, entry_id: str) -> Waiting:
        """Return one plan of the outbox.

        Raises:
            UsageError: there is none of that id.
        """
        with self._transaction() as session:
            found = self._rows().where(OutboxRow.id == entry_id)
            # What is no ASCII is no id, and may be nothing that a database can be asked for.
            row = session.execute(found).first() if entry_id.isascii() else None
            if row is None:
                raise UsageError("The outbox has no plan of that id; `ivfhir outbox list` has all.")
            return self._waiting(row)

    def retry_entry(self, entry_id: str) -> None:
        """Let a plan that waits or is parked be sent now; one that is written, be settled.

        Raises:
            UsageError: there is none of that id, it is delivered or dropped, or its draft was made
                anew or changed since it was parked: then the clinician accepts it anew.
        """
        found = self.outbox_entry(entry_id)
        seen = found.entry.state
        if seen in (DELIVERED, DROPPED):
            raise UsageError(f"This plan is {seen}; there is nothing to send.")
        values: dict[str, Any] = {"due_at": self._now, "failures": 0}
        if seen != UNSETTLED:
            values["state"] = WAITING
        with self._transaction() as session:
            if seen == PARKED:
                again = session.execute(
                    update(DraftRow)
                    .where(DraftRow.id == found.draft_id, DraftRow.state == "draft")
                    .where(DraftRow.version == found.draft_version)
                    .values(state="accepted", version=DraftRow.version + 1)
                    .execution_options(synchronize_session=False)
                )
                if rowcount(again) != 1:
                    self._refuse_written(session, found)
                    raise UsageError(
                        "The draft of this plan was made anew from the record, or changed, since "
                        "it was parked; the clinician accepts it anew in the app."
                    )
                values["retried_at"] = self._now  # Its time counts from now.
            elif seen != UNSETTLED:
                self._refuse_written(session, found)
            changed = session.execute(
                update(OutboxRow)
                .where(OutboxRow.id == entry_id, OutboxRow.state == seen)
                .values(**values)
                .execution_options(synchronize_session=False)
            )
            if rowcount(changed) != 1:  # Somebody sent it meanwhile, say.
                raise UsageError(
                    "What became of this plan changed at this moment, so nothing was done; look at "
                    "it again with `ivfhir outbox show`."
                )

    def _refuse_written(self, session: Session, found: Waiting) -> None:
        """Refuse to send a plan that is on the server already."""
        query = select(DraftRow.state).where(DraftRow.id == found.draft_id)
        if session.scalar(query) == "written":
            raise UsageError(
                "This plan is written; there is nothing to send. If `ivfhir outbox list` goes on "
                "naming it, `ivfhir outbox drop` takes it off the list."
            )

    def drop_entry(self, entry_id: str) -> None:
        """Take a plan out of the outbox: it is not sent, and its draft is an ordinary one again.

        Whether it may be on the server all the same stays known. One that is written stays so;
        nothing beside it is tried any more. A claim that seems to last longer than claims do was
        made before the clock was set back, and counts as ended.

        Raises:
            UsageError: there is none of that id, it is delivered or dropped already, or being sent.
        """
        found = self.outbox_entry(entry_id)
        if found.entry.state in (DELIVERED, DROPPED):
            raise UsageError(f"This plan is {found.entry.state} already.")
        with self._transaction() as session:
            row = session.get(OutboxRow, entry_id)
            if row is None:
                raise UsageError("The outbox has no plan of that id any more.")
            if row.state == UNSETTLED:
                row.state = DELIVERED
                return
            state = session.scalar(select(DraftRow.state).where(DraftRow.id == row.draft_id))
            if state == "written":  # It is in nobody's way any more.
                row.state, row.said = DELIVERED, None
                return
            known = "unclear" if state == "sending" else self._waiting_in(session, row).known
            latest = self._now + HOLD_S + _APART_S
            ended = or_(DraftRow.claimed_until <= self._now, DraftRow.claimed_until > latest)
            changed = session.execute(
                update(DraftRow)
                .where(DraftRow.id == row.draft_id, ended)
                .where(DraftRow.state.in_(("accepted", "sending", "draft")))
                .values(state="draft", claimed_until=0, version=DraftRow.version + 1)
                .execution_options(synchronize_session=False)
            )
            if rowcount(changed) != 1:
                raise UsageError("This plan is being sent at this moment; look again in a minute.")
            version = session.scalar(select(DraftRow.version).where(DraftRow.id == row.draft_id))
            row.state, row.draft_version = DROPPED, version or 0
            row.said = self._sealer.seal({"known": known}, f"outbox:{row.id}")

    def adopt_unsent(self) -> int:
        """Put plans into the outbox that an earlier release accepted and could not send.

        A draft whose claim ended before anything was accepted becomes an ordinary one again. One
        that such a release took for a draft, though its plan waits to be sent, is sent.

        Returns:
            How many plans there were that the outbox did not have.
        """
        settled = select(OutboxRow.draft_id).where(OutboxRow.state.in_((PARKED, DROPPED)))
        waiting = select(OutboxRow.draft_id).where(OutboxRow.state.in_((WAITING, SIGN_IN)))
        with self._transaction() as session:
            session.execute(
                update(DraftRow)
                .where(DraftRow.state == "draft", DraftRow.id.in_(waiting))
                .values(state="accepted", claimed_until=0, version=DraftRow.version + 1)
                .execution_options(synchronize_session=False)
            )
            session.execute(
                update(DraftRow)
                .where(DraftRow.state == "sending", DraftRow.claimed_until <= self._now)
                .where(DraftRow.id.in_(settled))
                .values(state="draft", claimed_until=0, version=DraftRow.version + 1)
                .execution_options(synchronize_session=False)
            )
        count, last = 0, ""
        while True:  # Past those that stay as they are.
            with self._transaction() as session:
                drafts = session.scalars(self._without_row(last)).all()
                count += sum(self._adopt(session, each) for each in drafts)
                if len(drafts) < _BATCH:
                    return count
                last = drafts[-1].id

    def _without_row(self, last: str) -> "Select[DraftRow]":
        """Return the query for the next accepted drafts that the outbox does not have, by id."""
        return (
            select(DraftRow)
            .outerjoin(OutboxRow, OutboxRow.draft_id == DraftRow.id)
            .where(OutboxRow.id.is_(None), DraftRow.state.in_(("accepted", "sending")))
            .where(DraftRow.claimed_until <= self._now, DraftRow.id > last)
            .order_by(DraftRow.id)
            .limit(_BATCH)
        )

    def _adopt(self, session: Session, draft: DraftRow) -> bool:
        launch = session.get(LaunchRow, draft.launch_id)
        receipt = session.get(ReceiptRow, draft.id)
        if launch is None or receipt is None:
            self._change_state(session, draft, "draft")
            return False
        try:
            kept = self._sealer.open(receipt.sealed, f"receipt:{draft.id}")
            body = self._sealer.open(launch.sealed, f"launch:{launch.id}")
        except SettingsError:
            return False  # Sealed with a key that is not there: it stays as it is.
        if "bundle" not in kept or "iss" not in body or "patient" not in body:
            return False  # Nothing that this release could send; the clinician finds the draft.
        if not self._change_state(session, draft, "accepted"):
            return False
        self._put_in(session, draft.id, body["iss"], body["patient"])
        row = session.scalars(select(OutboxRow).where(OutboxRow.draft_id == draft.id)).one()
        # That release did not keep whether it could look after it had sent something.
        row.said = self._sealer.seal(_UNENDED, f"outbox:{row.id}")
        if launch.browser_hash == "":  # It was closed, so that nobody is signed in there.
            row.state = SIGN_IN
        return True

    def _change_state(self, session: Session, draft: DraftRow, state: str) -> bool:
        changed = session.execute(
            update(DraftRow)
            .where(DraftRow.id == draft.id, DraftRow.version == draft.version)
            .where(DraftRow.state == draft.state, DraftRow.claimed_until <= self._now)
            .values(state=state, claimed_until=0, version=DraftRow.version + 1)
            .execution_options(synchronize_session=False)
        )
        return rowcount(changed) == 1
