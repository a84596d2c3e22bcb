"""Keeping a launch's access alive: renew the token before it expires, once, whoever asks first."""

import time
from dataclasses import replace

from ivfhir.errors import LaunchError, ServerError, SessionEndedError
from smart_app.config import Ehr
from smart_app.oauth import TokenAnswer, TokenClient
from smart_app.services import AppServices
from smart_app.store import LaunchRecord

EARLY_S = 30
"""A token that lives no longer than this is renewed before it is used."""

_HOLD_S = 30
_WAIT_S = 0.2


def renew(app: AppServices, record: LaunchRecord) -> LaunchRecord:
    """Return the launch with a token that can be used now.

    Only one request renews; those that come meanwhile wait for its result: a refresh token is good
    once.

    Raises:
        SessionEndedError: the launch is over, or the EHR does not renew its token.
        ServerError: the EHR did not answer; the next request tries again.
    """
    now = app.clock().timestamp()
    if record.expires_at <= now:
        raise ended()
    if record.usable_until - EARLY_S > now:
        return record
    if "refresh_token" not in record.body:
        if record.usable_until > now:
            return record  # It cannot be renewed, so it is used to its end.
        raise ended()
    if not app.store.claim_refresh(record.id, hold_s=_HOLD_S):
        return _wait_for_the_other(app, record)
    return _renew_now(app, app.store.reload_launch(record.id))


def _renew_now(app: AppServices, record: LaunchRecord) -> LaunchRecord:
    body = dict(record.body)
    ehr = app.settings.ehr_of(body["iss"])
    if ehr is None or "refresh_token" not in body:
        raise ended()
    try:
        answer = token_client(app, ehr, body).refresh(body["refresh_token"])
        if answer.patient not in (None, body["patient"]):
            raise LaunchError(
                "The EHR renewed the session for another patient. Open the app again from the EHR."
            )
    except ServerError:
        app.store.renew_launch(record.id, body, usable_until=record.usable_until)
        raise
    except LaunchError as error:
        body.pop("refresh_token")
        app.store.renew_launch(record.id, body, usable_until=record.usable_until)
        raise ended() from error
    now = int(app.clock().timestamp())
    body |= {"access_token": answer.access_token}
    if answer.refresh_token is not None:
        body["refresh_token"] = answer.refresh_token
    if answer.scope is not None:
        body["scope"] = answer.scope
    until = usable_until(answer, now=now, expires_at=record.expires_at)
    app.store.renew_launch(record.id, body, usable_until=until)
    return replace(record, body=body, usable_until=until)


def _wait_for_the_other(app: AppServices, record: LaunchRecord) -> LaunchRecord:
    for _ in range(round(_HOLD_S / _WAIT_S)):
        time.sleep(_WAIT_S)
        fresh = app.store.reload_launch(record.id)
        if fresh.usable_until > app.clock().timestamp():
            return fresh
        if "refresh_token" not in fresh.body:
            break
    raise ended()


def token_client(app: AppServices, ehr: Ehr, body: dict[str, object]) -> TokenClient:
    """Return the client of the token endpoint that a sign-in or launch began with."""
    methods = body["auth_methods"]
    return TokenClient(
        ehr=ehr,
        endpoint=str(body["token_endpoint"]),
        auth_methods=tuple(methods) if isinstance(methods, list | tuple) else (),
        http=app.http,
        clock_s=lambda: app.clock().timestamp(),
    )


def usable_until(answer: TokenAnswer, *, now: int, expires_at: int) -> int:
    """Return when the answer's token ends, in seconds since 1970: never after the launch does."""
    return expires_at if answer.expires_in_s is None else min(now + answer.expires_in_s, expires_at)


def ended() -> SessionEndedError:
    """Return the error for a launch whose access is over."""
    return SessionEndedError(
        "Your session ended. The draft is kept. Open the app again from the EHR, or sign in again "
        "and choose the same patient: you come back to this page.",
        mender="You",
    )
