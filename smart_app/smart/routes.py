"""From the EHR's launch button to a launch of ours: `/launch`, the EHR's own sign-in, `/callback`.

Source: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

import secrets
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from ivfhir.errors import LaunchError, SessionEndedError
from smart_app import audit
from smart_app.config import Ehr
from smart_app.limits import limit_address, limit_ehr
from smart_app.problems import open_problem
from smart_app.services import AppServices, services
from smart_app.smart.closing import sign_out
from smart_app.smart.cookies import MOST_COOKIES, SecretCookies, dated_secret
from smart_app.smart.oauth import authorization_url
from smart_app.smart.renewal import renew
from smart_app.smart.scopes import audit_scope, names_documents, scopes_to_ask
from smart_app.smart.session import (
    SIGN_IN_COOKIE,
    check_sender,
    cookie_name,
    give_launch,
    held_launch,
    is_idle,
)
from smart_app.smart.sign_in import finish_sign_in
from smart_app.store.launches import digest

blueprint = Blueprint("launch", __name__)

_LONGEST_LAUNCH = 8_000


@blueprint.get("/")
def start() -> str:
    """Show the EHRs that the app can be opened for without their launch button."""
    ehrs = [
        {"name": ehr.name, "href": url_for("launch.launch", iss=ehr.iss)}
        for ehr in services().settings.ehrs
    ]
    return render_template("start.html", ehrs=ehrs)


@blueprint.get("/launch")
def launch() -> Response:
    """Begin a sign-in: from the EHR (`iss` and `launch`), or standalone (`iss` alone).

    Source: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#launch-app-ehr-launch
    """
    app = services()
    limit_address(app, "launch")
    _said_once("iss", "launch")
    iss, launch_token = request.args.get("iss", ""), request.args.get("launch") or None
    if not iss:
        raise LaunchError("The launch does not say which EHR it comes from (iss is missing).")
    ehr = app.settings.ehr_of(iss)
    if ehr is None:
        raise LaunchError(
            "This app does not know the EHR that tried to open it, so nothing was sent there. If "
            "the EHR is yours, its FHIR address must be added to the app's settings.",
            mender="Whoever runs this app",
        )
    if launch_token is not None and len(launch_token) > _LONGEST_LAUNCH:
        raise LaunchError("The EHR's launch token is too long.")
    limit_ehr(app, "launch", iss)
    return _begin(app, ehr, iss=iss, launch_token=launch_token, launch_id=app.new_id())


@blueprint.get("/l/<launch_id>/again")
def again(launch_id: str) -> Response:
    """Sign in again for a launch whose access ended, and come back to the page it ended at."""
    app = services()
    record, _ = held_launch(launch_id)
    return_to = record.return_to or "match"
    limit_address(app, "launch")
    if "refresh_token" in record.body and not is_idle(app, launch_id):
        try:
            renew(app, record)
            return redirect(f"/l/{launch_id}/{return_to}", 303)
        except LaunchError:
            pass  # The EHR does not renew it: the user signs in.
    return _begin_again(app, record.body, launch_id, return_to=return_to)


@blueprint.get("/l/<launch_id>/sign/<draft_id>")
def sign(launch_id: str, draft_id: str) -> Response:
    """Sign in anew to accept a plan, and come back to its review."""
    app = services()
    record, _ = held_launch(launch_id)
    limit_address(app, "launch")
    return_to = f"review/{app.store.load_draft(launch_id, draft_id).id}"
    g.held_launch_id, g.return_to = launch_id, f"/l/{launch_id}/{return_to}"
    max_age_s = app.settings.signing_minutes * 60
    return _begin_again(app, record.body, launch_id, return_to=return_to, max_age_s=max_age_s)


@blueprint.post("/l/<launch_id>/sign-out")
def leave(launch_id: str) -> Response:
    """End the launch: its cookie, its tokens here and, where that is offered, at the EHR."""
    app = services()
    record, secret = held_launch(launch_id)
    check_sender(launch_id, secret)
    access = sign_out(app, record)
    audit.record_sign_out(record.body, launch_id)
    named = record.body.get("subject") is not None
    page = make_response(
        render_template(
            "signed_out.html",
            access=access,
            drafts_kept=named,
            unsent=app.store.has_unsent(launch_id),
        )
    )
    SecretCookies(https=app.settings.https).clear(page, cookie_name(launch_id))
    return page


def _begin_again(
    app: AppServices,
    body: Mapping[str, Any],
    launch_id: str,
    *,
    return_to: str,
    max_age_s: int | None = None,
) -> Response:
    """Begin a sign-in that must end with the same user and patient.

    Args:
        app: the services.
        body: of the launch.
        launch_id: its id.
        return_to: the page to come back to.
        max_age_s: for signing: the EHR must ask the user anew.
    """
    ehr = app.settings.ehr_of(body["iss"])
    if ehr is None:
        raise LaunchError(
            "This EHR is no longer in the app's settings.", mender="Whoever runs this app"
        )
    return _begin(
        app,
        ehr,
        iss=ehr.iss,
        launch_token=None,
        launch_id=launch_id,
        same={key: body.get(key) for key in ("iss", "patient", "subject")},
        return_to=return_to,
        max_age_s=max_age_s,
    )


def _begin(
    app: AppServices,
    ehr: Ehr,
    *,
    iss: str,
    launch_token: str | None,
    launch_id: str,
    same: dict[str, Any] | None = None,
    return_to: str | None = None,
    max_age_s: int | None = None,
) -> Response:
    """Keep a sign-in, bind it to this browser, and send the browser to the EHR.

    Args:
        app: the services.
        ehr: the EHR's registration.
        iss: its FHIR base URL as it wrote it: the `aud` it expects.
        launch_token: its launch token; None for a standalone launch.
        launch_id: the id that the launch will have.
        same: EHR, patient and user that a renewed launch must have again.
        return_to: the page to come back to.
        max_age_s: the EHR must ask the user anew.
    """
    configuration = app.configuration_of(iss)
    if launch_token is None and not configuration.allows_standalone:
        if max_age_s is not None:
            raise SessionEndedError(
                "Your sign-in is too old to accept a plan with, and this EHR opens the app from "
                "its own button only. The draft is kept: open the app again from the patient's "
                "record, and you come back to it.",
                mender="You",
            )
        raise LaunchError(
            "This EHR opens the app from its own button only. Open the app from there.",
            mender="You",
        )
    state, browser_secret = secrets.token_urlsafe(32), dated_secret(app.clock().timestamp())
    nonce, code_verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
    scope = ehr.scopes or scopes_to_ask(
        configuration.capabilities,
        read_types=app.read_types,
        write_types=app.write_types,
        standalone=launch_token is None,
        offline=ehr.offline_access,
        documents=names_documents(configuration.scopes),
        audit=None
        if ehr.audit_to_ehr == "no"
        else audit_scope(
            configuration.capabilities,
            configuration.scopes,
            unnamed=ehr.audit_to_ehr == "ask",
        ),
    )
    body = {
        "launch_id": launch_id,
        "iss": iss,
        "nonce": nonce,
        "code_verifier": code_verifier,
        "asked": scope,
        "issuer": configuration.issuer,
        "jwks_uri": configuration.jwks_uri,
        "token_endpoint": configuration.token_endpoint,
        "revocation_endpoint": configuration.revocation_endpoint,
        "auth_methods": list(configuration.token_auth_methods),
        "answers_with_iss": configuration.answers_with_iss,
        "same": same,
        "return_to": return_to,
        "max_age_s": max_age_s,
    }
    life_s = app.settings.sign_in_minutes * 60
    app.store.save_sign_in(state, browser_secret, body, life_s=life_s)
    app.log.info("launch", ehr=ehr.name, where="standalone" if launch_token is None else "ehr")
    url = authorization_url(
        configuration.authorization_endpoint,
        client_id=ehr.client_id,
        redirect_uri=app.settings.redirect_uri,
        scope=scope,
        state=state,
        nonce=nonce,
        code_verifier=code_verifier,
        aud=iss,
        launch=launch_token,
        max_age_s=max_age_s,
    )
    response = redirect(url, 303)
    cookies = SecretCookies(https=app.settings.https)
    cookies.make_room(request, response, SIGN_IN_COOKIE)
    cookies.put(response, _sign_in_cookie(state), browser_secret)
    return response


@blueprint.get("/callback")
def callback() -> Response:
    """Take the EHR's answer: check that it is for this browser, get the tokens, open the launch.

    Source: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#response-4
    """
    app = services()
    limit_address(app, "callback")
    _said_once("state", "code", "iss", "error")
    state = request.args.get("state", "")
    begun = _use_sign_in(app, state)
    if begun["same"] is not None:
        g.sign_in_again = begun["launch_id"]
    with audit.failed_sign_in(begun):
        finished = finish_sign_in(app, begun, request.args)
    g.finished = True
    response = redirect(f"/l/{finished.launch_id}/{finished.return_to}", 303)
    give_launch(response, finished.launch_id, finished.secret)
    SecretCookies(https=app.settings.https).clear(response, _sign_in_cookie(state))
    return response


def _said_once(*names: str) -> None:
    """Refuse an address that says something twice: two programs could read it in two ways.

    Source: https://www.rfc-editor.org/rfc/rfc6749#section-3.1
    """
    twice = [name for name in names if len(request.args.getlist(name)) > 1]
    if twice:
        raise LaunchError(
            f"The EHR's address says {' and '.join(twice)} twice, so it is not clear what is "
            "meant. Open the app again from the EHR."
        )


def _use_sign_in(app: AppServices, state: str) -> dict[str, Any]:
    """Return what the sign-in was begun with: once, and only to the browser that began it."""
    cookies = SecretCookies(https=app.settings.https)
    for secret in cookies.read(request, _sign_in_cookie(state)):
        seen = app.store.look_at_sign_in(state, secret)
        if seen is not None:
            limit_ehr(app, "callback", seen["iss"])
        begun = app.store.use_sign_in(state, secret)
        if begun is not None:
            return begun
    if state and app.store.sign_in_is_open(state):
        raise LaunchError(
            "This sign-in was begun in another browser, or this browser keeps no cookies for the "
            "app. Open the app again from the EHR; if it stays so, ask for the app to be opened "
            "in a window of its own.",
        )
    raise LaunchError(
        "This sign-in is unknown, already used or too old, or more than "
        f"{MOST_COOKIES} were begun in this browser. Open the app again from the EHR.",
        mender="You",
    )


def _sign_in_cookie(state: str) -> str:
    return f"{SIGN_IN_COOKIE}{digest(state)[:16]}"


@blueprint.get("/problem")
def sign_in_problem() -> Response:
    """Say why a sign-in failed: `/callback` leads here, so that no code stays in the address."""
    return open_problem(request.args.get("p", ""))
