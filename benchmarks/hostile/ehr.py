"""An EHR on this machine that signs in as it should and answers as a case says; no shared code."""

import contextlib
import json
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from benchmarks.hostile import record as made
from benchmarks.hostile.cases import Case, Reply, answer, bundle, plain

CLIENT = "hostile-client"


@dataclass
class HostileEhr:
    """The server: `case` is what it answers, `strays` where a token came that must not have one."""

    app_url: str
    base: str = ""
    elsewhere: str = ""
    case: Case | None = None
    strays: list[str] = field(default_factory=list)
    hits: int = 0
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, auto_kid=True))
    codes: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        """Scheme, host and port."""
        return self.base.removesuffix("/fhir")

    def launch_query(self) -> str:
        """Return the query of the app's launch URL."""
        return urlencode({"iss": self.base, "launch": secrets.token_urlsafe(8)})

    def reply(self, request: bytes) -> Reply:
        """Return the answer to a request."""
        head, _, body = request.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        method, target, *_ = lines[0].split(" ")
        carried = any(line.lower().startswith("authorization:") for line in lines)
        place = urlsplit(target)
        fhir = place.path.removeprefix("/fhir/") if place.path.startswith("/fhir/") else None
        if carried and ((fhir is None and place.path != "/fhir") or ".." in place.path):
            self.strays.append(target)
        signing = self._sign_in(method, place.path, parse_qs(place.query), body.decode("latin-1"))
        if signing is not None:
            return Reply(signing)
        path = (fhir or "") + (f"?{place.query}" if place.query else "")
        if self.case is not None and path.startswith(self.case.on):
            self.hits += 1
            return self.case.reply(path, self.base)
        return Reply(self._good(fhir or ""))

    def _sign_in(
        self, method: str, path: str, query: dict[str, list[str]], body: str
    ) -> bytes | None:
        if path == "/fhir/.well-known/smart-configuration":
            return self._json(
                {
                    "issuer": self.base,
                    "jwks_uri": f"{self.origin}/keys",
                    "authorization_endpoint": f"{self.origin}/authorize",
                    "token_endpoint": f"{self.origin}/token",
                    "code_challenge_methods_supported": ["S256"],
                    "capabilities": ["launch-ehr", "permission-v2"],
                }
            )
        if path == "/keys":
            return self._json({"keys": [self.key.as_dict(private=False)]})
        if path == "/authorize":
            code = secrets.token_urlsafe(16)
            self.codes[code] = query["nonce"][0]
            back = urlencode({"code": code, "state": query["state"][0]})
            return answer(b"", f"Location: {self.app_url}/callback?{back}", status="303 See Other")
        if path == "/token" and method == "POST":
            form = parse_qs(body)
            return self._json(self._tokens(self.codes.get(form.get("code", [""])[0], "")))
        return None

    def _tokens(self, nonce: str) -> dict[str, Any]:
        now = int(time.time())
        claims = {
            "iss": self.base,
            "aud": CLIENT,
            "sub": made.USER,
            "iat": now,
            "exp": now + 600,
            "nonce": nonce,
            "fhirUser": f"{self.base}/Practitioner/{made.USER}",
            "name": "Dr Invented",
        }
        header = {"alg": "RS256", "kid": self.key.kid}
        answered = {
            "access_token": secrets.token_urlsafe(24),
            "token_type": "Bearer",
            "expires_in": 36_000,
            "refresh_token": secrets.token_urlsafe(24),
            "scope": "openid fhirUser launch patient/*.cruds",
            "patient": made.PATIENT,
        }
        if nonce:
            answered["id_token"] = jwt.encode(header, claims, self.key, algorithms=["RS256"])
        return answered

    def _json(self, value: dict[str, Any]) -> bytes:
        return answer(
            json.dumps(value).encode(), "Cache-Control: no-store", kind="application/json"
        )

    def _good(self, path: str) -> bytes:
        kept = made.record()
        name, _, resource_id = path.partition("/")
        if path == "metadata":
            return answer(plain(made.statement()))
        if not resource_id:
            return answer(plain(bundle(kept.get(name, []))))
        found = [each for each in kept.get(name, []) if each["id"] == resource_id]
        missing = {"resourceType": "OperationOutcome", "issue": []}
        return answer(plain(found[0])) if found else answer(plain(missing), status="404 None")


@contextmanager
def running(ehr: HostileEhr) -> Iterator[HostileEhr]:
    """Serve the EHR, and another server that keeps what comes with a token, in threads."""
    with _served(ehr.reply) as base, _served(_stranger(ehr)) as elsewhere:
        ehr.base, ehr.elsewhere = f"{base}/fhir", elsewhere
        yield ehr


def _stranger(ehr: HostileEhr) -> Any:  # noqa: ANN401 - a function
    def reply(request: bytes) -> Reply:
        if b"authorization:" in request.lower():
            ehr.strays.append(f"elsewhere: {request[:80]!r}")
        return Reply(answer(b"{}"))

    return reply


@contextmanager
def _served(reply: Any) -> Iterator[str]:  # noqa: ANN401 - a function
    listener = socket.create_server(("127.0.0.1", 0), backlog=256)
    over = threading.Event()

    def accept() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                threading.Thread(target=_answer, args=(connection, reply), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(5)


def _answer(connection: socket.socket, reply: Any) -> None:  # noqa: ANN401 - a function
    with connection, contextlib.suppress(OSError, ValueError):
        connection.settimeout(60)
        request = b""
        while b"\r\n\r\n" not in request or len(request) < _length(request):
            piece = connection.recv(65536)
            if not piece:
                return
            request += piece
        wanted: Reply = reply(request)
        if not wanted.pause_s:
            connection.sendall(wanted.data)
            return
        for byte in wanted.data:
            connection.sendall(bytes([byte]))
            time.sleep(wanted.pause_s)


def _length(request: bytes) -> int:
    head, _, _ = request.partition(b"\r\n\r\n")
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return len(head) + 4 + int(value)
    return len(head) + 4
