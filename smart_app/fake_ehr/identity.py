"""The id_tokens of the simulated EHR: RS256, and every wrong form that an app must refuse."""

import base64
import json
import time
from collections.abc import Callable
from typing import Any

from joserfc import jwt
from joserfc.jwk import OctKey, RSAKey

from smart_app.fake_ehr.config import FakeEhrSettings
from smart_app.fake_ehr.faults import Faults

_LIFE_S = 300


def new_signing_key() -> RSAKey:
    """Return a key that no other EHR has."""
    return RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, auto_kid=True)


class Identity:
    """Signs who the user is.

    Args:
        settings: the EHR.
        faults: those to come.
        key: signs.
        clock_s: seconds since 1970.
    """

    def __init__(
        self,
        settings: FakeEhrSettings,
        faults: Faults,
        key: RSAKey,
        clock_s: Callable[[], float] = time.time,
    ) -> None:
        """Begin with the one key."""
        self._settings = settings
        self._faults = faults
        self._clock_s = clock_s
        self._key = key
        self._foreign: RSAKey | None = None

    def jwks(self) -> dict[str, Any]:
        """Return the public keys."""
        return {"keys": [self._key.as_dict(private=False)]}

    def id_token(
        self,
        *,
        client_id: str,
        nonce: str | None,
        patient: str | None,
        user: str,
        signed_in_at: int,
    ) -> str:
        """Return a signed id_token, or what the faults to come make of it."""
        hits = self._faults.hits
        now = int(self._clock_s())
        subject = f"Patient/{patient}" if hits("patient-user") else f"Practitioner/{user}"
        claims: dict[str, Any] = {
            "iss": "https://elsewhere.example" if hits("wrong-id-issuer") else self._settings.iss,
            "sub": subject.rpartition("/")[2],
            "aud": "another-app" if hits("wrong-audience") else client_id,
            "iat": now,
            "exp": now + _LIFE_S,
            "fhirUser": f"{self._settings.iss}/{subject}",
            "name": self._settings.users[user],
        }
        if not hits("no-auth-time"):
            claims["auth_time"] = signed_in_at
        if hits("expired-id-token"):
            claims |= {"iat": now - 7200, "exp": now - 3600}
        if nonce is not None:
            claims["nonce"] = "of-another-sign-in" if hits("wrong-nonce") else nonce
        return self._signed(claims)

    def _signed(self, claims: dict[str, Any]) -> str:
        header = {"alg": "RS256", "kid": self._key.kid}
        if self._faults.hits("unsigned-id-token"):
            return ".".join((_part({"alg": "none"}), _part(claims), ""))
        if self._faults.hits("hmac-id-token"):
            public = OctKey.import_key(self._key.as_pem(private=False).hex())
            return jwt.encode({**header, "alg": "HS256"}, claims, public, algorithms=["HS256"])
        if self._faults.hits("foreign-id-token"):
            self._foreign = self._foreign or RSAKey.generate_key(2048)
            return jwt.encode(header, claims, self._foreign, algorithms=["RS256"])
        return jwt.encode(header, claims, self._key, algorithms=["RS256"])


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
