"""Which plan may be sent now: one at a time for each patient and server, in the order accepted."""

from collections.abc import Iterable
from dataclasses import dataclass

WAITING, SIGN_IN, PARKED = "waiting", "waiting-for-sign-in", "parked"
DELIVERED, DROPPED = "delivered", "dropped"
UNSETTLED = "unsettled"
"""A plan that is on the server, and of which something beside it is tried again."""
SENDING = "sending"
"""How a plan is told that waits and that somebody holds a claim on; it is kept as `WAITING`."""


@dataclass(frozen=True)
class Entry:
    """A plan in the outbox; times in seconds since 1970.

    Attributes:
        id: names it.
        server: base URL of the FHIR server that it goes to.
        line: tells patients and servers apart, and nothing of either.
        place: its place in that line, the earliest accepted first.
        state: one of this module's.
        attempts: how often it was tried.
        failures: how many of these the server answered with a failure of its own.
        accepted_at: when it was accepted.
        due_at: before that it is not tried again by itself.
        tried_at: when it was tried last; None for never.
        held_until: until then somebody's claim on it counts; 0 for none.
        retried_at: when somebody let it be tried again after it was parked; None for never.
    """

    id: str
    server: str
    line: str
    place: int
    state: str
    attempts: int
    failures: int
    accepted_at: int
    due_at: int
    tried_at: int | None = None
    held_until: int = 0
    retried_at: int | None = None

    @property
    def counts_from(self) -> int:
        """When the time began for which it is tried."""
        return self.accepted_at if self.retried_at is None else self.retried_at

    def told_state(self, *, now: int) -> str:
        """Return its state as people are told: `SENDING` while somebody sends it."""
        return SENDING if self.state == WAITING and self.held_until > now else self.state


def next_of_line(entries: Iterable[Entry], *, now: int) -> Entry | None:
    """Return the one plan of a line that may be sent now, None when there is none.

    Nothing overtakes a plan that is being sent or waits to be sent again. One that is parked, or
    that waits for somebody to sign in, holds up nobody: nobody knows how long that takes.

    Args:
        entries: every plan of one line.
        now: seconds since 1970.
    """
    waiting = [each for each in entries if each.state == WAITING]
    if any(each.held_until > now for each in waiting):
        return None
    first = min(waiting, key=lambda each: (each.place, each.id), default=None)
    return first if first is not None and first.due_at <= now else None


def may_be_tried(entry: Entry, entries: Iterable[Entry], *, now: int) -> bool:
    """Tell whether somebody who asks for it may send a plan now, before it is due.

    Args:
        entry: the plan; it may also wait for a sign-in.
        entries: every plan of its line.
        now: seconds since 1970.
    """
    if entry.state not in (WAITING, SIGN_IN):
        return False
    others = [each for each in entries if each.state == WAITING and each.id != entry.id]
    free = all(each.held_until <= now for each in (*others, entry))
    return free and all((each.place, each.id) > (entry.place, entry.id) for each in others)
