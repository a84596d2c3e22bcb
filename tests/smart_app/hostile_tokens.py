"""Forged id_tokens: each made from what an honest EHR would have signed.

Source: https://www.rfc-editor.org/rfc/rfc8725 (JSON Web Token Best Current Practices)
"""

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.smart_app.strict_ehr import Grant, StrictEhr, b64, unb64

Forge = Callable[["ForgingEhr", dict[str, Any], dict[str, Any]], str]
_ATTACKER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
_HOUR = 3600


class ForgingEhr(StrictEhr):
    """An EHR whose id_token somebody forges on the way."""

    forge: Forge

    def _id_token(self, grant: Grant) -> str:
        header, claims, _ = super()._id_token(grant).split(".")
        return self.forge(self, json.loads(unb64(header)), json.loads(unb64(claims)))


def _signed(header: dict[str, Any], claims: dict[str, Any], key: rsa.RSAPrivateKey) -> str:
    text = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
    hashes = {"RS384": SHA384(), "RS512": SHA512(), "PS256": SHA256()}
    pad: Any = (
        padding.PSS(padding.MGF1(SHA256()), 32)
        if header.get("alg") == "PS256"
        else padding.PKCS1v15()
    )
    hashed = hashes.get(str(header.get("alg")), SHA256())
    return f"{text}.{b64(key.sign(text.encode(), pad, hashed))}"


def _with(**changes: object) -> Forge:
    """Sign other claims with the EHR's own key; None leaves one out."""

    def forge(ehr: ForgingEhr, header: dict[str, Any], claims: dict[str, Any]) -> str:
        made = {
            name: value(claims) if callable(value) else value for name, value in changes.items()
        }
        kept = {name: value for name, value in (claims | made).items() if value is not None}
        return _signed(header, kept, ehr.keys[0])

    return forge


def _by_attacker(**changes: object) -> Forge:
    """Sign with a key that the EHR does not publish, under another header."""

    def forge(ehr: ForgingEhr, header: dict[str, Any], claims: dict[str, Any]) -> str:
        made = {name: value for name, value in (header | changes).items() if value is not None}
        return _signed(made, claims, _ATTACKER)

    return forge


def _unsigned(algorithm: object, signature: str = "") -> Forge:
    def forge(ehr: ForgingEhr, header: dict[str, Any], claims: dict[str, Any]) -> str:
        parts = ({**header, "alg": algorithm}, claims)
        return ".".join(b64(json.dumps(part).encode()) for part in parts) + f".{signature}"

    return forge


def _with_public_key_as_secret(algorithm: str, encoding: Encoding, form: PublicFormat) -> Forge:
    def forge(ehr: ForgingEhr, header: dict[str, Any], claims: dict[str, Any]) -> str:
        secret = ehr.keys[0].public_key().public_bytes(encoding, form)
        parts = ({**header, "alg": algorithm}, claims)
        text = ".".join(b64(json.dumps(part).encode()) for part in parts)
        digest = {"HS256": "sha256", "HS384": "sha384", "HS512": "sha512"}[algorithm]
        return f"{text}.{b64(hmac.new(secret, text.encode(), digest).digest())}"

    return forge


def _changed_after_signing(**changes: object) -> Forge:
    def forge(ehr: ForgingEhr, header: dict[str, Any], claims: dict[str, Any]) -> str:
        first, _, last = _signed(header, claims, ehr.keys[0]).split(".")
        return f"{first}.{b64(json.dumps(claims | changes).encode())}.{last}"

    return forge


def _as_text(text: str) -> Forge:
    return lambda _ehr, _header, _claims: text


def _own_key() -> dict[str, Any]:
    numbers = _ATTACKER.public_key().public_numbers()
    return {"kty": "RSA", "n": b64(numbers.n.to_bytes(256, "big")), "e": "AQAB"}


def forgeries() -> dict[str, Forge]:
    """Return every forgery under what it is called."""
    found: dict[str, Forge] = {}
    for algorithm in ("none", "None", "NONE", "nOnE", "", None, 0, ["none"], "RS255", "HS256"):
        found[f"alg {algorithm!r}"] = _unsigned(algorithm)
        found[f"alg {algorithm!r}, some signature"] = _unsigned(algorithm, b64(b"x" * 256))
    for algorithm in ("HS256", "HS384", "HS512"):
        for name, encoding, form in (
            ("PEM", Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
            ("DER", Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
            ("PKCS1", Encoding.PEM, PublicFormat.PKCS1),
        ):
            found[f"{algorithm} with the public key as {name}"] = _with_public_key_as_secret(
                algorithm, encoding, form
            )
    for name, claim in (
        ("another issuer", {"iss": "https://evil.example"}),
        ("issuer with a slash", {"iss": lambda claims: claims["iss"] + "/"}),
        ("issuer in capitals", {"iss": lambda claims: claims["iss"].upper()}),
        ("issuers as a list", {"iss": lambda claims: [claims["iss"]]}),
        ("no issuer", {"iss": None}),
        ("another audience", {"aud": "another"}),
        ("no audience", {"aud": None}),
        ("an empty audience", {"aud": []}),
        ("several audiences without azp", {"aud": ["strict-client", "another"]}),
        ("several audiences, azp another", {"aud": ["strict-client", "x"], "azp": "x"}),
        ("azp another", {"azp": "another"}),
        ("audience with a blank", {"aud": "strict-client "}),
        ("audience that begins as ours", {"aud": "strict-client-2"}),
        ("another nonce", {"nonce": "x"}),
        ("no nonce", {"nonce": None}),
        ("an empty nonce", {"nonce": ""}),
        ("nonce as a list", {"nonce": lambda claims: [claims["nonce"]]}),
        ("expired", {"exp": lambda claims: claims["iat"] - _HOUR}),
        ("expired before it began", {"exp": 0}),
        ("no end", {"exp": None}),
        ("end as words", {"exp": "tomorrow"}),
        ("negative end", {"exp": -1}),
        ("from the future", {"iat": lambda claims: claims["iat"] + _HOUR}),
        ("not before an hour", {"nbf": lambda claims: claims["iat"] + _HOUR}),
        ("no beginning", {"iat": None}),
        ("beginning as words", {"iat": "now"}),
        ("no subject", {"sub": None}),
        ("an empty subject", {"sub": ""}),
        ("subject as a list", {"sub": ["user-1"]}),
        ("subject as a number", {"sub": 1}),
    ):
        found[name] = _with(**claim)
    evil = "https://evil.example/keys"
    for name, header in (
        ("another key under the EHR's kid", {}),
        ("another key without kid", {"kid": None}),
        ("another key under another kid", {"kid": "x"}),
        ("kid as a path", {"kid": "../../dev/null"}),
        ("kid as SQL", {"kid": "' OR 1=1 --"}),
        ("kid as a number", {"kid": 0}),
        ("jku of the attacker", {"jku": evil}),
        ("jku and another kid", {"jku": evil, "kid": "x"}),
        ("x5u of the attacker", {"x5u": evil}),
        ("jwk inside", {"jwk": _own_key()}),
        ("jwk inside, no kid", {"jwk": _own_key(), "kid": None}),
        ("x5c inside", {"x5c": ["MIIB"]}),
        ("crit unknown", {"crit": ["x"], "x": 1}),
        ("b64 false", {"b64": False, "crit": ["b64"]}),
        ("zip", {"zip": "DEF"}),
        ("RS384", {"alg": "RS384"}),
        ("RS512", {"alg": "RS512"}),
        ("PS256", {"alg": "PS256"}),
        ("ES256 for RSA", {"alg": "ES256"}),
    ):
        found[name] = _by_attacker(**header)
    for name, changes in (
        ("subject changed after signing", {"sub": "somebody-else"}),
        ("user changed after signing", {"fhirUser": "Practitioner/other"}),
        ("end changed after signing", {"exp": 4_000_000_000}),
        ("claim added after signing", {"admin": True}),
    ):
        found[name] = _changed_after_signing(**changes)
    texts = ("x", "..", "...", "a.b.c", "e30.e30.", "e30.e30.e30", "null", "[]", ".e30.", "é.é.é")
    found.update({f"text {text}": _as_text(text) for text in texts})
    found["very long"] = _as_text("a" * 200_000)
    found["five parts"] = _as_text(".".join(["e30"] * 5))
    found["hash of nothing"] = _as_text(f"e30.e30.{hashlib.sha256().hexdigest()}")
    return found


def honest(ehr: ForgingEhr, header: dict[str, Any], claims: dict[str, Any]) -> str:
    """Return what the EHR itself would have signed."""
    return _signed(header, claims, ehr.keys[0])
