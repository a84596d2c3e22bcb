"""Events of the audit trail on their way to the EHR, each with a row that says how far it got.

The row is made with the event, in one transaction, so that a killed process loses none. Whoever
sends one moves the moment before which nobody else tries; who is killed meanwhile lets it pass.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, select, update
from sqlalchemy.orm import Session

from ivfhir.outbox.pauses import growing_pause_s
from smart_app.sealing import keyed_hash
from smart_app.store.database import Database
from smart_app.store.models import AuditDeliveryRow, AuditRow, LaunchRow, LaunchUseRow

WAITING, SENT, REFUSED, KEPT_HERE = "waiting", "sent", "refused", "kept-here"

_LONGEST_S, _LONGEST_AFTER = 900, 6
_MARK_LENGTH = 32


_pause_s = partial(growing_pause_s, first_s=15, longest_s=_LONGEST_S)


@dataclass(frozen=True)
class TrailEvent:
    """One event: its number, its moment in seconds since 1970, and what it says.

    Attributes:
        mark: names it alone among all events of all databases, and is always the same.
        delivery: what became of its way to the EHR: "sent", "waiting", "refused" by it, "kept-here"
            when the launch ended before, or "none" when it was not to go there.
    """

    number: int
    at: int
    content: dict[str, str]
    mark: str = ""
    delivery: str = "none"


@dataclass(frozen=True, repr=False)
class DeliveryAccess:
    """With what events may be sent now: the EHR and the access token of a launch that still is."""

    iss: str
    access_token: str


class DeliveryStore(Database):
    """Hands out the events that are due, and keeps what became of them."""

    def delivery_access(self, launch_id: str, *, idle_s: int) -> DeliveryAccess | None:
        """Return the access of a launch; None once it ended, was signed out or was left idle."""
        query = select(LaunchRow).where(LaunchRow.id == launch_id, *self._alive(idle_s))
        with self._transaction() as session:
            row = session.scalar(query)
            if row is None:
                return None
            body = self._sealer.open(row.sealed, f"launch:{row.id}")
        token = body.get("access_token")
        return None if token is None else DeliveryAccess(body["iss"], token)

    def launches_with_due(self, *, idle_s: int, limit: int) -> list[str]:
        """Return launches whose access still is and that have events which are due."""
        waits = (
            select(AuditDeliveryRow.number)
            .where(
                AuditDeliveryRow.launch_id == LaunchRow.id,
                AuditDeliveryRow.state == WAITING,
                AuditDeliveryRow.due_at <= self._now,
            )
            .exists()
        )
        query = select(LaunchRow.id).where(*self._alive(idle_s), waits).limit(limit)
        with self._transaction() as session:
            return list(session.scalars(query))

    def claim_deliveries(self, launch_id: str, *, limit: int, hold_s: int) -> list[TrailEvent]:
        """Return the oldest events of a launch that are due, and give them to nobody else.

        Args:
            launch_id: the launch.
            limit: the most to return.
            hold_s: seconds until they are due again, unless it is said what became of them.
        """
        row = AuditDeliveryRow
        ready = (row.launch_id == launch_id, row.state == WAITING, row.due_at <= self._now)
        oldest = select(row.number).where(*ready).order_by(row.number).limit(limit)
        claim = (
            update(row)
            .where(row.number.in_(oldest.scalar_subquery()), *ready)
            .values(due_at=self._now + hold_s)
            .returning(row.number)
            .execution_options(synchronize_session=False)
        )
        with self._transaction() as session:
            numbers = list(session.scalars(claim))
            events = session.scalars(
                select(AuditRow).where(AuditRow.number.in_(numbers)).order_by(AuditRow.number)
            ).all()
        return [self._event(each, WAITING) for each in events]

    def settle_delivery(self, number: int, state: str) -> None:
        """Keep that the EHR has an event (`SENT`) or will not have it (`REFUSED`)."""
        self._change(AuditDeliveryRow.number == number, state=state)

    def refuse_deliveries(self, launch_id: str) -> None:
        """Keep that the EHR will have no event of a launch that waits."""
        self._change(
            and_(AuditDeliveryRow.launch_id == launch_id, AuditDeliveryRow.state == WAITING),
            state=REFUSED,
        )

    def postpone_deliveries(self, numbers: Sequence[int]) -> None:
        """Let events wait that the EHR did not take now: longer each time, 15 minutes at most."""
        row = AuditDeliveryRow
        pauses = {n: round(_pause_s(n + 1)) for n in range(_LONGEST_AFTER)}
        pause_s = case(*((row.tries == n, each) for n, each in pauses.items()), else_=_LONGEST_S)
        self._change(
            and_(row.number.in_(numbers), row.state == WAITING),
            tries=row.tries + 1,
            due_at=self._now + pause_s,
        )

    def _change(self, which: ColumnElement[bool], **values: Any) -> None:  # noqa: ANN401 - columns' values
        change = update(AuditDeliveryRow).where(which).values(**values)
        with self._transaction() as session:
            session.execute(change.execution_options(synchronize_session=False))

    def _alive(self, idle_s: int) -> tuple[ColumnElement[bool], ...]:
        """Return the conditions for a launch that is not over, signed out or idle."""
        unused = select(LaunchUseRow.launch_id).where(
            LaunchUseRow.launch_id == LaunchRow.id, LaunchUseRow.seen_at <= self._now - idle_s
        )
        return (
            LaunchRow.browser_hash != "",
            LaunchRow.holds_tokens.is_(True),
            LaunchRow.usable_until > self._now,
            ~unused.exists(),
        )

    def _delivery_states(self, session: Session, numbers: Sequence[int]) -> dict[int, str]:
        """Return what became of each event that was to go to the EHR."""
        row = AuditDeliveryRow
        over = or_(
            LaunchRow.id.is_(None),
            LaunchRow.browser_hash == "",
            LaunchRow.holds_tokens.is_(False),
            LaunchRow.expires_at <= self._now,
        )
        state = case((and_(row.state == WAITING, over), KEPT_HERE), else_=row.state)
        query = select(row.number, state).outerjoin(LaunchRow, LaunchRow.id == row.launch_id)
        found = session.execute(query.where(row.number.in_(numbers)))
        return {number: str(told) for number, told in found}

    def _event(self, row: AuditRow, delivery: str) -> TrailEvent:
        content = self._sealer.open(row.sealed, f"audit:{row.number}")
        mark = keyed_hash(self._audit_key, "delivery", str(row.number))[:_MARK_LENGTH]
        return TrailEvent(row.number, row.at, content, mark, delivery)

    @property
    def _audit_key(self) -> bytes:
        return self._secrets["audit"]


def due(number: int, launch_id: str) -> dict[str, Any]:
    """Return the row of an event that is to go to the EHR at once."""
    return {
        "number": number,
        "launch_id": launch_id,
        "state": WAITING,
        "tries": 0,
        "due_at": 0,
    }
