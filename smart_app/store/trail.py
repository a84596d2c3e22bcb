"""The audit trail in the database: rows that are only added, each chained to all before it.

A row's hash is keyed and covers what the row says, not how it is sealed, so a new key changes none.
The end is kept as a signed mark, so that a trail cut short is noticed; what is removed by age
leaves a signed mark, too, from which the rest is proved.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, delete, func, insert, select, update

from ivfhir.errors import SettingsError
from smart_app.sealing import keyed_hash
from smart_app.store.deliveries import DeliveryStore, TrailEvent, due
from smart_app.store.models import AuditDeliveryRow, AuditMarkRow, AuditRow
from smart_app.store.schema import exclusive

_TRAIL_LOCK = 0x697646_48_0003
_WAIT_S = 5
_BATCH = 500
_DAY_S = 86_400
_HEAD, _REMOVED = "head", "removed"
_LOST = "lost"


@dataclass(frozen=True)
class TrailProof:
    """What a look over the whole trail found.

    Attributes:
        count: the events that are there.
        head: the last number and its hash, to be kept elsewhere and compared later.
        breaks: a sentence for each fault; empty when the trail is whole.
    """

    count: int
    head: str
    breaks: list[str]


class TrailStore(DeliveryStore):
    """Adds to the trail, reads it, proves it, and removes what is older than a site keeps."""

    def add_event(
        self,
        content: Mapping[str, str],
        *,
        once: tuple[str, ...] | None = None,
        deliver: str | None = None,
    ) -> bool:
        """Add an event to the trail.

        Args:
            content: what happened, to whom, by whom, from where; sealed.
            once: when given, a second event with the same parts is not added.
            deliver: the launch with whose access the event is to go to the EHR; None for none.

        Returns:
            False when it was there before.

        Raises:
            DatabaseError: the database does not answer, or others write too long.
        """
        mark = None if once is None else keyed_hash(self._audit_key, "once", *once)
        with self._telling():
            if mark is not None:
                with self._engine.connect() as connection:
                    if _is_there(connection, mark):
                        return False
            with exclusive(self._engine, _TRAIL_LOCK, wait_s=_WAIT_S) as connection:
                if mark is not None and _is_there(connection, mark):
                    return False
                number = self._add(connection, dict(content), mark)
                if deliver is not None:
                    connection.execute(insert(AuditDeliveryRow).values(**due(number, deliver)))
        return True

    def keyed_digest(self, digest: str) -> str:
        """Return what stands for a digest in the trail: nobody without its key can make it again.

        So the trail tells that two inputs were the same, and not whose record they were.
        """
        return keyed_hash(self._audit_key, "inputs", digest)

    def _add(self, connection: Connection, content: dict[str, str], once: str | None) -> int:
        head = _mark(connection, _HEAD)
        # An end that was lost, changed or cut off is not mended in silence: the chain goes on from
        # nothing, so that the next event shows the break for good.
        last = connection.execute(select(func.max(AuditRow.number))).scalar() or 0
        number = max(last, head.number if head else 0) + 1
        before = head.chained if head and self._is_end(connection, head) else _LOST
        now = self._now
        chained = self._chained(before, number, now, once, content)
        connection.execute(
            insert(AuditRow).values(
                number=number,
                at=now,
                once=once,
                sealed=self._sealer.seal(content, f"audit:{number}"),
                chained=chained,
            )
        )
        self._set_mark(connection, _HEAD, number, chained, new=head is None)
        return number

    def _is_end(self, connection: Connection, head: AuditMarkRow) -> bool:
        """Tell whether a mark is signed, and the last event the one that it names."""
        if head.signed != self._signed(head):
            return False
        query = select(AuditRow.number, AuditRow.chained).order_by(AuditRow.number.desc())
        last = connection.execute(query.limit(1)).first()
        if last is not None:
            return (last.number, last.chained) == (head.number, head.chained)
        removed = _mark(connection, _REMOVED)  # All events went by age, or there was none yet.
        end = (removed.number, removed.chained) if removed else (0, "")
        return end == (head.number, head.chained)

    def events(self, *, since: int = 0, until: int | None = None) -> Iterator[TrailEvent]:
        """Give the events from `since` to before `until`, oldest first; seconds since 1970.

        Raises:
            DatabaseError: the database does not answer.
            SettingsError: a row was changed, or another key sealed it.
        """
        last = 0
        while True:
            query = select(AuditRow).where(AuditRow.number > last, AuditRow.at >= since)
            if until is not None:
                query = query.where(AuditRow.at < until)
            with self._transaction() as session:
                rows = session.scalars(query.order_by(AuditRow.number).limit(_BATCH)).all()
                states = self._delivery_states(session, [row.number for row in rows])
            for row in rows:
                yield self._event(row, states.get(row.number, "none"))
            if len(rows) < _BATCH:
                return
            last = rows[-1].number

    def prove_trail(self, *, expect: str | None = None) -> TrailProof:
        """Look over the whole trail: nothing changed, left out, put in, moved or cut off.

        Args:
            expect: a head that an earlier proof told, which must still be in the trail.

        Raises:
            DatabaseError: the database does not answer.
        """
        with self._telling(), self._engine.connect() as connection:
            head, removed = _mark(connection, _HEAD), _mark(connection, _REMOVED)
            breaks = [
                f"The signed mark of the trail's {words} was changed."
                for words, mark in (("end", head), ("removed part", removed))
                if mark is not None and mark.signed != self._signed(mark)
            ]
            if head is None:
                breaks.append("The signed mark of the trail's end is missing.")
            number, chained = (removed.number, removed.chained) if removed else (0, "")
            early = select(func.count()).where(AuditRow.number <= number)
            if connection.execute(early).scalar():
                breaks.append(f"Events up to {number} stand in the trail, and none should.")
            count, known = 0, {f"{number}:{chained}"}
            while rows := _rows_after(connection, number):
                for row in rows:
                    breaks += self._faults(row, number, chained)
                    number, chained = row.number, row.chained
                    count += 1
                    known.add(f"{number}:{chained}")
        if head is not None and (head.number, head.chained) != (number, chained):
            breaks.append(f"The trail ends at event {number}, and its signed end is {head.number}.")
        if expect is not None and expect not in known:
            breaks.append("The head that was kept elsewhere is not in the trail.")
        return TrailProof(count, f"{number}:{chained}", breaks)

    def _faults(self, row: AuditRow, number: int, chained: str) -> list[str]:
        faults = []
        if row.number != number + 1:
            faults.append(f"Events {number + 1} to {row.number - 1} are missing.")
        try:
            content = self._sealer.open(row.sealed, f"audit:{row.number}")
        except SettingsError:
            return [*faults, f"Event {row.number} was changed: it does not open."]
        if self._chained(chained, row.number, row.at, row.once, content) != row.chained:
            faults.append(f"Event {row.number} was changed, or what stood before it was.")
        return faults

    def remove_old_events(self, *, keep_days: int) -> int:
        """Remove events older than that, at most a batch, and sign up to where.

        An event that was tampered with stays, and all behind it: age must not take a proof away.

        Returns:
            How many went.

        Raises:
            DatabaseError: the database does not answer.
        """
        cutoff = self._now - keep_days * _DAY_S
        with (
            self._telling(),
            exclusive(self._engine, _TRAIL_LOCK, wait_s=_WAIT_S) as connection,
        ):
            kept = connection.execute(
                select(func.min(AuditRow.number)).where(AuditRow.at > cutoff)
            ).scalar()
            removed = _mark(connection, _REMOVED)
            if removed is not None and removed.signed != self._signed(removed):
                return 0
            number, chained = (removed.number, removed.chained) if removed else (0, "")
            gone = 0
            for row in _rows_after(connection, number):
                if (kept is not None and row.number >= kept) or self._faults(row, number, chained):
                    break
                number, chained, gone = row.number, row.chained, gone + 1
            if gone:
                connection.execute(delete(AuditRow).where(AuditRow.number <= number))
                self._set_mark(connection, _REMOVED, number, chained, new=removed is None)
            return gone

    def _chained(
        self, before: str, number: int, at: int, once: str | None, content: Mapping[str, str]
    ) -> str:
        text = json.dumps(dict(content), sort_keys=True, separators=(",", ":"))
        return keyed_hash(self._audit_key, "event", before, str(number), str(at), once or "", text)

    def _signed(self, mark: AuditMarkRow) -> str:
        return sign_mark(self._audit_key, mark.name, mark.number, mark.chained)

    def _set_mark(
        self, connection: Connection, name: str, number: int, chained: str, *, new: bool
    ) -> None:
        values = {
            "number": number,
            "chained": chained,
            "signed": sign_mark(self._audit_key, name, number, chained),
        }
        if new:
            connection.execute(insert(AuditMarkRow).values(name=name, **values))
        else:
            connection.execute(
                update(AuditMarkRow).where(AuditMarkRow.name == name).values(**values)
            )


def sign_mark(audit_key: bytes, name: str, number: int, chained: str) -> str:
    """Return the signature of a mark."""
    return keyed_hash(audit_key, "mark", name, str(number), chained)


def _mark(connection: Connection, name: str) -> AuditMarkRow | None:
    found = connection.execute(
        select(AuditMarkRow.number, AuditMarkRow.chained, AuditMarkRow.signed).where(
            AuditMarkRow.name == name
        )
    ).first()
    return None if found is None else AuditMarkRow(name=name, **found._mapping)


def _is_there(connection: Connection, once: str) -> bool:
    return (
        connection.execute(select(AuditRow.number).where(AuditRow.once == once)).first() is not None
    )


def _rows_after(connection: Connection, number: int) -> list[AuditRow]:
    table = AuditRow.__table__
    query = select(table).where(AuditRow.number > number).order_by(AuditRow.number).limit(_BATCH)
    return [AuditRow(**row._mapping) for row in connection.execute(query)]
