"""The page of a problem, also one that is shown at another address than it came up at.

A failed `/callback` has the EHR's code and state in its address, and so in the browser's bar and
history. It therefore leads to `/problem`, with the page's words sealed in the address: for
the same browser at the same address, and for a few minutes only, so that nobody can send somebody
else a page of this app with words of their choice.
"""

import base64
import binascii
from dataclasses import asdict, dataclass, replace

from flask import g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivfhir.errors import LaunchError, SettingsError
from smart_app.services import services

THEIRS, OWN = "What the EHR said", "What the app's own check found"
"""Headings of details."""

_LIFE_S = 300
_LONGEST_DETAILS = 300
_LONGEST_MESSAGE = 600
_TOO_LARGE = 4_000


@dataclass(frozen=True)
class Problem:
    """What the page of a problem says.

    Attributes:
        title: the heading.
        message: what is wrong and what to do.
        status: the HTTP status.
        mender: who can mend it.
        actions: links to offer, each `{text, href}`.
        details: what a server said, or what our own check found.
        details_title: whose words these are.
        reference: stands in the log, too.
        retry_after_s: seconds after which trying again makes sense.
    """

    title: str
    message: str
    status: int
    mender: str | None
    actions: tuple[dict[str, str], ...]
    details: str | None
    reference: str
    retry_after_s: int | None = None
    details_title: str = THEIRS


def show(problem: Problem) -> Response:
    """Return the page of a problem."""
    page = render_template("problem.html", launch=g.get("launch"), **asdict(problem))
    response = make_response(page, problem.status)
    if problem.retry_after_s is not None:
        response.headers["Retry-After"] = str(problem.retry_after_s)
    return response


def lead_to(problem: Problem) -> Response:
    """Return a redirect to the page of a problem, away from the address of the request."""
    short = replace(
        problem,
        message=problem.message[:_LONGEST_MESSAGE],
        details=problem.details[:_LONGEST_DETAILS] if problem.details else None,
    )
    now_s = services().clock().timestamp()
    body = {**asdict(short), "until": int(now_s) + _LIFE_S}
    sealed = services().sealer.seal(body, _for_whom())
    text = base64.urlsafe_b64encode(sealed).decode()
    return redirect(url_for("launch.sign_in_problem", p=text), 303)


def open_problem(text: str) -> Response:
    """Return the page of a problem that `lead_to` sealed for this browser.

    Raises:
        LaunchError: it is too old, was made for another browser, or by somebody else.
    """
    try:
        if len(text) > _TOO_LARGE:
            raise ValueError("too long")
        body = services().sealer.open(base64.urlsafe_b64decode(text.encode()), _for_whom())
    except (ValueError, binascii.Error, SettingsError) as error:
        raise _over() from error
    if body.pop("until") <= services().clock().timestamp():
        raise _over()
    return show(Problem(**{**body, "actions": tuple(body["actions"])}))


def _for_whom() -> str:
    browser = request.headers.get("User-Agent", "")
    return services().sealer.fingerprint("problem", request.remote_addr or "", browser)


def _over() -> LaunchError:
    return LaunchError(
        "A sign-in failed, and why is no longer known here. Open the app again from the EHR.",
        mender="You",
    )
