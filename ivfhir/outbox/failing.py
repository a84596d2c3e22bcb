"""What becomes of a plan that did not arrive: when it is tried again, or that it is parked."""

from collections.abc import Callable
from dataclasses import dataclass

from ivfhir.errors import (
    BusyError,
    ForbiddenError,
    RejectedError,
    ServerError,
    ThrottledError,
    TokenRenewedError,
    UnauthorisedError,
    UnreachableError,
    VersionConflictError,
)
from ivfhir.outbox.line import PARKED, SIGN_IN, WAITING, Entry
from ivfhir.outbox.pauses import growing_pause_s

FIRST_PAUSE_S, LONGEST_PAUSE_S = 15, 900
MOST_FAILURES = 8
"""So often a server may fail at one plan while it answers: in about half an hour."""

_FOR_GOOD = (ForbiddenError, RejectedError, VersionConflictError)
_AWAY = (BusyError, ThrottledError, TokenRenewedError, UnreachableError)
_AWAY_STATUSES = (429, 502, 503, 504)


@dataclass(frozen=True)
class After:
    """How a plan stands after a try.

    Attributes:
        state: `WAITING`, `SIGN_IN` or `PARKED`.
        due_at: when it is tried again, in seconds since 1970; counts for `WAITING`.
        failures: as in `Entry`.
    """

    state: str
    due_at: int
    failures: int


def after_failure(
    error: ServerError, entry: Entry, *, now: int, keep_s: int, random: Callable[[], float]
) -> After:
    """Return how a plan stands after a try that failed.

    What the server refuses is parked at once: sending the same again would not help. A server that
    is away or busy is waited for; one that fails at the plan itself, so often and no more. A
    server's Retry-After is kept, whether it says seconds or a date, unless it goes beyond the time
    for which the plan is tried: then our own pause counts.

    Args:
        error: why it failed.
        entry: the plan, the try counted.
        now: seconds since 1970.
        keep_s: seconds for which it is tried, from its acceptance or from when somebody let it be
            tried again.
        random: returns a number from 0 to below 1: two that failed together must not come back
            together.
    """
    if isinstance(error, UnauthorisedError) and not isinstance(error, TokenRenewedError):
        return After(SIGN_IN, now, entry.failures)
    failures = entry.failures + (not _is_away(error))
    keep_until = entry.counts_from + keep_s
    own_s, asked_s = _pauses_s(error, entry.attempts, random=random)
    due_at = now + (asked_s if now + asked_s <= keep_until else own_s)
    over = failures >= MOST_FAILURES or due_at > keep_until
    state = PARKED if over or isinstance(error, _FOR_GOOD) else WAITING
    return After(state, due_at, failures)


def _is_away(error: ServerError) -> bool:
    """Tell whether the server did not get to look at what was sent."""
    return isinstance(error, _AWAY) or error.status in _AWAY_STATUSES


def _pauses_s(error: ServerError, attempts: int, *, random: Callable[[], float]) -> tuple[int, int]:
    """Return our own pause, and that which the server asks for: ours where it asks for none."""
    own_s = growing_pause_s(
        attempts, first_s=FIRST_PAUSE_S, longest_s=LONGEST_PAUSE_S, random=random
    )
    asked_s = error.retry_after_s
    if asked_s is None:
        return round(own_s), round(own_s)
    return round(own_s), round(max(asked_s + random() * FIRST_PAUSE_S / 3, own_s))
