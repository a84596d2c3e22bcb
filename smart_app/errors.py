"""Every error as a page in words, or as an OperationOutcome when JSON is asked for."""

import math
import secrets
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from flask import Flask, g, jsonify, make_response, request
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response

from ivfhir.errors import (
    BadAnswerError,
    BusyError,
    DatabaseError,
    ForbiddenError,
    InvalidWriteError,
    IvfhirError,
    LaunchError,
    NotFoundError,
    ServerError,
    SessionEndedError,
    SettingsError,
    ThrottledError,
    TokenRenewedError,
    TooManyRequestsError,
    UnauthorisedError,
    UnreachableError,
    VersionConflictError,
)
from ivfhir.fhir.outcome import http_status, issues_of, operation_outcome, words_of
from smart_app.problems import OWN, THEIRS, Problem, lead_to, show
from smart_app.services import services
from smart_app.smart.renewal import ended

YOU, EHR, OPERATOR = "You", "Your EHR administrator", "Whoever runs this app"
FHIR_JSON = "application/fhir+json"

RETRY_S = 30
"""Seconds after which an answer with 503 lets a client try again, where nothing better is known."""

_TITLES: tuple[tuple[type[IvfhirError], str, str | None], ...] = (
    (SessionEndedError, "Your session ended", YOU),
    (LaunchError, "The app could not be opened", None),
    (TokenRenewedError, "The EHR asked for a new access token", YOU),
    (UnauthorisedError, "Your session ended", YOU),
    (ForbiddenError, "The EHR does not allow this", EHR),
    (NotFoundError, "There is no such entry", None),
    (VersionConflictError, "The record changed meanwhile", YOU),
    (ThrottledError, "The EHR is busy", YOU),
    (BusyError, "The EHR is busy", YOU),
    (UnreachableError, "The EHR did not answer", EHR),
    (BadAnswerError, "The EHR's answer could not be understood", EHR),
    (TooManyRequestsError, "Too many requests at once", YOU),
    (ServerError, "The EHR could not do this", EHR),
    (InvalidWriteError, "What the app made is not valid FHIR", OPERATOR),
    (DatabaseError, "The app cannot reach its own memory", OPERATOR),
    (SettingsError, "The app is not set up", OPERATOR),
    (IvfhirError, "This could not be done", OPERATOR),
)
"""The page's heading of each kind of error and who can mend it; the nearest class decides."""


def register_errors(app: Flask) -> None:
    """Let the app answer every error with a page."""
    app.register_error_handler(IvfhirError, _on_known)
    app.register_error_handler(HTTPException, _on_http)
    app.register_error_handler(Exception, _on_unknown)


def _on_known(error: IvfhirError) -> Response:
    launch_id = g.get("held_launch_id")
    over = isinstance(error, UnauthorisedError) and not isinstance(error, TokenRenewedError)
    if over and launch_id is not None:
        error = ended()
    if isinstance(error, SessionEndedError) and launch_id is not None:
        with suppress(DatabaseError):  # The page says that the session ended all the same.
            services().store.end_launch(launch_id, return_to=_page_of(launch_id))
    title, mender = next((title, who) for kind, title, who in _TITLES if isinstance(error, kind))
    if isinstance(error, LaunchError):
        mender = error.mender
    return render_problem(
        title=title,
        message=error.plain if isinstance(error, InvalidWriteError) else error.message,
        status=http_status(error),
        mender=mender,
        actions=_actions(error, launch_id),
        outcome=operation_outcome(error),
        details=_details(error),
        details_title=OWN if isinstance(error, InvalidWriteError) else THEIRS,
        error=error,
    )


def _on_http(error: HTTPException) -> Response:
    status = error.code or 500
    titles = {
        404: "There is no such page",
        405: "This page cannot be used so",
        413: "The form is too large",
    }
    return render_problem(
        title=titles.get(status, "This request could not be understood"),
        message="Go back to the app's own pages, or open the app again from the EHR.",
        status=status,
        mender=YOU,
        outcome=_outcome(
            "not-found" if status == HTTPStatus.NOT_FOUND else "invalid",
            titles.get(status, error.name),
        ),
    )


def _on_unknown(error: Exception) -> Response:
    return render_problem(
        title="Something in the app is broken",
        message="Nothing was written after this. Tell whoever runs this app the reference below.",
        status=500,
        mender=OPERATOR,
        outcome=_outcome("exception", "Something in the app is broken."),
        error=error,
    )


def render_problem(
    *,
    title: str,
    message: str,
    status: int,
    mender: str | None,
    outcome: dict[str, Any],
    actions: list[dict[str, str]] | None = None,
    details: str | None = None,
    details_title: str = THEIRS,
    error: Exception | None = None,
) -> Response:
    """Return the page of a problem, or its OperationOutcome when JSON is asked for; and log it.

    Args:
        title: the page's heading, a short sentence.
        message: what is wrong and what to do.
        status: the HTTP status.
        mender: who can mend it.
        outcome: the OperationOutcome that says the same.
        actions: links to offer, each `{text, href}`.
        details: what a server, or our own check, said, as text.
        details_title: whose words these are.
        error: the exception, of which the log keeps the class.
    """
    reference = secrets.token_hex(4)
    _log(reference, status, mender, error)
    pause_s = getattr(error, "retry_after_s", None)
    if pause_s is None and status == HTTPStatus.SERVICE_UNAVAILABLE:
        pause_s = RETRY_S
    retry_after_s = None if pause_s is None else math.ceil(pause_s)
    headers = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    if _wants_json():
        response = make_response(jsonify(outcome), status, headers)
        response.mimetype = FHIR_JSON
        return response
    problem = Problem(
        title=title,
        message=message,
        status=status,
        mender=mender,
        actions=tuple(actions or ()),
        details=details,
        details_title=details_title,
        reference=reference,
        retry_after_s=retry_after_s,
    )
    return show(problem) if request.endpoint != "launch.callback" else _away(problem)


def _away(problem: Problem) -> Response:
    """Leave the address of `/callback`, in which the EHR's code stands.

    A client that asks too often is told so at once; its browser leaves the address as well.
    """
    elsewhere = lead_to(problem)
    if problem.status != HTTPStatus.TOO_MANY_REQUESTS:
        return elsewhere
    page = show(problem)
    page.headers["Refresh"] = f"0; url={elsewhere.headers['Location']}"
    return page


def _log(reference: str, status: int, mender: str | None, error: Exception | None) -> None:
    """Log class, code and place of an error, never its text: a library's text may quote data."""
    place = None
    if error is not None and not isinstance(error, IvfhirError):
        frames = error.__traceback__
        while frames is not None and frames.tb_next is not None:
            frames = frames.tb_next
        place = (
            None
            if frames is None
            else f"{frames.tb_frame.f_globals.get('__name__')}:{frames.tb_lineno}"
        )
    log = services().log
    (log.error if place is not None else log.warning)(
        "problem",
        reference=reference,
        status=status,
        mender=mender,
        route=str(request.url_rule) if request.url_rule else None,
        error=type(error).__name__ if error is not None else None,
        code=getattr(error, "code", None),
        server_status=getattr(error, "status", None),
        where=place,
    )


def _actions(error: IvfhirError, launch_id: str | None) -> list[dict[str, str]]:
    if launch_id is None and g.get("sign_in_again"):
        return [{"text": "Sign in again", "href": f"/l/{g.sign_in_again}/again"}]
    if launch_id is None:
        return []
    if isinstance(error, SessionEndedError):
        return [{"text": "Sign in again", "href": f"/l/{launch_id}/again"}]
    never = isinstance(error, ForbiddenError | NotFoundError)
    if never and request.endpoint == "pages.match":
        return []
    if isinstance(error, ServerError) and request.method == "GET" and not never:
        return [{"text": "Try again", "href": request.full_path.rstrip("?")}]
    return [{"text": "Back to the protocols", "href": f"/l/{launch_id}/match"}]


def _page_of(launch_id: str) -> str:
    """Return the page to come back to, as a path below `/l/<launch>/`."""
    wanted = g.get("return_to") or request.full_path.rstrip("?")
    prefix = f"/l/{launch_id}/"
    page = wanted.removeprefix(prefix) if wanted.startswith(prefix) else "match"
    return "match" if page.startswith(("again", "/")) or len(page) > 500 else page  # noqa: PLR2004 - the column's width


def _details(error: IvfhirError) -> str | None:
    """Return the diagnostics of a server's OperationOutcome, a line each."""
    lines = filter(None, map(words_of, issues_of(error.outcome)))
    return "\n".join(lines)[:2000] or None


def _outcome(code: str, diagnostics: str) -> dict[str, Any]:
    return {
        "resourceType": "OperationOutcome",
        "issue": [{"severity": "error", "code": code, "diagnostics": diagnostics}],
    }


def _wants_json() -> bool:
    if request.path.startswith("/health"):
        return True
    best = request.accept_mimetypes.best_match(
        ["text/html", FHIR_JSON, "application/json"], default="text/html"
    )
    return best != "text/html"
