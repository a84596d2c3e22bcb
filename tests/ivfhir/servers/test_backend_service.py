"""A backend service signs in with its key, uses a token until it expires, and shows neither."""

import json
import time
from contextlib import contextmanager
from urllib.parse import parse_qs

import pytest
from joserfc import jwk, jwt

from ivfhir.errors import (
    BadAnswerError,
    ServerError,
    SettingsError,
    UnauthorisedError,
    UnreachableError,
)
from ivfhir.servers.backend_service import BackendService
from ivfhir.servers.http import HttpRepository
from tests.servers.raw_server import http_answer, raw_server

RSA = jwk.generate_key("RSA", 2048)
EC = jwk.generate_key("EC", "P-384")


@contextmanager
def server(asked, *, status="200 OK", life=300, refuses=()):
    """A FHIR server with a token endpoint of its own; keep each assertion's claims in `asked`."""

    def answer(connection, request):
        head, _, body = request.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        path = lines[0].split()[1]
        headers = {name.lower(): value for name, _, value in (x.partition(": ") for x in lines[1:])}
        while len(body) < int(headers.get("content-length", 0)):
            body += connection.recv(65536)
        if path.endswith("smart-configuration"):
            told = {"token_endpoint": f"{where[0]}/token"}
        elif path == "/token":
            asked.append({k: v[0] for k, v in parse_qs(body.decode()).items()})
            token = f"token-{len(asked)}"
            told = {"access_token": token, "token_type": "bearer", "expires_in": life}
            if status != "200 OK":
                told = {"error": "invalid_client"}
            connection.sendall(http_answer(json.dumps(told).encode(), status=status))
            return
        elif headers.get("authorization", "")[7:] in refuses:
            connection.sendall(http_answer(b"{}", status="401 Unauthorized"))
            return
        else:
            told = {"resourceType": "Patient", "id": "p"}
        connection.sendall(http_answer(json.dumps(told).encode()))

    where = []
    with raw_server(answer) as base:
        where.append(base)
        yield f"{base}/fhir"


def service(base, folder, key=RSA, clock_s=lambda: 1000.0):
    path = folder / "key.pem"
    path.write_bytes(key.as_pem(private=True))
    return BackendService(
        base, "sync", path, scope="system/*.crus", clock_s=clock_s, new_id=lambda: "j1"
    )


@pytest.mark.parametrize(("key", "algorithm"), [(RSA, "RS384"), (EC, "ES384")])
def test_the_assertion_is_signed_as_the_standard_says(tmp_path, key, algorithm):
    asked = []
    with server(asked) as base:
        assert service(base, tmp_path, key).token() == "token-1"
    (form,) = asked
    assert form["grant_type"] == "client_credentials"
    assert form["scope"] == "system/*.crus"
    token = jwt.decode(form["client_assertion"], key, algorithms=[algorithm])
    assert token.header["alg"] == algorithm
    assert {**token.claims, "aud": ""} == {
        "iss": "sync",
        "sub": "sync",
        "aud": "",
        "iat": 1000,
        "exp": 1240,
        "jti": "j1",
    }
    assert token.claims["aud"].endswith("/token")


def test_a_token_is_used_until_it_expires(tmp_path):
    asked, now = [], [1000.0]
    with server(asked) as base:
        own = service(base, tmp_path, clock_s=lambda: now[0])
        assert [own.token(), own.token()] == ["token-1", "token-1"]
        now[0] += 299
        assert own.token() == "token-2"


def test_a_token_that_is_no_longer_taken_is_renewed_once_for_all_threads(tmp_path):
    asked = []
    with server(asked, refuses={"token-1"}) as base:
        own = service(base, tmp_path)
        for _ in range(2):
            repository = HttpRepository(base, token="token-1", renew=own.renew)
            own.token()
            assert repository.read("Patient", "p")["id"] == "p"
    assert len(asked) == 2


def test_a_refusal_names_the_code_and_no_secret(tmp_path):
    asked = []
    with (
        server(asked, status="400 Bad Request") as base,
        pytest.raises(UnauthorisedError, match="invalid_client") as caught,
    ):
        service(base, tmp_path).token()
    assert asked[0]["client_assertion"] not in str(caught.value)


@pytest.mark.parametrize("status", ["503 Service Unavailable", "429 Too Many Requests"])
def test_a_sign_in_that_fails_for_a_moment_is_no_refusal_of_the_client(tmp_path, status):
    with server([], status=status) as base, pytest.raises(ServerError) as caught:
        service(base, tmp_path).token()
    assert type(caught.value) is ServerError
    assert caught.value.status == int(status[:3])


def test_no_password_of_a_netrc_file_goes_to_the_sign_in(tmp_path, monkeypatch):
    netrc, seen = tmp_path / "netrc", []
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))

    def answer(connection, request):
        seen.append(request.lower())
        connection.sendall(http_answer(b"{}"))

    with raw_server(answer) as base, pytest.raises(BadAnswerError):
        service(f"{base}/fhir", tmp_path).token()
    assert seen
    assert b"authorization" not in seen[0]


@pytest.mark.parametrize(
    ("body", "error"),
    [(b"{" + b" " * (2 << 20) + b"}", "more than"), (b"\xff[", "no token endpoint")],
)
def test_a_sign_in_that_answers_too_much_or_nonsense_is_told(tmp_path, body, error):
    def answer(connection, request):
        connection.sendall(http_answer(body))

    with raw_server(answer) as base, pytest.raises(BadAnswerError, match=error):
        service(f"{base}/fhir", tmp_path).token()


def test_a_sign_in_that_drips_ends_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr("ivfhir.servers.backend_service._TIMEOUT_S", 1)

    def answer(connection, request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n")
        for _ in range(40):
            connection.sendall(b" ")
            time.sleep(0.1)

    began = time.monotonic()
    with raw_server(answer) as base, pytest.raises(UnreachableError):
        service(f"{base}/fhir", tmp_path).token()
    assert time.monotonic() - began < 3


def test_a_file_that_is_no_key_is_refused(tmp_path):
    path = tmp_path / "key"
    path.write_text("nothing")
    with pytest.raises(SettingsError):
        BackendService("http://127.0.0.1:1", "c", path, scope="s")
