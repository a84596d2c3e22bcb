"""An authorization server and FHIR endpoint that refuse whatever SMART App Launch 2.2 does not say.

It shares no code with the app or the simulated EHR, so a misreading of the one is not the other's.
Each refusal is kept in `StrictEhr.refused`.

Source: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

import base64
import hashlib
import json
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
PATIENT, OTHER_PATIENT, USER = "strict-1", "strict-2", "strict-dr"
_ENTROPY_CHARACTERS = 21
_LETTERS = {"read": "rs", "write": "cud", "*": "cruds"}
_RESOURCE_SCOPE = re.compile(r"(?:patient|user)/([A-Za-z]+|\*)\.(read|write|\*|c?r?u?d?s?)")
_WORDS = {
    *("openid", "fhirUser", "profile", "launch", "launch/patient"),
    *("online_access", "offline_access"),
}


class Refused(Exception):
    """The request is not as the specification has it."""

    def __init__(self, status: int, code: str, words: str) -> None:
        super().__init__(words)
        self.status, self.code, self.words = status, code, words


def need(holds: object, code: str, words: str, *, status: int = 400) -> None:
    """Refuse the request unless it holds."""
    if not holds:
        raise Refused(status, code, words)


def b64(data: bytes) -> str:
    """Return base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    """Return what `b64` encoded."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Grant:
    """What a user granted: behind a code, an access token or a refresh token."""

    scope: str
    patient: str | None
    challenge: str = ""
    nonce: str = ""
    expires_at: float = 0.0


@dataclass
class StrictEhr:
    """The server's rules, which a test sets, and what it met."""

    redirect_uri: str
    client_id: str = "strict-client"
    secret: str | None = None
    client_key: rsa.RSAPublicKey | None = None
    version_1: bool = False
    slash: bool = False
    refreshes: bool = True
    life_s: object = 3600
    with_kid: bool = True
    guards_patients: bool = True
    granted: Callable[[str], str] = lambda asked: asked
    more_discovery: Mapping[str, Any] = field(default_factory=dict)
    more_token: Mapping[str, Any] = field(default_factory=dict)
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)
    origin: str = ""
    refused: list[str] = field(default_factory=list)
    fhir_calls: list[str] = field(default_factory=list)
    issued: list[str] = field(default_factory=list)
    kept: dict[str, Grant] = field(default_factory=dict)
    launches: dict[str, str] = field(default_factory=dict)
    used_jti: set[str] = field(default_factory=set)
    keys: list[rsa.RSAPrivateKey] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Make two patients, and a first key where none is given."""
        if not self.keys:
            self.rotate_key()
        for patient in (PATIENT, OTHER_PATIENT):
            self.resources[f"Patient/{patient}"] = {
                "resourceType": "Patient",
                "id": patient,
                "name": [{"family": "Invented", "given": ["Ida"]}],
                "gender": "female",
                "birthDate": "1960-01-02",
            }
        self.resources[f"Practitioner/{USER}"] = {
            "resourceType": "Practitioner",
            "id": USER,
            "name": [{"text": "Dr Invented"}],
        }

    @property
    def iss(self) -> str:
        """The FHIR base URL as this EHR writes it."""
        return f"{self.origin}/fhir" + ("/" if self.slash else "")

    def rotate_key(self) -> None:
        """Sign with a new key from now on, and publish it alone."""
        self.keys = [new_key()]

    def launch_query(self, patient: str = PATIENT) -> str:
        """Press the launch button; return the query of the app's launch URL."""
        token = secrets.token_urlsafe(16)
        self.launches[token] = patient
        return urlencode({"iss": self.iss, "launch": token})

    def discovery(self) -> dict[str, Any]:
        """Return `.well-known/smart-configuration`."""
        methods = [] if self.secret is None else ["client_secret_basic"]
        return {
            "issuer": self.iss,
            "jwks_uri": f"{self.origin}/keys",
            "authorization_endpoint": f"{self.origin}/authorize",
            "token_endpoint": f"{self.origin}/token",
            "token_endpoint_auth_methods_supported": [
                *methods,
                *(["private_key_jwt"] if self.client_key else []),
            ],
            "grant_types_supported": ["authorization_code"],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": [
                *("launch-ehr", "launch-standalone", "client-public", "sso-openid-connect"),
                *("context-ehr-patient", "context-standalone-patient", "permission-patient"),
                *("permission-v1" if self.version_1 else "permission-v2", "permission-offline"),
            ],
            **self.more_discovery,
        }

    def jwks(self) -> dict[str, Any]:
        """Return the public keys; without `kid` where the rules say so."""
        keys = []
        for number, key in enumerate(self.keys):
            numbers = key.public_key().public_numbers()
            size = (numbers.n.bit_length() + 7) // 8
            kid = {"kid": self._kid(number)} if self.with_kid else {}
            keys.append(
                {
                    "kty": "RSA",
                    "use": "sig",
                    "alg": "RS256",
                    "n": b64(numbers.n.to_bytes(size, "big")),
                    "e": b64(numbers.e.to_bytes(3, "big")),
                    **kid,
                }
            )
        return {"keys": keys}

    def authorize(self, query: str) -> str:
        """Return where the browser goes with the code.

        Source: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code
        """
        asked = once(query)
        need(asked.get("client_id") == self.client_id, "invalid_request", "client_id")
        need(asked.get("redirect_uri") == self.redirect_uri, "invalid_request", "redirect_uri")
        need(asked.get("response_type") == "code", "unsupported_response_type", "response_type")
        need(asked.get("aud") == self.iss, "invalid_request", f"aud {asked.get('aud')}")
        need(len(asked.get("state", "")) > _ENTROPY_CHARACTERS, "invalid_request", "state")
        need(asked.get("code_challenge_method") == "S256", "invalid_request", "challenge method")
        challenge = asked.get("code_challenge", "")
        need(re.fullmatch(r"[A-Za-z0-9_-]{43}", challenge), "invalid_request", "code_challenge")
        words = asked.get("scope", "").split(" ")
        for word in words:
            match = _RESOURCE_SCOPE.fullmatch(word)
            old = match is not None and match[2] in _LETTERS
            fits = word in _WORDS or (match is not None and match[2] and old is self.version_1)
            need(fits, "invalid_scope", f"scope {word!r}")
        need("openid" not in words or asked.get("nonce"), "invalid_request", "nonce")
        need(("launch" in words) is ("launch" in asked), "invalid_request", "launch and its scope")
        extra = asked.keys() - {
            *("client_id", "redirect_uri", "response_type", "aud", "state", "scope", "launch"),
            *("code_challenge", "code_challenge_method", "nonce"),
        }
        need(not extra, "invalid_request", f"unknown parameters {sorted(extra)}")
        patient: str | None = PATIENT if "launch/patient" in words else None
        if "launch" in asked:
            patient = self.launches.pop(asked["launch"], None)
            need(patient, "invalid_request", "launch is unknown or used")
        scope = self.granted(asked["scope"])
        code = self._keep(Grant(scope, patient, challenge, asked.get("nonce", "")), 60)
        return f"{self.redirect_uri}?{urlencode({'code': code, 'state': asked['state']})}"

    def token(self, headers: Mapping[str, str], body: str) -> dict[str, Any]:
        """Return the token answer.

        Source: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-access-token
        """
        kind = headers.get("Content-Type", "").partition(";")[0]
        need(kind == "application/x-www-form-urlencoded", "invalid_request", "content type")
        form = once(body)
        self._check_client(headers.get("Authorization"), form)
        if form.get("grant_type") == "refresh_token":
            grant = self._take(form.get("refresh_token", ""))
            need("scope" not in form, "invalid_scope", "scope on refresh")
            return self._answer(grant, with_id_token=False)
        need(form.get("grant_type") == "authorization_code", "unsupported_grant_type", "grant_type")
        need(form.get("redirect_uri") == self.redirect_uri, "invalid_grant", "redirect_uri")
        verifier = form.get("code_verifier", "")
        need(re.fullmatch(r"[A-Za-z0-9._~-]{43,128}", verifier), "invalid_request", "verifier")
        grant = self._take(form.get("code", ""))
        hashed = b64(hashlib.sha256(verifier.encode()).digest())
        need(hashed == grant.challenge, "invalid_grant", "code_verifier")
        return self._answer(grant, with_id_token="openid" in grant.scope.split())

    def fhir(self, path: str, query: str, authorization: str | None) -> dict[str, Any]:
        """Return a resource or Bundle that the token's scopes and patient allow."""
        self.fhir_calls.append(path)
        if path == "metadata":
            return {"resourceType": "CapabilityStatement", "status": "active", "rest": []}
        match = re.fullmatch(r"Bearer ([A-Za-z0-9_-]+)", authorization or "")
        need(match, "invalid_token", "Authorization: Bearer", status=401)
        grant = self.kept.get(match[1]) if match else None
        if grant is None or grant.expires_at <= time.time():
            raise Refused(401, "invalid_token", "unknown or expired token")
        kind, _, resource_id = path.partition("/")
        own = path == f"Practitioner/{USER}" and "fhirUser" in grant.scope.split()
        letter = "r" if resource_id else "s"
        need(own or allows(grant.scope, kind, letter), "forbidden", f"scope {path}", status=403)
        if resource_id:
            found = self.resources.get(path)
            need(found is not None, "not-found", path, status=404)
            ours = own or owner(found or {}) == grant.patient
            need(ours or not self.guards_patients, "forbidden", path, status=403)
            return found or {}
        asked = once(query)
        patient = asked.get("patient", "").removeprefix("Patient/")
        need(patient == grant.patient, "forbidden", f"{kind} without the patient", status=403)
        entries = [
            {"resource": each, "search": {"mode": "match"}}
            for each in self.resources.values()
            if each["resourceType"] == kind and owner(each) == grant.patient
        ]
        return {"resourceType": "Bundle", "type": "searchset", "entry": entries}

    def _check_client(self, authorization: str | None, form: Mapping[str, str]) -> None:
        """Refuse a client that does not authenticate in exactly the way it registered."""
        wrong = ("invalid_client", "client authentication")
        if self.client_key is not None:
            need(authorization is None and "client_secret" not in form, *wrong, status=401)
            need(form.get("client_assertion_type") == ASSERTION_TYPE, *wrong, status=401)
            self._check_assertion(form.get("client_assertion", ""), self.client_key)
        elif self.secret is not None:
            pair = base64.b64encode(f"{self.client_id}:{self.secret}".encode()).decode()
            need(authorization == f"Basic {pair}", *wrong, status=401)
            need("client_secret" not in form, *wrong, status=401)
        else:
            need(authorization is None, *wrong, status=401)
            need(form.get("client_id") == self.client_id, *wrong, status=401)
            need(not form.keys() & {"client_secret", "client_assertion"}, *wrong, status=401)

    def _check_assertion(self, assertion: str, key: rsa.RSAPublicKey) -> None:
        """Refuse an assertion not as in client-confidential-asymmetric.html."""
        parts = assertion.split(".")
        need(len(parts) == 3, "invalid_client", "assertion", status=401)
        header, claims = (json.loads(unb64(part)) for part in parts[:2])
        signed = f"{parts[0]}.{parts[1]}".encode()
        try:
            key.verify(unb64(parts[2]), signed, padding.PKCS1v15(), SHA384())
        except InvalidSignature as error:
            raise Refused(401, "invalid_client", "assertion's signature") from error
        life_s = claims["exp"] - time.time()
        for holds, words in (
            (header.get("alg") == "RS384" and header.get("typ") == "JWT", "alg, typ"),
            (header.get("kid"), "kid"),
            (claims["iss"] == claims["sub"] == self.client_id, "iss, sub"),
            (claims["aud"] == f"{self.origin}/token", "aud"),
            (0 < life_s <= 300, "exp"),
            (claims["jti"] not in self.used_jti, "jti used"),
        ):
            need(holds, "invalid_client", f"assertion: {words}", status=401)
        self.used_jti.add(claims["jti"])

    def _answer(self, grant: Grant, *, with_id_token: bool) -> dict[str, Any]:
        life_s = self.life_s if isinstance(self.life_s, int) else 3600
        body: dict[str, Any] = {
            "access_token": self._keep(Grant(grant.scope, grant.patient), life_s),
            "token_type": "Bearer",
            "expires_in": self.life_s,
            "scope": grant.scope,
            "need_patient_banner": True,
        }
        if grant.patient is not None:
            body["patient"] = grant.patient
        if self.refreshes:
            body["refresh_token"] = self._keep(Grant(grant.scope, grant.patient), 86_400)
        if with_id_token:
            body["id_token"] = self._id_token(grant)
        return {**body, **self.more_token}

    def _id_token(self, grant: Grant) -> str:
        now = int(time.time())
        header = {"alg": "RS256", **({"kid": self._kid(0)} if self.with_kid else {})}
        claims: dict[str, object] = {
            "iss": self.iss,
            "sub": "user-1",
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": grant.nonce,
        }
        if "fhirUser" in grant.scope.split():
            claims["fhirUser"] = f"{self.iss.rstrip('/')}/Practitioner/{USER}"
        signed = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
        signature = self.keys[0].sign(signed.encode(), padding.PKCS1v15(), SHA256())
        return f"{signed}.{b64(signature)}"

    def _kid(self, number: int) -> str:
        modulus = self.keys[number].public_key().public_numbers().n
        return hashlib.sha256(str(modulus).encode()).hexdigest()[:8]

    def _keep(self, grant: Grant, life_s: float) -> str:
        name = secrets.token_urlsafe(24)
        grant.expires_at = time.time() + life_s
        self.kept[name] = grant
        self.issued.append(name)
        return name

    def _take(self, name: str) -> Grant:
        grant = self.kept.pop(name, None)
        if grant is None or grant.expires_at <= time.time():
            raise Refused(400, "invalid_grant", "unknown, used or expired code or refresh token")
        return grant


def new_key() -> rsa.RSAPrivateKey:
    """Return a key to sign with; one costs as much as many a test."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def once(text: str) -> dict[str, str]:
    """Return the parameters, each of which must stand there once, with a value."""
    pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text))
    names = [name for name, _ in pairs]
    need(len(names) == len(set(names)), "invalid_request", "a parameter is repeated")
    need(all(value for _, value in pairs), "invalid_request", "a parameter is empty")
    return dict(pairs)


def allows(scope: str, kind: str, letter: str) -> bool:
    """Tell whether a scope grants the interaction on the type."""
    matches = [_RESOURCE_SCOPE.fullmatch(word) for word in scope.split()]
    return any(
        match[1] in (kind, "*") and letter in _LETTERS.get(match[2], match[2])
        for match in matches
        if match is not None
    )


def owner(resource: Mapping[str, Any]) -> str | None:
    """Return the id of the patient that a resource is about."""
    if resource.get("resourceType") == "Patient":
        return str(resource["id"])
    reference = (resource.get("subject") or resource.get("patient") or {}).get("reference", "")
    return str(reference).removeprefix("Patient/") or None


@contextmanager
def running(ehr: StrictEhr) -> Iterator[StrictEhr]:
    """Serve the EHR on a free port, in threads, while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            self._do("")

        def do_POST(self) -> None:
            self._do(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())

        def _do(self, body: str) -> None:
            place = urlsplit(self.path)
            try:
                forbidden = any(name in place.query for name in ("access_token", *ehr.issued))
                need(not forbidden, "invalid_request", "a token or code in a URL")
                if (self.command, place.path) == ("GET", "/authorize"):
                    return self._send(303, {}, location=ehr.authorize(place.query))
                answer = self._answer(place.path, place.query, body)
            except Refused as refusal:
                ehr.refused.append(f"{self.command} {place.path}: {refusal.words}")
                return self._send(refusal.status, {"error": refusal.code})
            return self._send(200, answer)

        def _answer(self, path: str, query: str, body: str) -> dict[str, Any]:
            headers = dict(self.headers.items())
            if (self.command, path) == ("POST", "/token"):
                need(not query, "invalid_request", "query at the token endpoint")
                return ehr.token(headers, body)
            need(self.command == "GET", "invalid_request", "method", status=405)
            if path == "/fhir/.well-known/smart-configuration":
                return ehr.discovery()
            if path == "/keys":
                return ehr.jwks()
            match = re.fullmatch(r"/fhir/(metadata|[A-Z][A-Za-z]+(?:/[A-Za-z0-9.-]{1,64})?)", path)
            need(match, "not-found", "there is nothing there", status=404)
            return ehr.fhir(match[1] if match else "", query, self.headers.get("Authorization"))

        def _send(self, status: int, answer: object, *, location: str | None = None) -> None:
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("Pragma", "no-cache")
            if location is not None:
                self.send_header("Location", location)
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    ehr.origin = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield ehr
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
