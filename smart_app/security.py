"""What holds for every request: headers of each answer, and where a form may come from."""

import hmac
from collections.abc import Iterable

from flask import Request
from werkzeug.wrappers import Response

from ivfhir.errors import RequestForgedError
from smart_app.config import Ehr
from smart_app.urls import origin_of

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_FIELD = "_csrf"


def security_headers(ehrs: Iterable[Ehr]) -> dict[str, str]:
    """Return the headers of every answer: no script, nothing from outside, framed by EHRs alone.

    Args:
        ehrs: whose pages may frame the answer: of a launch its own EHR, before it every one.
    """
    ancestors = dict.fromkeys(["'self'", *(origin for ehr in ehrs for origin in ehr.frame_origins)])
    policy = (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        f"frame-ancestors {' '.join(ancestors)}",
    )
    return {
        "Content-Security-Policy": "; ".join(policy),
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def add_headers(response: Response, headers: dict[str, str], *, cacheable: bool) -> Response:
    """Put the headers on an answer; only what is the same for everybody may be kept by a cache."""
    for name, value in headers.items():
        response.headers.setdefault(name, value)
    response.headers["Cache-Control"] = "public, max-age=3600" if cacheable else "no-store"
    return response


def check_form(request: Request, *, public_url: str, csrf_token: str) -> None:
    """Refuse a request that changes something unless our own page of the same launch sent it.

    `no-referrer` makes browsers send `Origin: null` with our own forms, so what counts first is
    `Sec-Fetch-Site`.

    Raises:
        RequestForgedError: another site's page sent it, it says a field twice, or the launch's
            token is missing or wrong.

    Source: https://www.w3.org/TR/fetch-metadata/#sec-fetch-site-header
    """
    if request.method in _SAFE_METHODS:
        return
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    from_elsewhere = (
        site != "same-origin"
        if site is not None
        else origin not in (None, "null", origin_of(public_url))
    )
    if from_elsewhere:
        raise RequestForgedError(
            "Another site tried to send this form. Nothing was done.", mender="You"
        )
    if any(len(values) > 1 for _, values in request.form.lists()):
        raise RequestForgedError(
            "This form says one thing twice, which the app's own pages never do. Nothing was done. "
            "Reload the page and send it again.",
            mender="You",
        )
    if not hmac.compare_digest(request.form.get(CSRF_FIELD, "").encode(), csrf_token.encode()):
        raise RequestForgedError(
            "This form was not sent from the app's own page, or the page is too old. Nothing was "
            "done. Reload the page and send it again.",
            mender="You",
        )


def is_sound_address(request: Request) -> bool:
    """Tell whether the parts of the request's path, and its query, can name something of ours.

    Control characters can not: PostgreSQL refuses them in a query, and lines would break at them.
    """
    named = [str(value) for value in (request.view_args or {}).values()]
    return all(each.isprintable() for each in (*named, request.args.get("draft", "")))
