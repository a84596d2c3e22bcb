"""The OAuth 2 client of the SMART App Launch: authorisation request and token requests.

Source: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

import base64
import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from ivfhir.errors import GrantRefusedError, LaunchError, ServerError
from ivfhir.servers.client_key import ASSERTION_TYPE, load_private_key
from smart_app.config import Ehr
from smart_app.smart.http import EhrHttp

KEY_SETTING = "ehr.private_key_file"
"""The setting that names the file of the client's private key."""

_OK = 200
_REFUSALS = frozenset({400, 401, 403})
_PASSING = frozenset({"server_error", "slow_down", "temporarily_unavailable", "too_many_requests"})
"""Codes that some servers send with 400 for what passes by itself."""


@dataclass(frozen=True, repr=False)
class TokenAnswer:
    """What the token endpoint answered, checked for shape; its secrets are in no repr."""

    access_token: str
    expires_in_s: int | None
    refresh_token: str | None
    scope: str | None
    id_token: str | None
    patient: str | None


def code_challenge(code_verifier: str) -> str:
    """Return the S256 challenge of a verifier.

    Source: https://www.rfc-editor.org/rfc/rfc7636#section-4.2
    """
    digest = hashlib.sha256(code_verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode("ascii")


def authorization_url(
    endpoint: str,
    *,
    client_id: str,
    redirect_uri: str,
    scope: str,
    state: str,
    nonce: str,
    code_verifier: str,
    aud: str,
    launch: str | None,
    max_age_s: int | None = None,
) -> str:
    """Return the URL to send the browser to; `aud` is the FHIR base URL as the EHR names it.

    With `max_age_s` the EHR shall ask the user to sign in anew, and say when that was:
    https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest

    Source: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code
    """
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": state,
        "nonce": nonce,
        "aud": aud,
        "code_challenge": code_challenge(code_verifier),
        "code_challenge_method": "S256",
    }
    if launch is not None:
        query["launch"] = launch
    if max_age_s is not None:
        query |= {"prompt": "login", "max_age": str(max_age_s)}
    return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"


@dataclass(frozen=True)
class TokenClient:
    """Asks one EHR's token endpoint, as the client that it registered.

    Args:
        ehr: the registration.
        endpoint: the token endpoint.
        auth_methods: those the endpoint supports; empty when it does not say.
        http: the client to ask with.
        clock_s: seconds since 1970, for signed client assertions.
    """

    ehr: Ehr
    endpoint: str
    auth_methods: tuple[str, ...]
    http: EhrHttp
    clock_s: Callable[[], float] = time.time

    def exchange(self, code: str, *, code_verifier: str, redirect_uri: str) -> TokenAnswer:
        """Return the tokens for an authorisation code.

        Raises:
            GrantRefusedError: the EHR refuses the code.
            LaunchError: it refuses the client, or its answer lacks what it must hold.
            ServerError: it did not answer, is busy or failed.
        """
        return self._ask(
            {
                "grant_type": "authorization_code",
                "code": code,
                "redirect_uri": redirect_uri,
                "code_verifier": code_verifier,
            }
        )

    def refresh(self, refresh_token: str) -> TokenAnswer:
        """Return new tokens for a refresh token.

        Raises:
            LaunchError: as for `exchange`.
        """
        return self._ask({"grant_type": "refresh_token", "refresh_token": refresh_token})

    def revoke(self, token: str, kind: str, *, endpoint: str) -> bool:
        """Return whether the EHR says that a token no longer works.

        Args:
            token: the token.
            kind: "refresh_token" or "access_token".
            endpoint: the EHR's revocation endpoint.

        Raises:
            ServerError: no answer, or a server's fault.
            LaunchError: an answer that cannot be understood.

        Source: https://www.rfc-editor.org/rfc/rfc7009#section-2
        """
        form, auth = self._as_client({"token": token, "token_type_hint": kind}, endpoint)
        return self.http.post_for_status(endpoint, form, "to end your access", auth=auth) == _OK

    def _ask(self, form: dict[str, str]) -> TokenAnswer:
        form, auth = self._as_client(form, self.endpoint)
        status, body = self.http.post_form(self.endpoint, form, "the access token", auth=auth)
        if status != _OK:
            raise _refusal(status, body)
        return _token_answer(body)

    def _as_client(
        self, form: dict[str, str], endpoint: str
    ) -> tuple[dict[str, str], tuple[str, str] | None]:
        """Return a form, and what goes in its header, as this client sends them to an endpoint."""
        auth: tuple[str, str] | None = None
        if self.ehr.private_key_file is not None:
            form |= {
                "client_assertion_type": ASSERTION_TYPE,
                "client_assertion": self._assertion(endpoint),
            }
        elif self.ehr.client_secret is None:
            form["client_id"] = self.ehr.client_id
        elif (
            "client_secret_post" in self.auth_methods
            and "client_secret_basic" not in self.auth_methods
        ):
            form |= {"client_id": self.ehr.client_id, "client_secret": self.ehr.client_secret}
        else:
            auth = (self.ehr.client_id, self.ehr.client_secret)
        return form, auth

    def _assertion(self, endpoint: str) -> str:
        """Return a client assertion, signed with RS384 or ES384."""
        key = load_private_key(Path(self.ehr.private_key_file or ""), setting=KEY_SETTING)
        return key.assertion(
            self.ehr.client_id,
            endpoint,
            now_s=self.clock_s(),
            token_id=secrets.token_urlsafe(16),
        )


def _refusal(status: int, body: dict[str, Any]) -> LaunchError | ServerError:
    """Return what a refusal means: for good, for now, or until the settings are mended.

    Source: https://www.rfc-editor.org/rfc/rfc6749#section-5.2
    """
    code = body.get("error")
    if code == "invalid_client":
        return LaunchError(
            "The EHR does not accept this app's client id or secret (invalid_client). The "
            "registration in the EHR and the app's settings must agree.",
            mender="Whoever runs this app",
        )
    if code == "invalid_grant":
        return GrantRefusedError(
            "The EHR says that this sign-in is used up or too old (invalid_grant). Open the app "
            "again from the EHR.",
            mender="You",
        )
    if isinstance(code, str) and code in _PASSING:
        return ServerError(
            f"The EHR's own sign-in could not give access now ({status}). Try again in a minute; "
            "if it stays so, tell your EHR administrator.",
            status=status,
        )
    said = isinstance(code, str) and status in _REFUSALS
    plain = isinstance(code, str) and code.isascii() and code.replace("_", "").isalnum()
    named = f" ({str(code)[:40]})" if plain else ""
    return (GrantRefusedError if said else LaunchError)(
        f"The EHR refused to give the app access{named}. Open the app again from the EHR."
    )


def _token_answer(body: dict[str, Any]) -> TokenAnswer:
    """Return the answer's parts.

    Source: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#response-5
    """
    token = body.get("access_token")
    if (
        not isinstance(token, str)
        or not token
        or str(body.get("token_type", "")).lower() != "bearer"
    ):
        raise LaunchError("The EHR's answer holds no bearer token, so nothing can be read.")

    def text(name: str) -> str | None:
        value = body.get(name)
        return value if isinstance(value, str) and value else None

    return TokenAnswer(
        access_token=token,
        expires_in_s=_seconds(body.get("expires_in")),
        refresh_token=text("refresh_token"),
        scope=body["scope"] if isinstance(body.get("scope"), str) else None,
        id_token=text("id_token"),
        patient=text("patient"),
    )


def _seconds(value: object) -> int | None:
    """Return a token's life, also where the EHR wrote it as text; None when it is no number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        return None
    try:
        return int(float(value))
    except (ValueError, OverflowError):  # Words, NaN, and more than any clock counts.
        return None
