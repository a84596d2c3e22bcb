"""Errors as OperationOutcomes, HTTP statuses and exit codes: one table."""

from typing import NamedTuple

from ivfhir.errors import (
    BadAnswerError,
    BusyError,
    DatabaseError,
    DraftGoneError,
    EvaluationError,
    ForbiddenError,
    ForeignDraftError,
    InputError,
    InvalidWriteError,
    IvfhirError,
    KnowledgeError,
    LaunchError,
    NoPlanError,
    NotFoundError,
    RejectedError,
    RequestForgedError,
    ServerError,
    SessionEndedError,
    SettingsError,
    ThrottledError,
    TokenRenewedError,
    TooManyRequestsError,
    UnauthorisedError,
    UnknownProtocolError,
    UnreachableError,
    UnsupportedError,
    UsageError,
    VersionConflictError,
)
from ivfhir.fhir.types import OPERATION_OUTCOME, Resource


class _Row(NamedTuple):
    http_status: int
    exit_code: int


# The nearest class in an error's ancestry decides. A server's failure behind us is a gateway's
# failure to our caller; the exit codes are those that the command line promises.
_ROWS: dict[type[IvfhirError], _Row] = {
    IvfhirError: _Row(500, 1),
    UsageError: _Row(400, 2),
    UnknownProtocolError: _Row(404, 2),
    SettingsError: _Row(500, 2),
    NoPlanError: _Row(422, 3),
    InputError: _Row(422, 4),
    KnowledgeError: _Row(500, 4),
    UnsupportedError: _Row(501, 4),
    DatabaseError: _Row(503, 5),
    EvaluationError: _Row(500, 4),
    InvalidWriteError: _Row(500, 1),
    LaunchError: _Row(400, 1),
    SessionEndedError: _Row(401, 1),
    RequestForgedError: _Row(403, 1),
    ForeignDraftError: _Row(403, 1),
    DraftGoneError: _Row(410, 1),
    TooManyRequestsError: _Row(429, 1),
    ServerError: _Row(502, 5),
    UnreachableError: _Row(504, 5),
    BusyError: _Row(503, 5),
    UnauthorisedError: _Row(401, 5),
    TokenRenewedError: _Row(503, 5),
    ForbiddenError: _Row(403, 5),
    NotFoundError: _Row(404, 5),
    VersionConflictError: _Row(409, 5),
    ThrottledError: _Row(429, 5),
    RejectedError: _Row(422, 5),
    BadAnswerError: _Row(502, 5),
}


def http_status(error: IvfhirError) -> int:
    """Return the HTTP status that tells a caller of ours about `error`."""
    return _row(error).http_status


def exit_code(error: IvfhirError) -> int:
    """Return the exit code for `error`: 2 usage, 3 no plan, 4 input or knowledge, 5 server."""
    return _row(error).exit_code


def operation_outcome(error: IvfhirError) -> Resource:
    """Return `error` as an OperationOutcome, http://hl7.org/fhir/R4/operationoutcome.html.

    The first issue is ours, with the culprit's FHIRPath. A server's own issues follow, whole.
    """
    issue: Resource = {"severity": "error", "code": error.code, "diagnostics": error.message}
    if error.expression is not None:
        issue["expression"] = [error.expression]
    theirs = (error.outcome or {}).get("issue")
    issues = [issue, *(theirs if isinstance(theirs, list) else [])]
    return {"resourceType": OPERATION_OUTCOME, "issue": issues}


def issues_of(outcome: Resource | None) -> list[Resource]:
    """Return the issues of a server's OperationOutcome; what is no object there is left out."""
    found = (outcome or {}).get("issue")
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def words_of(issue: Resource) -> str:
    """Return what an issue says: its diagnostics, else the text of its details; '' for neither."""
    details = issue.get("details")
    text = details.get("text") if isinstance(details, dict) else None
    return str(issue.get("diagnostics") or text or "")


def _row(error: IvfhirError) -> _Row:
    return next(_ROWS[family] for family in type(error).__mro__ if family in _ROWS)
