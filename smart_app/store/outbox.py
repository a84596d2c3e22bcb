"""Accepted plans on their way to the EHR, in the database.

A row is made in the transaction that keeps the acceptance, and settled in the one that keeps the
receipt. Whoever sends it holds the claim on its draft, which ends by itself when its holder dies.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row, Select, func, or_, select, true, update
from sqlalchemy.orm import Session, aliased

from ivfhir.errors import SettingsError, VersionConflictError
from ivfhir.outbox.failing import After
from ivfhir.outbox.line import (
    DELIVERED,
    DROPPED,
    PARKED,
    SIGN_IN,
    UNSETTLED,
    WAITING,
    Entry,
    may_be_tried,
    next_of_line,
)
from smart_app.store.database import rowcount
from smart_app.store.drafts import Draft, DraftStore, is_held
from smart_app.store.models import DraftRow, LaunchRow, OutboxRow

HOLD_S = 120
"""Seconds after which a claim whose holder is silent may be taken over."""

_OPEN = (WAITING, SIGN_IN)
_SENDING = "sending"


@dataclass(frozen=True)
class Waiting:
    """A plan of the outbox with what leads to it.

    Attributes:
        entry: how it stands.
        draft_id: its draft.
        launch_id: the launch that the draft belongs to now.
        protocol: the draft's protocol.
        said: why the last try failed; empty when none did.
        draft_version: the draft's when the plan came back for review; 0 when it never did.
    """

    entry: Entry
    draft_id: str
    launch_id: str
    protocol: str
    said: dict[str, Any] = field(repr=False)
    draft_version: int = 0

    def edited(self, draft: Draft) -> bool:
        """Tell whether a draft was changed since its plan came back for review."""
        back = self.entry.state in (PARKED, DROPPED)
        return back and draft.state == "draft" and draft.version != self.draft_version

    @property
    def known(self) -> str:
        """What is known of a plan that nobody sends now and of which no receipt says it is there.

        'unclear' when nobody could look whether it is on the server, 'in part' when a part of it
        may be, '' when it is not. A try of which nothing is kept was cut off.
        """
        if not self.said:
            return "unclear" if self.entry.attempts else ""
        return str(self.said.get("known", ""))


class OutboxStore(DraftStore):
    """Keeps which accepted plans are to be sent, by whom, and when."""

    def accept_draft(
        self, draft: Draft, body: Mapping[str, Any], *, server: str, patient_id: str
    ) -> bool:
        """Keep that a claimed draft was accepted, and that it is to be sent: both or nothing.

        Args:
            draft: the draft; the caller holds the claim on it, and goes on holding it.
            body: its receipt so far, with what is to be sent.
            server: base URL of the EHR's FHIR server.
            patient_id: id of the patient there.

        Returns:
            Whether the caller may send it now; else another of that patient goes first.

        Raises:
            VersionConflictError: the claim ended meanwhile.
        """
        with self._transaction() as session:
            held = session.execute(
                update(DraftRow)
                .where(DraftRow.id == draft.id, DraftRow.state == _SENDING)
                .where(DraftRow.claimed_until > self._now, is_held(draft.held_until))
                .values(updated_at=self._now)
                .execution_options(synchronize_session=False)
            )
            if rowcount(held) != 1:
                raise VersionConflictError(
                    "The record took so long to read that the plan was not accepted. Review it "
                    "again."
                )
            self._keep_receipt(session, draft.id, body)
            self._put_in(session, draft.id, server, patient_id)
            line = self._line_of(session, draft.id)
            ahead = [entry for entry, id_ in line if entry.state == WAITING and id_ != draft.id]
            if not ahead:
                session.execute(
                    update(OutboxRow)
                    .where(OutboxRow.draft_id == draft.id)
                    .values(attempts=1, tried_at=self._now)
                )
            return not ahead

    def _put_in(self, session: Session, draft_id: str, server: str, patient_id: str) -> None:
        """Make the draft's row, in place of one of an earlier acceptance; let those before go."""
        server = server.rstrip("/")
        line = self._sealer.fingerprint("outbox", server, patient_id)
        if session.get_bind().dialect.name == "postgresql":
            # Who accepts at the same moment comes after: SQLite has one writer anyhow.
            alone = func.pg_advisory_xact_lock(func.hashtextextended(line, 0))
            session.execute(select(alone))
        last = session.scalar(select(func.max(OutboxRow.place)).where(OutboxRow.line == line)) or 0
        row = session.scalar(select(OutboxRow).where(OutboxRow.draft_id == draft_id))
        known = "" if row is None else self._waiting_in(session, row).known
        if row is None:
            row = OutboxRow(id=self._new_id(), draft_id=draft_id)
        row.server, row.line, row.place, row.state = server, line, last + 1, WAITING
        row.attempts, row.failures, row.draft_version = 0, 0, 0
        # What an earlier acceptance may have left is known until somebody can look.
        row.said = self._sealer.seal({"known": known}, f"outbox:{row.id}") if known else None
        row.accepted_at, row.due_at = self._now, self._now
        row.retried_at, row.tried_at = None, None
        session.add(row)
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.line == line, OutboxRow.state == WAITING)
            .where(OutboxRow.due_at > self._now)
            .values(due_at=self._now)
            .execution_options(synchronize_session=False)
        )

    def ahead_of(self, draft_id: str) -> list[Entry]:
        """Return the plans for the same patient that have to be sent before a draft's."""
        with self._transaction() as session:
            line = self._line_of(session, draft_id)
        mine = next((entry for entry, id_ in line if id_ == draft_id), None)
        if mine is None:
            return []
        others = [entry for entry, id_ in line if entry.state == WAITING and id_ != draft_id]
        return [
            each
            for each in others
            if each.held_until > self._now or (each.place, each.id) < (mine.place, mine.id)
        ]

    def claim_entry(self, draft_id: str, *, hold_s: int, at_once: bool) -> int:
        """Return until when its claim counts to the one caller that may send the plan now; else 0.

        Of all threads and processes one is.

        Args:
            draft_id: its draft.
            hold_s: seconds after which the claim ends by itself.
            at_once: whether somebody asks for it: it need not be due then.
        """
        now = self._now
        with self._transaction() as session:
            line = self._line_of(session, draft_id)
            entries = [entry for entry, _ in line]
            mine = next((each for each, id_ in line if id_ == draft_id), None)
            if mine is None:
                return 0
            ready = (
                may_be_tried(mine, entries, now=now)
                if at_once
                else next_of_line(entries, now=now) == mine
            )
            if not ready:
                return 0
            claimed = session.execute(
                update(DraftRow)
                .where(DraftRow.id == draft_id)
                .where(
                    or_(
                        DraftRow.state == "accepted",
                        (DraftRow.state == _SENDING) & (DraftRow.claimed_until <= now),
                    )
                )
                .values(state=_SENDING, claimed_until=now + hold_s, updated_at=now)
                .execution_options(synchronize_session=False)
            )
            counted = session.execute(
                update(OutboxRow)
                .where(OutboxRow.id == mine.id, OutboxRow.state == mine.state)
                .where(OutboxRow.attempts == mine.attempts)
                .values(state=WAITING, attempts=mine.attempts + 1, tried_at=now)
                .execution_options(synchronize_session=False)
            )
            if rowcount(claimed) == 1 and rowcount(counted) == 1:
                return now + hold_s
            session.rollback()
            return 0

    def put_off(
        self, draft_id: str, after: After, said: Mapping[str, Any], *, held_until: int = 0
    ) -> bool:
        """Keep that a claimed plan did not arrive, and give the claim back.

        Args:
            draft_id: its draft: an ordinary one again when the plan is parked.
            after: how the plan stands now.
            said: why it failed, and what the server said; sealed.
            held_until: what the claim was given; 0 for whoever holds it.

        Returns:
            False when the caller does not hold it any more: somebody found it written meanwhile, or
            its claim ended and another caller took over.
        """
        with self._transaction() as session:
            state = "draft" if after.state == PARKED else "accepted"
            released = session.execute(
                update(DraftRow)
                .where(DraftRow.id == draft_id, DraftRow.state == _SENDING, is_held(held_until))
                .values(
                    state=state, claimed_until=0, updated_at=self._now, version=DraftRow.version + 1
                )
                .execution_options(synchronize_session=False)
            )
            if rowcount(released) == 1:
                self._keep_failure(session, draft_id, after, said)
            return rowcount(released) == 1

    def put_off_unclaimed(
        self,
        draft_id: str,
        after: After,
        said: Mapping[str, Any],
        *,
        launch_id: str | None = None,
        attempts: int | None = None,
    ) -> bool:
        """Do as `put_off` for a plan that nobody holds; False when somebody does.

        Args:
            draft_id: as for `put_off`.
            after: as for `put_off`.
            said: as for `put_off`.
            launch_id: False also when the draft is another launch's by now; None for any.
            attempts: how often it was tried, this time counted; None when it was not tried now.
        """
        with self._transaction() as session:
            mine = true() if launch_id is None else DraftRow.launch_id == launch_id
            released = session.execute(
                update(DraftRow)
                .where(DraftRow.id == draft_id, mine)
                .where(
                    or_(
                        DraftRow.state == "accepted",
                        (DraftRow.state == _SENDING) & (DraftRow.claimed_until <= self._now),
                    )
                )
                .values(
                    state="draft" if after.state == PARKED else "accepted",
                    claimed_until=0,
                    version=DraftRow.version + 1,
                )
                .execution_options(synchronize_session=False)
            )
            if rowcount(released) == 1:
                self._keep_failure(session, draft_id, after, said, attempts=attempts)
            return rowcount(released) == 1

    def _keep_failure(
        self,
        session: Session,
        draft_id: str,
        after: After,
        said: Mapping[str, Any],
        *,
        attempts: int | None = None,
    ) -> None:
        row = session.scalar(select(OutboxRow).where(OutboxRow.draft_id == draft_id))
        if row is None or row.state in (DELIVERED, UNSETTLED, DROPPED):
            return
        version = session.scalar(select(DraftRow.version).where(DraftRow.id == draft_id))
        row.state, row.due_at, row.failures = after.state, after.due_at, after.failures
        row.said = self._sealer.seal(dict(said), f"outbox:{row.id}")
        row.draft_version = version or 0
        if attempts is not None and attempts > row.attempts:
            row.attempts, row.tried_at = attempts, self._now

    def waiting_of(self, draft_id: str) -> Waiting | None:
        """Return how a draft's plan stands in the outbox; None when it is not there."""
        query = self._rows().where(OutboxRow.draft_id == draft_id)
        with self._transaction() as session:
            row = session.execute(query).first()
            return None if row is None else self._waiting(row)

    def due_servers(self) -> list[str]:
        """Return the servers for which something is due, the one that waits longest first."""
        due = (
            select(OutboxRow.server)
            .where(OutboxRow.state.in_((WAITING, UNSETTLED)), OutboxRow.due_at <= self._now)
            .group_by(OutboxRow.server)
            .order_by(func.min(OutboxRow.due_at), OutboxRow.server)
        )
        with self._transaction() as session:
            return list(session.scalars(due))

    def due_plans(self, server: str, *, limit: int, but: Collection[str] = ()) -> list[Waiting]:
        """Return plans that are due and first in their line, the one that waits longest first.

        Args:
            server: base URL of the EHR's FHIR server, as of `due_servers`.
            limit: the most to return.
            but: ids of entries to leave out.
        """
        ahead = aliased(OutboxRow)
        earlier = or_(
            ahead.place < OutboxRow.place,
            (ahead.place == OutboxRow.place) & (ahead.id < OutboxRow.id),
        )
        behind = (
            select(ahead.id)
            .where(ahead.line == OutboxRow.line, ahead.state == WAITING, earlier)
            .exists()
        )
        due = (
            self._rows()
            .where(OutboxRow.server == server)
            .where(OutboxRow.state == WAITING, OutboxRow.due_at <= self._now, ~behind)
            .where(DraftRow.state.in_(("accepted", _SENDING)), DraftRow.claimed_until <= self._now)
            .where(OutboxRow.id.not_in(list(but)))
            .order_by(OutboxRow.due_at, OutboxRow.place)
            .limit(limit)
        )
        with self._transaction() as session:
            return [self._waiting(row) for row in session.execute(due)]

    def due_unsettled(self, server: str, *, limit: int, but: Collection[str] = ()) -> list[Waiting]:
        """Return written plans of which something beside them is due to be tried again.

        Args:
            server: as of `due_plans`.
            limit: the most to return.
            but: ids of entries to leave out.
        """
        due = (
            self._rows()
            .where(OutboxRow.server == server)
            .where(OutboxRow.state == UNSETTLED, OutboxRow.due_at <= self._now)
            .where(OutboxRow.id.not_in(list(but)))
            .order_by(OutboxRow.due_at, OutboxRow.id)
            .limit(limit)
        )
        with self._transaction() as session:
            return [self._waiting(row) for row in session.execute(due)]

    def claim_unsettled(self, entry: Entry, *, hold_s: int) -> int:
        """Return until when its claim counts to the one caller that may try it now; else 0.

        For others it is not due until then.

        Args:
            entry: the plan, as it was due.
            hold_s: seconds until it is due again, unless it is said what became of it.
        """
        now = self._now
        with self._transaction() as session:
            claimed = session.execute(
                update(OutboxRow)
                .where(OutboxRow.id == entry.id, OutboxRow.state == UNSETTLED)
                .where(OutboxRow.attempts == entry.attempts, OutboxRow.due_at == entry.due_at)
                .values(attempts=entry.attempts + 1, tried_at=now, due_at=now + hold_s)
                .execution_options(synchronize_session=False)
            )
            return now + hold_s if rowcount(claimed) == 1 else 0

    def put_off_unsettled(self, entry_id: str, *, held_until: int, due_at: int | None) -> None:
        """Keep when it is tried again what could not even be tried; None: never.

        Nothing is kept where the claim ended meanwhile: another caller took over, or it is to be
        tried at once.

        Args:
            entry_id: the plan.
            held_until: what `claim_unsettled` gave.
            due_at: when it is due.
        """
        values = {"state": DELIVERED} if due_at is None else {"due_at": due_at}
        with self._transaction() as session:
            session.execute(
                update(OutboxRow)
                .where(OutboxRow.id == entry_id, OutboxRow.state == UNSETTLED)
                .where(OutboxRow.due_at == held_until)
                .values(**values)
                .execution_options(synchronize_session=False)
            )

    def resume_for(self, servers: Sequence[str]) -> None:
        """Let plans that wait for a sign-in be sent where a backend service may do so."""
        if not servers:
            return
        bases = [each.rstrip("/") for each in servers]
        with self._transaction() as session:
            session.execute(
                update(OutboxRow)
                .where(OutboxRow.state == SIGN_IN, OutboxRow.server.in_(bases))
                .values(state=WAITING, due_at=self._now)
                .execution_options(synchronize_session=False)
            )

    def _line_of(self, session: Session, draft_id: str) -> list[tuple[Entry, str]]:
        """Return every plan that is still to be sent of the line a draft's plan stands in."""
        line = select(OutboxRow.line).where(OutboxRow.draft_id == draft_id).scalar_subquery()
        query = self._rows().where(OutboxRow.line == line, OutboxRow.state.in_(_OPEN))
        return [
            (_entry(row.OutboxRow, row.DraftRow), row.OutboxRow.draft_id)
            for row in session.execute(query)
        ]

    def _waiting_in(self, session: Session, row: OutboxRow) -> Waiting:
        return self._waiting(session.execute(self._rows().where(OutboxRow.id == row.id)).one())

    def _rows(self) -> "Select[OutboxRow, DraftRow]":
        query = select(OutboxRow, DraftRow).join(DraftRow, DraftRow.id == OutboxRow.draft_id)
        return query.join(LaunchRow, LaunchRow.id == DraftRow.launch_id)

    def _waiting(self, row: "Row[OutboxRow, DraftRow]") -> Waiting:
        own, draft = row.OutboxRow, row.DraftRow
        said: dict[str, Any] = {}
        with suppress(SettingsError):  # One that no key opens must not hide the others.
            said = {} if own.said is None else self._sealer.open(own.said, f"outbox:{own.id}")
        return Waiting(
            _entry(own, draft), draft.id, draft.launch_id, draft.protocol, said, own.draft_version
        )


def _entry(row: OutboxRow, draft: DraftRow) -> Entry:
    return Entry(
        id=row.id,
        server=row.server,
        line=row.line,
        place=row.place,
        state=row.state,
        attempts=row.attempts,
        failures=row.failures,
        accepted_at=row.accepted_at,
        retried_at=row.retried_at,
        due_at=row.due_at,
        tried_at=row.tried_at,
        held_until=draft.claimed_until if draft.state == _SENDING else 0,
    )


def resume(session: Session, launch_id: str, *, now: int) -> None:
    """Let what waited for a sign-in be sent, and settled, within a transaction."""
    resume_unsent(session, launch_id, now=now)
    mine = select(DraftRow.id).where(DraftRow.launch_id == launch_id)
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.draft_id.in_(mine), OutboxRow.state == UNSETTLED)
        .values(due_at=now)
        .execution_options(synchronize_session=False)
    )


def resume_unsent(session: Session, launch_id: str, *, now: int) -> None:
    """Let the plans of a launch that waited for a sign-in be sent, within a transaction."""
    mine = select(DraftRow.id).where(DraftRow.launch_id == launch_id)
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.draft_id.in_(mine), OutboxRow.state == SIGN_IN)
        .values(state=WAITING, due_at=now)
        .execution_options(synchronize_session=False)
    )


def stop(session: Session, launch_id: str) -> None:
    """Let the plans of a launch that was signed out wait for a sign-in, within a transaction."""
    mine = select(DraftRow.id).where(DraftRow.launch_id == launch_id)
    session.execute(
        update(OutboxRow)
        .where(OutboxRow.draft_id.in_(mine), OutboxRow.state == WAITING)
        .values(state=SIGN_IN)
        .execution_options(synchronize_session=False)
    )
