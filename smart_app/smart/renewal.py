"""Keeping a launch's access alive: renew the token before it expires, once, whoever asks first."""

import time
from dataclasses import replace
from typing import Any

from ivfhir.errors import (
    BadAnswerError,
    BusyError,
    GrantRefusedError,
    LaunchError,
    ServerError,
    SessionEndedError,
)
from smart_app.config import Ehr
from smart_app.services import AppServices
from smart_app.smart.oauth import TokenAnswer, TokenClient
from smart_app.store import LaunchRecord

OPERATOR = "Whoever runs this app"

EARLY_S = 30
"""A token that lives no longer than this is renewed before it is used."""

_SPARE_S = 10
"""Seconds for which a claim outlives the longest answer of the token endpoint."""

_WAIT_S = 0.2
_LONGEST_WAIT_S = 10


def renew(app: AppServices, record: LaunchRecord) -> LaunchRecord:
    """Return the launch with a token that can be used now.

    Only one request renews; those that come meanwhile wait for its result: a refresh token is good
    once. What fails at the EHR for the moment (429, 5xx, no JSON, no answer) takes nothing away.

    Raises:
        SessionEndedError: the launch is over, or the EHR refuses to renew its token.
        LaunchError: the EHR does not accept this app; the refresh token stays.
        ServerError: the EHR did not renew it now; the next request tries again.
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
    return _renew_once(app, record)


class Renewal:
    """Another token for a request whose token the FHIR server refuses before its time: once."""

    def __init__(self, app: AppServices, launch_id: str) -> None:
        """Remember the launch; nothing is asked yet."""
        self._app = app
        self._launch_id = launch_id
        self._tried: str | ServerError | None = None
        self._done = False

    def __call__(self, refused: str) -> str | None:
        """Return the launch's newer token, renewed when that was not done; None without one.

        Raises:
            ServerError: the EHR did not renew it now.
        """
        if not self._done:
            self._done = True
            try:
                self._tried = self._other_than(refused)
            except ServerError as error:
                self._tried = error
        if isinstance(self._tried, ServerError):
            raise self._tried
        return self._tried

    def _other_than(self, refused: str) -> str | None:
        record = self._app.store.reload_launch(self._launch_id)
        now = self._app.clock().timestamp()
        if record.expires_at <= now or "access_token" not in record.body:
            return None
        if record.body["access_token"] != refused:
            return str(record.body["access_token"])
        if "refresh_token" not in record.body:
            return None
        try:
            return str(_renew_once(self._app, record).body["access_token"])
        except LaunchError:
            return None


def _renew_once(app: AppServices, record: LaunchRecord) -> LaunchRecord:
    """Renew the token of the record, or wait for the request that does."""
    app.take_turn(record.body["iss"])
    hold_s = app.settings.timeout_s + _SPARE_S
    waited_s = 0.0
    while not app.store.claim_refresh(record.id, hold_s=hold_s):
        if waited_s >= _LONGEST_WAIT_S:
            raise BusyError(
                "The access to the EHR is being renewed, and the EHR takes long. Wait a few "
                "seconds and try again."
            )
        time.sleep(_WAIT_S)
        waited_s += _WAIT_S
    fresh = app.store.reload_launch(record.id)
    if fresh.body.get("access_token") != record.body.get("access_token"):
        app.store.renew_launch(fresh.id, fresh.body, usable_until=fresh.usable_until)
        return fresh  # Another request renewed it meanwhile.
    return _renew_now(app, fresh)


def _renew_now(app: AppServices, record: LaunchRecord) -> LaunchRecord:
    """Renew the token; the caller holds the claim, which is given back whatever happens."""
    body, until = dict(record.body), record.usable_until
    try:
        answer = _refresh(app, body)
    except (GrantRefusedError, SessionEndedError) as error:
        body.pop("refresh_token", None)
        raise ended() from error
    else:
        now = int(app.clock().timestamp())
        body |= {"access_token": answer.access_token}
        if answer.refresh_token is not None:
            body["refresh_token"] = answer.refresh_token
        if answer.scope is not None:
            body["scope"] = answer.scope
        until = usable_until(answer, now=now, expires_at=record.expires_at)
    finally:
        app.store.renew_launch(record.id, body, usable_until=until)
    return replace(record, body=body, usable_until=until)


def _refresh(app: AppServices, body: dict[str, Any]) -> TokenAnswer:
    """Ask for new tokens.

    Raises:
        GrantRefusedError: the EHR refuses, or answers for another patient.
        SessionEndedError: there is nothing to ask with.
        LaunchError: the EHR does not accept this app.
        ServerError: no answer now, or none that can be understood.
    """
    ehr = app.settings.ehr_of(body["iss"])
    if ehr is None or "refresh_token" not in body:
        raise ended()
    try:
        answer = token_client(app, ehr, body).refresh(body["refresh_token"])
    except GrantRefusedError:
        raise
    except LaunchError as error:
        if error.mender == OPERATOR:
            raise
        raise BadAnswerError(
            "The EHR's answer to renewing your access could not be understood. Wait a minute and "
            "try again; if it stays so, open the app again from the EHR."
        ) from error
    if answer.patient not in (None, body["patient"]):
        raise GrantRefusedError(
            "The EHR renewed the session for another patient. Open the app again from the EHR."
        )
    return answer


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
