"""The launch of a request: which one the browser holds, and whether it may still be used."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import g, request
from werkzeug.wrappers import Response

from ivfhir.errors import LaunchError, SessionEndedError
from ivfhir.servers.http import HttpRepository
from smart_app import audit
from smart_app.security import check_form
from smart_app.services import AppServices, services
from smart_app.smart.closing import end_what_was_waiting
from smart_app.smart.cookies import MOST_COOKIES, SecretCookies
from smart_app.smart.launch import Launch, Practitioner
from smart_app.smart.renewal import Renewal, ended, renew
from smart_app.smart.scopes import GrantedScopes
from smart_app.store import LaunchRecord
from smart_app.store.uses import MADE_ROOM, Closed

_LAUNCH_COOKIE = "ivfhir-"
SIGN_IN_COOKIE = "ivfhir-in-"
"""Begins the name of a cookie that binds a begun sign-in to its browser."""

_SIGNERS = ("Practitioner", "PractitionerRole")


def cookie_name(launch_id: str) -> str:
    """Return the name under which a browser holds its secret of a launch."""
    return f"{_LAUNCH_COOKIE}{launch_id}"


def needs_launch(view: Callable[..., Any]) -> Callable[..., Any]:
    """Give a view below `/l/<launch>/` its `Launch` in place of the id, or refuse the request.

    The view raises SessionEndedError when the browser does not hold the launch, or its access
    ended; it raises RequestForgedError when a form came from elsewhere.
    """

    @wraps(view)
    def checked(launch: str, **arguments: object) -> object:
        g.launch = open_launch(launch)
        if request.method in ("GET", "HEAD"):
            audit.record_opening(g.launch)
        try:
            return view(launch=g.launch, **arguments)
        finally:
            if request.method == "POST":
                end_what_was_waiting(services(), launch)

    return checked


def current_launch() -> Launch:
    """Return the launch of the request, inside a view that `needs_launch`."""
    launch: Launch = g.launch
    return launch


def held_launch(launch_id: str) -> tuple[LaunchRecord, str]:
    """Return the launch that this browser holds, and its secret, whether or not its access ended.

    Raises:
        SessionEndedError: the browser does not hold it, or it was removed.
    """
    app = services()
    cookies = SecretCookies(https=app.settings.https)
    for secret in cookies.read(request, cookie_name(launch_id)):
        record = app.store.load_launch(launch_id, secret)
        if record is not None:
            return record, secret
    raise SessionEndedError(_not_held(app.store.closed(launch_id)), mender="You")


def _not_held(closed: Closed | None) -> str:
    """Return why this browser does not hold a launch, and how to go on."""
    if closed is None:
        return (
            "This page belongs to a launch that has ended, or that another browser holds. Open the "
            "app again from the EHR."
        )
    why = (
        f"This window was closed because {MOST_COOKIES} newer ones were opened in the same "
        f"browser: it keeps the newest {MOST_COOKIES}."
        if closed.reason == MADE_ROOM
        else "This window was signed out."
    )
    kept = " Drafts that were made in it are kept." if closed.drafts_kept else ""
    return f"{why}{kept} Open the app again from the patient's record in the EHR."


def is_idle(app: AppServices, launch_id: str) -> bool:
    """Tell whether nobody used a launch for so long that somebody must sign in again."""
    return app.store.is_idle(launch_id, idle_s=app.settings.idle_minutes * 60)


def other_launches(launch_id: str) -> list[str]:
    """Return the other launches that this browser holds of the same EHR, user and patient.

    They are not over: the drafts of those that are went to the newest. So a clinician who opens the
    app anew while an earlier window still counts, after a crash say, finds the way to its drafts.
    """
    app = services()
    cookies = SecretCookies(https=app.settings.https)
    return [
        other
        for other in app.store.other_launches(launch_id)
        if any(
            app.store.load_launch(other, secret)
            for secret in cookies.read(request, cookie_name(other))
        )
    ]


def open_launch(launch_id: str) -> Launch:
    """Return the launch, its access renewed when that is due.

    Raises:
        SessionEndedError: the browser does not hold it, or its access ended and cannot be renewed.
        RequestForgedError: a form came from elsewhere.
    """
    app = services()
    record, secret = held_launch(launch_id)
    g.held_launch_id = launch_id
    csrf_token = check_sender(launch_id, secret)
    if not app.store.use_launch(launch_id, idle_s=app.settings.idle_minutes * 60):
        app.store.forget_tokens(launch_id)
        raise ended()
    record = renew(app, record)
    return launch_of(
        app,
        record,
        csrf_token=csrf_token,
        repository=app.repository(
            record.body["iss"],
            record.body["access_token"],
            renew=Renewal(app, record.id),
            writing=request.method == "POST",
        ),
    )


def launch_of(
    app: AppServices,
    record: LaunchRecord,
    *,
    repository: HttpRepository,
    csrf_token: str = "",
    scopes: GrantedScopes | None = None,
) -> Launch:
    """Return a launch as visits see it.

    Args:
        app: the services.
        record: as kept.
        repository: the EHR's FHIR server, with the access that is to be used.
        csrf_token: what the forms of its pages hold; '' where there is no page.
        scopes: those of another access than the launch's own.

    Raises:
        LaunchError: its EHR is no longer in the settings.
    """
    body = record.body
    ehr = app.settings.ehr_of(body["iss"])
    if ehr is None:
        raise LaunchError(
            "This EHR is no longer in the app's settings.", mender="Whoever runs this app"
        )
    return Launch(
        id=record.id,
        ehr_name=ehr.name,
        fhir_base=body["iss"].rstrip("/"),
        patient_id=body["patient"],
        practitioner=_practitioner(body),
        scopes=scopes or GrantedScopes(text=body["scope"], asked=body["asked"]),
        repository=repository,
        csrf_token=csrf_token,
        signed_in_at=int(body.get("signed_in_at", 0)),
        app=app,
    )


def check_sender(launch_id: str, secret: str) -> str:
    """Refuse a form that our own page of the launch did not send; return the launch's token.

    Raises:
        RequestForgedError: it came from elsewhere.
    """
    app = services()
    csrf_token = app.sealer.fingerprint("csrf", launch_id, secret)
    check_form(request, public_url=app.settings.public_url, csrf_token=csrf_token)
    return csrf_token


def give_launch(response: Response, launch_id: str, secret: str) -> None:
    """Let the browser hold a launch until it is closed; the oldest launches make room for it."""
    app = services()
    cookies = SecretCookies(https=app.settings.https)
    name = cookie_name(launch_id)
    for old in cookies.make_room(request, response, _LAUNCH_COOKIE, but=(SIGN_IN_COOKIE, name)):
        old_id = old.removeprefix(_LAUNCH_COOKIE)
        for old_secret in cookies.read(request, old):
            record = app.store.load_launch(old_id, old_secret)
            if record is not None:
                kept = record.body.get("subject") is not None
                app.store.close_launch(old_id, reason=MADE_ROOM, drafts_kept=kept)
    cookies.put(response, name, secret)


def _practitioner(body: dict[str, Any]) -> Practitioner | None:
    reference = body.get("fhir_user")
    if not isinstance(reference, str) or reference.split("/")[-2] not in _SIGNERS:
        return None
    return Practitioner(
        reference=reference, name=body.get("user_name") or "Name not given by the EHR"
    )
