"""A client that signs in for itself: SMART Backend Services, private_key_jwt.

Source: https://hl7.org/fhir/smart-app-launch/STU2.2/backend-services.html
"""

import secrets
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

from ivfhir.errors import (
    BadAnswerError,
    InputError,
    ServerError,
    UnauthorisedError,
    UnreachableError,
)
from ivfhir.fhir.json import loads
from ivfhir.servers.base_address import BaseAddress
from ivfhir.servers.client_key import ASSERTION_TYPE, load_private_key
from ivfhir.servers.limits import MEBIBYTE
from ivfhir.servers.transport import (
    TooLargeError,
    TooLateError,
    exchange,
    trusting_session,
    watched_session,
)

_EARLY_S = 30
_LIFE_S = 300
_TIMEOUT_S = 20
_OK, _FAILED = 200, 500
_BUSY = frozenset({408, 429})
_LOCAL = frozenset({"127.0.0.1", "localhost", "::1"})


class BackendService:
    """Gets access tokens for one server, and uses each until it expires. Safe for threads."""

    def __init__(
        self,
        url: str,
        client_id: str,
        private_key_file: Path,
        *,
        scope: str,
        ca_file: str | None = None,
        clock_s: Callable[[], float] = time.time,
        new_id: Callable[[], str] = lambda: secrets.token_urlsafe(16),
    ) -> None:
        """Read the key; nothing is sent yet.

        Args:
            url: FHIR base URL.
            client_id: under which the server registered the client.
            private_key_file: PEM or JWK; RSA signs RS384, EC P-384 signs ES384.
            scope: what to ask for.
            ca_file: certificates to trust, None for those of the machine.
            clock_s: seconds since 1970.
            new_id: names an assertion.

        Raises:
            SettingsError: the file holds no such key.
        """
        self._base = BaseAddress(url)
        self._client_id, self._scope, self._ca_file = client_id, scope, ca_file
        self._key = load_private_key(private_key_file)
        self._clock_s, self._new_id = clock_s, new_id
        self._lock = threading.Lock()
        self._token, self._ends_s = "", 0.0
        self._granted = scope

    @property
    def scope(self) -> str:
        """The scopes of the last token, which may be less than what was asked for."""
        return self._granted

    def token(self) -> str:
        """Return an access token that is good for a while.

        Raises:
            UnauthorisedError: the server refuses the client.
            ServerError: it did not answer, or with something else than a token.
        """
        with self._lock:
            if self._clock_s() >= self._ends_s:
                self._ask()
            return self._token

    def renew(self, refused: str) -> str | None:
        """Return a token in place of one that the server no longer takes."""
        with self._lock:
            if self._token == refused:
                self._ask()
            return self._token

    def _ask(self) -> None:
        endpoint = self._endpoint()
        now = int(self._clock_s())
        assertion = self._key.assertion(
            self._client_id, endpoint, now_s=now, token_id=self._new_id()
        )
        form = {
            "grant_type": "client_credentials",
            "scope": self._scope,
            "client_assertion_type": ASSERTION_TYPE,
            "client_assertion": assertion,
        }
        status, body = self._exchange("POST", endpoint, form)
        token = body.get("access_token")
        if status in _BUSY or status >= _FAILED:
            raise ServerError(
                f"The server's sign-in failed ({status}); try again, or tell its operator.",
                status=status,
            )
        if status != _OK:
            code = str(body.get("error", ""))
            named = f" ({code[:40]})" if code.replace("_", "").isalnum() else ""
            raise UnauthorisedError(
                f"The server gives this client no access token{named}; compare client_id, key and "
                "scope with its registration.",
                status=status,
            )
        if not isinstance(token, str) or not token:
            raise BadAnswerError("The token endpoint's answer holds no access token.")
        life = body.get("expires_in")
        life_s = float(life) if isinstance(life, int | Decimal) else _LIFE_S
        self._token, self._ends_s = token, now + max(0.0, life_s - _EARLY_S)
        granted = body.get("scope")
        self._granted = granted if isinstance(granted, str) and granted else self._scope

    def _endpoint(self) -> str:
        configuration = f"{self._base.url}.well-known/smart-configuration"
        status, body = self._exchange("GET", configuration)
        endpoint = body.get("token_endpoint")
        if status != _OK or not isinstance(endpoint, str):
            raise BadAnswerError("The server's SMART configuration names no token endpoint.")
        parts = urlsplit(endpoint)
        if parts.scheme != "https" and parts.hostname not in _LOCAL:
            raise BadAnswerError("The server's token endpoint is not https; no key is used there.")
        return endpoint

    def _exchange(
        self, method: str, url: str, form: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Return status and JSON object of an answer; {} where it holds none."""
        try:
            with watched_session(trusting_session(self._ca_file)) as session:
                answer = exchange(
                    session,
                    method,
                    url,
                    within_s=_TIMEOUT_S,
                    most_bytes=MEBIBYTE,
                    data=form,
                    headers={"Accept": "application/json"},
                    timeout=_TIMEOUT_S,
                    auth=_as_it_is,
                )
        except (requests.RequestException, TooLateError):
            raise UnreachableError("The server's sign-in does not answer; try again.") from None
        except TooLargeError:
            raise BadAnswerError(
                "The server's sign-in answers with more than can be read."
            ) from None
        try:
            body = loads(answer.content.decode("utf-8-sig"), place="the answer")
        except (InputError, UnicodeDecodeError):
            body = {}
        return answer.status_code, body if isinstance(body, dict) else {}


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Add no credentials: without this, those of a .netrc file would be sent."""
    return request
