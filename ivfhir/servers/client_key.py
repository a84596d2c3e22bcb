"""The private key of a client, and the assertion that it signs in place of a secret.

Source: https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html
"""

import json
from dataclasses import dataclass
from pathlib import Path

from joserfc import jwk, jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from ivfhir.errors import SettingsError

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTION_LIFE_S = 240
"""Seconds for which an assertion is good; the standard allows five minutes."""


@dataclass(frozen=True, repr=False)
class ClientKey:
    """A key with the algorithm that goes with it; neither is in its repr."""

    key: RSAKey | ECKey
    algorithm: str

    def assertion(self, client_id: str, endpoint: str, *, now_s: float, token_id: str) -> str:
        """Return a signed statement of who the client is, for one request to a token endpoint.

        Args:
            client_id: who asks.
            endpoint: the token endpoint's URL.
            now_s: the present moment, seconds since 1970.
            token_id: a value that no other assertion has.
        """
        now = int(now_s)
        claims = {
            "iss": client_id,
            "sub": client_id,
            "aud": endpoint,
            "iat": now,
            "exp": now + ASSERTION_LIFE_S,
            "jti": token_id,
        }
        header = {"alg": self.algorithm, "kid": self.key.kid, "typ": "JWT"}
        return jwt.encode(header, claims, self.key, algorithms=[self.algorithm])


def load_private_key(path: Path, *, setting: str = "private_key_file") -> ClientKey:
    """Return a client's private key.

    Args:
        path: a PEM or JWK file.
        setting: what names the file, for a sentence.

    Raises:
        SettingsError: the file cannot be read, or holds no private RSA or P-384 key.
    """
    try:
        data = path.read_bytes()
        key = _import_key(data)
    except (OSError, ValueError, JoseError):
        # Without its cause: that may hold a part of the key.
        raise SettingsError(f"{setting} cannot be read as a PEM or JWK key.") from None
    if not key.is_private or (isinstance(key, ECKey) and key.curve_name != "P-384"):
        raise SettingsError(f"{setting} must hold a private RSA or EC P-384 key.")
    key.ensure_kid()
    return ClientKey(key, "RS384" if isinstance(key, RSAKey) else "ES384")


def _import_key(data: bytes) -> RSAKey | ECKey:
    if data.lstrip().startswith(b"{"):
        key = jwk.import_key(json.loads(data))
        if isinstance(key, RSAKey | ECKey):
            return key
        raise ValueError("neither RSA nor EC")
    try:
        return RSAKey.import_key(data)
    except (ValueError, JoseError):
        return ECKey.import_key(data)
