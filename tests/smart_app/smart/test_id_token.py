"""The id_token: https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation ."""

import base64
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from ivfhir.errors import LaunchError
from smart_app.smart.id_token import Identity, verify_id_token

NOW = 1_800_000_000
ISSUER = "https://ehr.example/fhir"
RSA = RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True)
P256 = ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)
P384 = ECKey.generate_key("P-384", auto_kid=True)
JWKS: dict[str, Any] = {
    "keys": [
        {"kty": "unheard-of"},
        {"kty": "RSA", "kid": "broken"},
        *(key.as_dict(private=False) for key in (RSA, P256, P384)),
    ]
}


def claims(**changes: Any) -> dict[str, Any]:
    usual = {
        "iss": ISSUER,
        "sub": "u1",
        "aud": "app",
        "exp": NOW + 300,
        "iat": NOW,
        "nonce": "n",
        "fhirUser": f"{ISSUER}/Practitioner/1",
        "name": "Dr A",
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def signed(
    payload: dict[str, Any], key: Any = RSA, algorithm: str = "RS256", kid: str | None = ""
) -> str:
    header = {
        "alg": algorithm,
        **({"kid": key.kid if kid == "" else kid} if kid is not None else {}),
    }
    return jwt.encode(header, payload, key, algorithms=[algorithm])


def verify(token: str, jwks: dict[str, Any] = JWKS) -> Identity:
    return verify_id_token(token, jwks=jwks, issuer=ISSUER, client_id="app", nonce="n", now_s=NOW)


@pytest.mark.parametrize(
    ("key", "algorithm"), [(RSA, "RS256"), (RSA, "RS384"), (P256, "ES256"), (P384, "ES384")]
)
def test_each_allowed_algorithm_is_understood(key: Any, algorithm: str) -> None:
    expected = Identity("u1", f"{ISSUER}/Practitioner/1", "Dr A")
    assert verify(signed(claims(), key, algorithm)) == expected


def test_a_token_without_key_id_is_tried_with_each_fitting_key() -> None:
    assert verify(signed(claims(), kid=None)).subject == "u1"


@pytest.mark.parametrize(
    ("changes", "claim"),
    [
        ({"iss": "https://ehr.example/fhir/"}, "iss"),
        ({"iss": None}, "iss"),
        ({"aud": "other"}, "aud"),
        ({"aud": ["other"]}, "aud"),
        ({"aud": None}, "aud"),
        ({"nonce": "m"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"sub": None}, "sub"),
        ({"exp": None}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"iat": None}, "iat"),
        ({"iat": NOW + 61}, "iat"),
    ],
)
def test_a_missing_or_wrong_claim_is_named(changes: dict[str, Any], claim: str) -> None:
    with pytest.raises(LaunchError, match=f"its claim {claim}"):
        verify(signed(claims(**changes)))


def test_an_expired_token_is_told_apart() -> None:
    with pytest.raises(LaunchError, match="already expired"):
        verify(signed(claims(exp=NOW - 61)))


def test_clocks_may_differ_by_a_minute() -> None:
    assert verify(signed(claims(exp=NOW - 59, iat=NOW + 59))).subject == "u1"


@pytest.mark.parametrize(
    "changes", [{"aud": ["app", "b"]}, {"azp": "b"}, {"aud": ["app"], "azp": "b"}]
)
def test_a_token_made_for_another_app_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(LaunchError, match="another app"):
        verify(signed(claims(**changes)))


def test_a_token_for_several_apps_that_names_us_is_taken() -> None:
    assert verify(signed(claims(aud=["app", "b"], azp="app"))).subject == "u1"


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (f"{part({'alg': 'none'})}.{part(claims())}.", "not signed"),
        (f"{part({'alg': 'None'})}.{part(claims())}.", "not signed"),
        (f"{part({})}.{part(claims())}.", "not signed"),
        (f"{part({'alg': 'PS256'})}.{part(claims())}.x", "another algorithm"),
        (f"{part([])}.{part(claims())}.x", "not a JWT"),
        ("", "not a JWT"),
        ("not a token", "not a JWT"),
        (f"{part({'alg': 'RS256', 'kid': 'nobody'})}.{part(claims())}.x", "does not publish"),
    ],
)
def test_what_is_not_a_signed_token_is_refused(token: str, reason: str) -> None:
    with pytest.raises(LaunchError, match=reason):
        verify(token)


def test_a_public_key_used_as_a_shared_secret_is_refused() -> None:
    public = OctKey.import_key(json.dumps(RSA.as_dict(private=False)))
    with pytest.raises(LaunchError, match="another algorithm"):
        verify(jwt.encode({"alg": "HS256"}, claims(), public, algorithms=["HS256"]))


def test_another_key_under_our_key_id_is_refused() -> None:
    other = RSAKey.generate_key(2048)
    with pytest.raises(LaunchError, match="signature"):
        verify(signed(claims(), other, kid=RSA.kid))


def test_changed_claims_are_refused() -> None:
    header, _, signature = signed(claims()).split(".")
    with pytest.raises(LaunchError, match="signature"):
        verify(f"{header}.{part(claims(sub='u2'))}.{signature}")


@pytest.mark.parametrize("change", [{"use": "enc"}, {"alg": "RS512"}])
def test_a_key_for_another_use_signs_nothing(change: dict[str, str]) -> None:
    jwks = {"keys": [{**RSA.as_dict(private=False), **change}]}
    with pytest.raises(LaunchError, match="does not publish"):
        verify(signed(claims()), jwks)


@pytest.mark.parametrize("jwks", [{}, {"keys": None}, {"keys": ["x"]}])
def test_a_broken_key_set_is_refused(jwks: dict[str, Any]) -> None:
    with pytest.raises(LaunchError, match="does not publish"):
        verify(signed(claims()), jwks)


def test_the_message_holds_neither_token_nor_claim_values() -> None:
    token = signed(claims(nonce="m"))
    with pytest.raises(LaunchError) as caught:
        verify(token)
    assert token not in caught.value.message
    assert "Dr A" not in caught.value.message
