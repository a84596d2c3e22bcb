"""A server's refusal as one of our errors: status and OperationOutcome kept, the next step said."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import requests

from ivfhir.errors import (
    BadAnswerError,
    ForbiddenError,
    NotFoundError,
    RejectedError,
    ServerError,
    ThrottledError,
    UnauthorisedError,
    VersionConflictError,
)
from ivfhir.fhir.types import OPERATION_OUTCOME, Resource
from ivfhir.servers.transport import Answer

_CLASSES: dict[int, tuple[type[ServerError], str]] = {
    400: (RejectedError, "the server refuses the request as wrong; read its outcome"),
    401: (UnauthorisedError, "the server asks for a valid access token; sign in or renew it"),
    403: (ForbiddenError, "the access token does not allow it; ask for a wider scope"),
    404: (NotFoundError, "the server has nothing there; check the address and the id"),
    409: (VersionConflictError, "somebody else wrote first; read again"),
    410: (NotFoundError, "the server says it was deleted; check the id"),
    412: (VersionConflictError, "it changed since it was read; read again"),
    422: (RejectedError, "the server refuses the content; read its outcome"),
}


def error_of(response: Answer, what: str, *, outcome: Resource | None) -> ServerError:
    """Return the error that a failed answer means.

    Args:
        response: an answer whose status is not a success.
        what: what was asked for: a resource type or a path.
        outcome: the resource in the answer; kept when it is an OperationOutcome.
    """
    status = response.status_code
    kept = outcome if (outcome or {}).get("resourceType") == OPERATION_OUTCOME else None
    asked = f"Asked for {what}, "
    if status in _CLASSES:
        family, advice = _CLASSES[status]
        error = family(f"{asked}{advice} ({status}).", status=status, outcome=kept)
        error.retry_after_s = retry_after_s(response)
        return error
    if response.is_redirect:
        message = f"{asked}the server points to another address ({status}); give that one."
        return BadAnswerError(message, status=status)
    if status == requests.codes.too_many_requests:
        return ThrottledError(
            f"{asked}the server is too busy ({status}); wait a little and try again.",
            retry_after_s=retry_after_s(response),
            outcome=kept,
        )
    error = ServerError(
        f"{asked}the server failed ({status}); try again, or tell its operator.",
        status=status,
        outcome=kept,
    )
    error.retry_after_s = retry_after_s(response)
    return error


def retry_after_s(response: Answer, *, now: datetime | None = None) -> float | None:
    """Return the seconds of the header Retry-After, also where it names a date; None without one.

    A date counts from the answer's own Date, so that the clocks need not agree; from `now` (this
    machine's by default) where it has none. http://www.rfc-editor.org/rfc/rfc9110#name-retry-after
    """
    text = response.headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10:  # noqa: PLR2004 - ten digits of seconds are no pause
        return float(text)
    until = _http_date(text)
    if until is None:
        return None
    since = _http_date(response.headers.get("Date", "")) or now or datetime.now(UTC)
    return max(0.0, (until - since).total_seconds())


def _http_date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # Such as a year or a zone of twenty digits.
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
