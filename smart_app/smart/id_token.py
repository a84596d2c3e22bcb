"""Who signed in: the id_token, verified wholly before a word of it is believed.

Source: https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation and
https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html#scopes-for-requesting-identity-data
"""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError
from joserfc.jwk import ECKey, RSAKey

from ivfhir.errors import InputError, LaunchError
from ivfhir.fhir.json import loads

_KEY_TYPES = {"RS256": "RSA", "RS384": "RSA", "ES256": "EC", "ES384": "EC"}
_CURVES = {"ES256": "P-256", "ES384": "P-384"}
_LEEWAY_S = 60
_WORDS = "The EHR's proof of who you are (id_token) cannot be trusted: {}. Nothing was read."


class UnknownKeyError(LaunchError):
    """None of the keys at hand signed the id_token; the EHR may have newer ones."""


@dataclass(frozen=True)
class Identity:
    """What a verified id_token says of the user: key at the issuer, FHIR resource, name.

    `signed_in_at` is when the user proved who they are, in seconds since 1970; None when the EHR
    does not say.
    """

    subject: str
    fhir_user: str | None
    name: str | None
    signed_in_at: int | None = None


def verify_id_token(
    id_token: str, *, jwks: Mapping[str, Any], issuer: str, client_id: str, nonce: str, now_s: int
) -> Identity:
    """Return who signed in, when every check holds.

    Args:
        id_token: the compact JWT of the token answer.
        jwks: the issuer's key set.
        issuer: what `iss` must be, to the letter.
        client_id: what `aud` must hold; a token for several must name us as `azp`.
        nonce: what the sign-in was begun with.
        now_s: seconds since 1970.

    Raises:
        UnknownKeyError: no key of the set signed it.
        LaunchError: unsigned, signed by another key or with another algorithm than RS256, RS384,
            ES256 or ES384, for another client or sign-in, expired, from the future, or not a JWT.
    """
    algorithm, kid = _read_header(id_token)
    claims = _verified_claims(id_token, algorithm, _candidate_keys(jwks, algorithm, kid))
    registry = jwt.JWTClaimsRegistry(
        now=now_s,
        leeway=_LEEWAY_S,
        iss={"essential": True, "value": issuer},
        sub={"essential": True},
        aud={"essential": True, "value": client_id},
        exp={"essential": True},
        iat={"essential": True},
        nonce={"essential": True, "value": nonce},
    )
    try:
        registry.validate(claims)
    except ExpiredTokenError as error:
        raise LaunchError(
            "The EHR's proof of who you are (id_token) had already expired. Check that the clocks "
            "of the EHR and of this app agree."
        ) from error
    except (InvalidClaimError, JoseError) as error:
        raise _untrusted(
            f"its claim {getattr(error, 'claim', None) or str(error)} is missing or wrong"
        ) from error
    for claim, wanted in (("iss", issuer), ("nonce", nonce)):
        if claims[claim] != wanted:  # A list that holds it would do for the registry.
            raise _untrusted(f"its claim {claim} is missing or wrong")
    if not isinstance(claims["sub"], str):
        raise _untrusted("its claim sub is missing or wrong")
    audience = claims["aud"]
    if (isinstance(audience, list) and len(audience) > 1 and "azp" not in claims) or (
        claims.get("azp", client_id) != client_id
    ):
        raise _untrusted("it was issued to another app")
    fhir_user, name = claims.get("fhirUser"), claims.get("name")
    auth_time = claims.get("auth_time")
    return Identity(
        subject=claims["sub"],
        fhir_user=fhir_user if isinstance(fhir_user, str) and fhir_user else None,
        name=name if isinstance(name, str) and name else None,
        signed_in_at=auth_time if type(auth_time) is int else None,
    )


def _read_header(id_token: str) -> tuple[str, str | None]:
    """Return algorithm, one of those allowed, and key id: read, not yet believed."""
    try:
        first = id_token.split(".", maxsplit=1)[0]
        raw = base64.urlsafe_b64decode(first + "=" * (-len(first) % 4)).decode()
        header = loads(raw, place="its header")
    except (ValueError, binascii.Error, InputError) as error:
        raise _untrusted("it is not a JWT") from error
    if not isinstance(header, dict):
        raise _untrusted("it is not a JWT")
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm.lower() == "none":
        raise _untrusted("it is not signed")
    if algorithm not in _KEY_TYPES:
        raise _untrusted(f"it is signed with another algorithm than {', '.join(_KEY_TYPES)}")
    return algorithm, kid if isinstance(kid, str) else None


def _candidate_keys(
    jwks: Mapping[str, Any], algorithm: str, kid: str | None
) -> list[RSAKey | ECKey]:
    """Return the issuer's public signature keys that may have signed with the algorithm."""
    keys: list[RSAKey | ECKey] = []
    listed = jwks.get("keys")
    for raw in listed if isinstance(listed, list) else []:
        if not isinstance(raw, dict) or raw.get("kty") != _KEY_TYPES[algorithm]:
            continue
        if raw.get("use", "sig") != "sig" or raw.get("alg", algorithm) != algorithm:
            continue
        if kid is not None and raw.get("kid") != kid:
            continue
        if raw.get("crv") != _CURVES.get(algorithm):
            continue
        try:
            keys.append((RSAKey if raw["kty"] == "RSA" else ECKey).import_key(raw))
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):
            continue  # A key that cannot be read signs nothing; the others may.
    if not keys:
        raise UnknownKeyError(_WORDS.format("the EHR does not publish the key it is signed with"))
    return keys


def _verified_claims(id_token: str, algorithm: str, keys: list[RSAKey | ECKey]) -> dict[str, Any]:
    for key in keys:
        try:
            return jwt.decode(id_token, key, algorithms=[algorithm]).claims
        except (JoseError, ValueError, TypeError):
            continue
        except RecursionError as error:
            raise _untrusted("its claims are nested too deep") from error
    raise UnknownKeyError(_WORDS.format("its signature is not the EHR's"))


def _untrusted(reason: str) -> LaunchError:
    return LaunchError(_WORDS.format(reason))
