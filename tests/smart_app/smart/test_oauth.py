"""The OAuth client.

Source: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-access-token
"""

import base64
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from ivfhir.errors import LaunchError, ServerError, UnreachableError
from smart_app.config import Ehr
from smart_app.smart.http import EhrHttp
from smart_app.smart.oauth import TokenClient, authorization_url, code_challenge

URL = "https://ehr.example/token"
OCT = b'{"kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}'
ANSWER = {"access_token": "at", "token_type": "Bearer", "expires_in": 300, "patient": "p"}


def client(*, methods: tuple[str, ...] = (), **registration: Any) -> TokenClient:
    ehr = Ehr(iss="https://ehr.example/fhir", client_id="app", **registration)
    return TokenClient(ehr, URL, methods, EhrHttp(timeout_s=5), clock_s=lambda: 1_800_000_000.0)


def sent(index: int = 0) -> dict[str, str]:
    body = responses.calls[index].request.body
    text = body.decode() if isinstance(body, bytes) else str(body)
    return {name: values[0] for name, values in parse_qs(text).items()}


def exchange(asking: TokenClient) -> Any:
    return asking.exchange("c", code_verifier="v" * 64, redirect_uri="https://app.example/callback")


def test_the_challenge_is_the_one_of_the_rfc() -> None:
    """https://www.rfc-editor.org/rfc/rfc7636#appendix-B ."""
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert code_challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_an_endpoint_with_a_query_keeps_it() -> None:
    url = authorization_url(
        "https://ehr.example/auth?tenant=1",
        client_id="app",
        redirect_uri="https://app.example/callback",
        scope="openid",
        state="s",
        nonce="n",
        code_verifier="v",
        aud="https://ehr.example/fhir",
        launch=None,
    )
    assert url.startswith("https://ehr.example/auth?tenant=1&response_type=code&")
    assert "launch=" not in url


@responses.activate
def test_a_public_client_names_itself_and_proves_the_code_is_its_own() -> None:
    responses.post(URL, json=ANSWER)
    answer = exchange(client())
    assert (answer.access_token, answer.expires_in_s, answer.patient) == ("at", 300, "p")
    assert sent() == {
        "grant_type": "authorization_code",
        "code": "c",
        "redirect_uri": "https://app.example/callback",
        "code_verifier": "v" * 64,
        "client_id": "app",
    }


@responses.activate
def test_a_secret_goes_into_the_header() -> None:
    responses.post(URL, json=ANSWER)
    exchange(client(client_secret="s"))
    expected = "Basic " + base64.b64encode(b"app:s").decode()
    assert responses.calls[0].request.headers["Authorization"] == expected
    assert "client_secret" not in sent()


@responses.activate
def test_a_secret_goes_into_the_form_where_only_that_is_supported() -> None:
    responses.post(URL, json=ANSWER)
    exchange(client(client_secret="s", methods=("client_secret_post",)))
    assert (sent()["client_id"], sent()["client_secret"]) == ("app", "s")
    assert "Authorization" not in responses.calls[0].request.headers


@pytest.mark.parametrize("kind", ["RSA", "EC"])
@responses.activate
def test_a_client_with_a_key_signs_who_it_is(kind: str, tmp_path: Path) -> None:
    """https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html ."""
    key: Any = RSAKey.generate_key(2048) if kind == "RSA" else ECKey.generate_key("P-384")
    path = tmp_path / "key.pem"
    path.write_bytes(key.as_pem(private=True))
    responses.post(URL, json=ANSWER)
    exchange(client(private_key_file=str(path)))
    form = sent()
    algorithm = {"RSA": "RS384", "EC": "ES384"}[kind]
    token = jwt.decode(form["client_assertion"], key, algorithms=[algorithm])
    assert token.header["kid"] == key.kid or token.header["kid"]
    assert (token.claims["iss"], token.claims["sub"], token.claims["aud"]) == ("app", "app", URL)
    assert token.claims["exp"] - token.claims["iat"] <= 300
    assert form["client_assertion_type"].endswith("jwt-bearer")
    assert "client_id" not in form


@responses.activate
def test_a_refresh_token_is_sent_for_a_new_one() -> None:
    responses.post(URL, json={**ANSWER, "refresh_token": "r2"})
    answer = client().refresh("r1")
    assert answer.refresh_token == "r2"
    assert sent() == {"grant_type": "refresh_token", "refresh_token": "r1", "client_id": "app"}


@pytest.mark.parametrize(
    ("error", "words", "mender"),
    [
        ("invalid_client", "client id or secret", "Whoever runs this app"),
        ("invalid_grant", "used up or too old", "You"),
        ("unauthorized_client", r"\(unauthorized_client\)", "Your EHR administrator"),
        ("<script>", "refused to give the app access[.]", "Your EHR administrator"),
        (None, "refused to give the app access[.]", "Your EHR administrator"),
    ],
)
@responses.activate
def test_a_refusal_is_said_in_words(error: str | None, words: str, mender: str) -> None:
    responses.post(URL, json={"error": error}, status=400)
    with pytest.raises(LaunchError, match=words) as caught:
        exchange(client())
    assert caught.value.mender == mender


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"access_token": "at"},
        {"access_token": "", "token_type": "Bearer"},
        {"access_token": 1, "token_type": "Bearer"},
        {"access_token": "at", "token_type": "mac"},
    ],
)
@responses.activate
def test_an_answer_without_a_bearer_token_is_refused(body: dict[str, Any]) -> None:
    responses.post(URL, json=body)
    with pytest.raises(LaunchError, match="no bearer token"):
        exchange(client())


@pytest.mark.parametrize(
    ("given", "read"), [("300", 300), (299.9, 299), (None, None), ("soon", None), (True, None)]
)
@responses.activate
def test_the_life_of_a_token_is_read_in_the_forms_that_servers_write(
    given: object, read: int | None
) -> None:
    responses.post(URL, json={**ANSWER, "token_type": "bearer", "expires_in": given})
    assert exchange(client()).expires_in_s == read


@responses.activate
def test_a_redirect_is_not_followed_with_the_code() -> None:
    responses.post(URL, status=307, headers={"Location": "https://evil.example/"})
    with pytest.raises(LaunchError, match="elsewhere"):
        exchange(client())
    assert len(responses.calls) == 1


@responses.activate
def test_a_server_s_fault_and_no_answer_are_told_apart_from_a_refusal() -> None:
    responses.post(URL, status=503, body="busy")
    with pytest.raises(ServerError, match="503"):
        exchange(client())
    responses.reset()
    with pytest.raises(UnreachableError, match="did not answer"):
        exchange(client())


def test_tokens_and_secrets_are_in_no_repr() -> None:
    asking = client(client_secret="hush")
    assert "hush" not in repr(asking)
