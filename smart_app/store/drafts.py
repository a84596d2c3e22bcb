"""Drafts and receipts in the database."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, case, delete, or_, select, true, update
from sqlalchemy.orm import Session

from ivfhir.errors import DraftGoneError, ForeignDraftError, VersionConflictError
from ivfhir.outbox.failing import After
from ivfhir.outbox.line import DELIVERED, SIGN_IN, UNSETTLED, WAITING
from smart_app.store.database import Database, rowcount
from smart_app.store.models import DraftRow, OutboxRow, ReceiptRow

Join = Callable[[Mapping[str, Any], Mapping[str, Any]], Mapping[str, Any]]


def _first(first: Mapping[str, Any], _: Mapping[str, Any]) -> Mapping[str, Any]:
    return first


@dataclass(frozen=True)
class Draft:
    """A draft as loaded, with the version to compare a save with; times in seconds since 1970.

    `held_until` is what whoever claimed it was given: it tells that claim from a later one. 0 for a
    draft that was only loaded.
    """

    id: str
    launch_id: str
    protocol: str
    state: str
    version: int
    created_at: int
    updated_at: int
    body: dict[str, Any] = field(repr=False)
    held_until: int = 0


@dataclass(frozen=True)
class Receipt:
    """What became of a draft's write."""

    draft_id: str
    created_at: int
    body: dict[str, Any] = field(repr=False)


def is_held(until: int) -> ColumnElement[bool]:
    """Return the condition that the claim on a draft is the one that counts until then; 0: any."""
    return DraftRow.claimed_until == until if until else true()


def is_to_be_sent(draft_id: str) -> ColumnElement[bool]:
    """Return the condition that a draft is kept as accepted, and that its plan is still sent."""
    plans = select(OutboxRow.draft_id).where(OutboxRow.draft_id == draft_id)
    return DraftRow.id.in_(plans.where(OutboxRow.state.in_((WAITING, SIGN_IN))))


class DraftStore(Database):
    """Keeps drafts and receipts, each for one launch."""

    def save_draft(self, launch_id: str, *, protocol: str, body: Mapping[str, Any]) -> Draft:
        """Keep a new draft: JSON values, decimals with their digits."""
        draft_id, now = self._new_id(), self._now
        row = DraftRow(
            id=draft_id, launch_id=launch_id, protocol=protocol, created_at=now, updated_at=now
        )
        row.sealed = self._sealer.seal(dict(body), f"draft:{draft_id}")
        with self._transaction() as session:
            session.add(row)
            session.flush()
            return self._draft(row)

    def update_draft(self, draft: Draft, *, body: Mapping[str, Any]) -> Draft:
        """Keep a draft's new body.

        Raises:
            VersionConflictError: it was saved, signed or written since `draft` was loaded.
            ForeignDraftError: as for `load_draft`.
            DraftGoneError: as for `load_draft`.
        """
        with self._transaction() as session:
            changed = session.execute(
                update(DraftRow)
                .where(DraftRow.id == draft.id, DraftRow.launch_id == draft.launch_id)
                .where(DraftRow.version == draft.version, DraftRow.state == "draft")
                .values(
                    sealed=self._sealer.seal(dict(body), f"draft:{draft.id}"),
                    version=DraftRow.version + 1,
                    updated_at=self._now,
                )
                .execution_options(synchronize_session=False)
            )
            row = self._row(session, draft.launch_id, draft.id)
            if rowcount(changed) != 1:
                raise VersionConflictError(
                    "This draft was changed or signed in another window. Reload it and review it "
                    "again."
                )
            return self._draft(row)

    def load_draft(self, launch_id: str, draft_id: str) -> Draft:
        """Return the launch's draft.

        Raises:
            ForeignDraftError: it belongs to another launch.
            DraftGoneError: there is none of that id.
        """
        with self._transaction() as session:
            return self._draft(self._row(session, launch_id, draft_id))

    def drafts(self, launch_id: str) -> list[Draft]:
        """Return the launch's drafts, newest first."""
        query = select(DraftRow).where(DraftRow.launch_id == launch_id)
        with self._transaction() as session:
            rows = session.scalars(query.order_by(DraftRow.created_at.desc(), DraftRow.id)).all()
            return [self._draft(row) for row in rows]

    def discard_draft(self, draft: Draft) -> bool:
        """Remove a draft for good, with what is kept of it.

        Returns:
            False when nothing was removed: it was saved, accepted or discarded since it was loaded.
        """
        with self._transaction() as session:
            removed = session.execute(
                delete(DraftRow)
                .where(DraftRow.id == draft.id, DraftRow.launch_id == draft.launch_id)
                .where(DraftRow.version == draft.version, DraftRow.state == "draft")
                .execution_options(synchronize_session=False)
            )
            return rowcount(removed) == 1

    def claim_draft(self, draft: Draft, *, hold_s: int = 120) -> int:
        """Return until when its claim counts to the one caller that may accept the draft; else 0.

        Of all threads and processes one is. The claim ends with `release_draft`, or by itself after
        `hold_s` seconds: then its holder is taken for dead. A draft that was saved, accepted or
        written since it was loaded is not claimed; for an accepted one see `claim_entry`, also
        where whoever accepted it was killed.
        """
        now = self._now
        with self._transaction() as session:
            claimed = session.execute(
                update(DraftRow)
                .where(DraftRow.id == draft.id, DraftRow.launch_id == draft.launch_id)
                .where(DraftRow.version == draft.version, ~is_to_be_sent(draft.id))
                .where(
                    or_(
                        DraftRow.state == "draft",
                        (DraftRow.state == "sending") & (DraftRow.claimed_until <= now),
                    )
                )
                .values(state="sending", claimed_until=now + hold_s, updated_at=now)
                .execution_options(synchronize_session=False)
            )
            return now + hold_s if rowcount(claimed) == 1 else 0

    def release_draft(self, draft: Draft, *, state: str) -> None:
        """Give a claim back, unless it ended and another caller holds the draft by now.

        Args:
            draft: the claimed draft, with `held_until` from the claim; whoever holds it without.
            state: what it is now: "draft", "accepted" (signed, not on the server) or "written". One
                that is kept as accepted is no draft, though its holder was not told so.
        """
        kept = case((is_to_be_sent(draft.id), "accepted"), else_=state)
        with self._transaction() as session:
            session.execute(
                update(DraftRow)
                .where(DraftRow.id == draft.id, DraftRow.state == "sending")
                .where(is_held(draft.held_until))
                .values(
                    state=kept if state == "draft" else state,
                    claimed_until=0,
                    updated_at=self._now,
                    version=DraftRow.version + 1,
                )
                .execution_options(synchronize_session=False)
            )

    def save_receipt(self, draft: Draft, body: Mapping[str, Any]) -> Receipt:
        """Keep what became of an acceptance, in place of an earlier receipt.

        `closed: true` in it closes the draft, and its row in the outbox: there is nothing to write.
        """
        now = self._now
        with self._transaction() as session:
            self._keep_receipt(session, draft.id, body)
            if body.get("closed") is True:
                self._close(session, draft.id)
                self._close_entry(session, draft.id, None)
        return Receipt(draft_id=draft.id, created_at=now, body=dict(body))

    def save_written(
        self,
        draft_id: str,
        body: Mapping[str, Any],
        *,
        after: After | None = None,
        join: Join = _first,
    ) -> bool:
        """Keep the receipt of a plan that is written; its draft and its row in the outbox close.

        One of an earlier acceptance, which another took the place of meanwhile, changes nothing.

        Args:
            draft_id: the draft.
            body: the receipt's body.
            after: when what is not settled beside the plan is tried again; None for nothing.
            join: makes one body of the one that is kept already and this; else the first stays.

        Returns:
            Whether this is the first; else what is kept was joined with it, or is of another
            acceptance.
        """
        with self._transaction() as session:
            is_first = self._close(session, draft_id)
            row = session.get(ReceiptRow, draft_id, with_for_update=True)
            kept = None if row is None else self._sealer.open(row.sealed, f"receipt:{draft_id}")
            if kept is not None and kept.get("acceptedAt") != body.get("acceptedAt"):
                session.rollback()
                return False
            if not is_first:
                if kept is None:
                    return False
                body = join(kept, body)
            self._keep_receipt(session, draft_id, body, is_first=is_first)
            self._close_entry(session, draft_id, after)
            return is_first

    def _close(self, session: Session, draft_id: str) -> bool:
        """Close a draft; return False when it was closed already."""
        changed = session.execute(
            update(DraftRow)
            .where(DraftRow.id == draft_id, DraftRow.state != "written")
            .values(state="written", claimed_until=0)
            .execution_options(synchronize_session=False)
        )
        return rowcount(changed) == 1

    def _close_entry(self, session: Session, draft_id: str, after: After | None) -> None:
        """Close a draft's row in the outbox; what was settled once stays so."""
        values: dict[str, Any] = {"state": DELIVERED, "said": None}
        if after is not None:
            values |= {"state": UNSETTLED, "due_at": after.due_at, "failures": after.failures}
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.draft_id == draft_id, OutboxRow.state != DELIVERED)
            .values(**values)
            .execution_options(synchronize_session=False)
        )

    def _keep_receipt(
        self, session: Session, draft_id: str, body: Mapping[str, Any], *, is_first: bool = True
    ) -> None:
        """Keep a receipt in place of an earlier one; joined with the first it is still that one."""
        row = session.get(ReceiptRow, draft_id) or ReceiptRow(draft_id=draft_id)
        row.sealed = self._sealer.seal(dict(body), f"receipt:{draft_id}")
        if is_first:
            row.created_at = self._now
        session.add(row)

    def load_receipt(self, launch_id: str, draft_id: str) -> Receipt | None:
        """Return the receipt of the launch's draft, None when nothing was written yet.

        Raises:
            ForeignDraftError: as for `load_draft`.
            DraftGoneError: as for `load_draft`.
        """
        with self._transaction() as session:
            self._row(session, launch_id, draft_id)
            row = session.get(ReceiptRow, draft_id)
            if row is None:
                return None
            body = self._sealer.open(row.sealed, f"receipt:{draft_id}")
            return Receipt(draft_id=draft_id, created_at=row.created_at, body=body)

    def _row(self, session: Session, launch_id: str, draft_id: str) -> DraftRow:
        row = session.get(DraftRow, draft_id)
        if row is None:
            raise DraftGoneError(
                "There is no such draft. Start again from the list of protocols.", mender="You"
            )
        if row.launch_id != launch_id:
            raise ForeignDraftError(
                "This draft belongs to another launch: another patient, or another window. Open "
                "it from there.",
                mender="You",
            )
        return row

    def _draft(self, row: DraftRow) -> Draft:
        return Draft(
            id=row.id,
            launch_id=row.launch_id,
            protocol=row.protocol,
            state=row.state,
            version=row.version,
            created_at=row.created_at,
            updated_at=row.updated_at,
            body=self._sealer.open(row.sealed, f"draft:{row.id}"),
        )
