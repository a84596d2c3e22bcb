"""A client's key: what is taken, what is refused, and the assertion that it signs."""

from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from ivfhir.errors import SettingsError
from ivfhir.servers.client_key import load_private_key

OCT = b'{"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQ"}'


def test_a_key_that_cannot_sign_is_refused_when_it_is_loaded(tmp_path: Path) -> None:
    path = tmp_path / "key"
    small = ECKey.generate_key("P-256").as_pem(private=True)
    public = RSAKey.generate_key(2048).as_pem(private=False)
    for content in (b"nothing", b"{}", OCT, small, public):
        path.write_bytes(content)
        with pytest.raises(SettingsError, match=r"^private_key_file") as caught:
            load_private_key(path)
        assert caught.value.__cause__ is None
    with pytest.raises(SettingsError, match=r"^ehr\.private_key_file"):
        load_private_key(tmp_path / "absent", setting="ehr.private_key_file")


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSAKey.generate_key(2048), "RS384"), (ECKey.generate_key("P-384"), "ES384")],
)
def test_an_assertion_says_who_asks_whom_and_for_how_long(
    tmp_path: Path, key: RSAKey | ECKey, algorithm: str
) -> None:
    path = tmp_path / "key"
    path.write_bytes(key.as_pem(private=True))
    loaded = load_private_key(path)
    assert loaded.algorithm == algorithm
    signed = loaded.assertion("app", "https://ehr.example/token", now_s=1000.9, token_id="once")
    token = jwt.decode(signed, key, algorithms=[algorithm])
    assert token.claims == {
        "iss": "app", "sub": "app", "aud": "https://ehr.example/token",
        "iat": 1000, "exp": 1240, "jti": "once",
    }  # fmt: skip
    assert token.header["kid"] == loaded.key.kid
    assert "Key(" not in repr(loaded)
