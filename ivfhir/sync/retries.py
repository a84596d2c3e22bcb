"""When a write that failed may be tried again, and after which pause."""

from collections.abc import Callable

from ivfhir.errors import (
    BadAnswerError,
    BusyError,
    ForbiddenError,
    NotFoundError,
    RejectedError,
    ServerError,
    ThrottledError,
    TokenRenewedError,
    UnauthorisedError,
    UnreachableError,
    VersionConflictError,
)
from ivfhir.outbox.pauses import growing_pause_s

TRIES = 5
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
LONGEST_ASKED_S = 120.0
"""A server that asks for more is not waited for: the plan is parked, and the next run sends it."""

_FOR_NOW = (
    BadAnswerError,
    BusyError,
    ThrottledError,
    TokenRenewedError,
    UnreachableError,
    VersionConflictError,
)
_FOR_GOOD = (ForbiddenError, NotFoundError, RejectedError, UnauthorisedError)
_LACKING = (405, 501)


def lacks_it(error: ServerError) -> bool:
    """Tell whether a server says, by its status, that it has no such interaction."""
    return error.status in _LACKING


def pause_before_retry_s(
    error: ServerError, attempt: int, *, random: Callable[[], float]
) -> float | None:
    """Return the seconds to wait before the next try; None when there is none.

    Args:
        error: why the last one failed.
        attempt: how many there were, from 1.
        random: returns a number from 0 to below 1: two writers must not come back together.
    """
    for_good = isinstance(error, _FOR_GOOD) and not isinstance(error, _FOR_NOW)
    if attempt >= TRIES or for_good or lacks_it(error):
        return None
    asked_s = error.retry_after_s
    if asked_s is not None:
        return asked_s + random() * FIRST_PAUSE_S if asked_s <= LONGEST_ASKED_S else None
    return growing_pause_s(attempt, first_s=FIRST_PAUSE_S, longest_s=LONGEST_PAUSE_S, random=random)
