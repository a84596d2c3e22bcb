"""Faults on demand: what a launch, a sign-in or a FHIR request shall fail with, and how often."""

import re
import threading
from dataclasses import dataclass

from ivfhir.errors import ParameterError

SIGN_IN_FAULTS = {
    "deny": "the user refuses access",
    "wrong-issuer": "the answer names another issuer (RFC 9207)",
    "token-refused": "the token endpoint refuses the code",
    "token-500": "the token endpoint fails",
    "token-html": "the token endpoint answers with a web page",
    "token-429": "the token endpoint is asked too often, try again after 7 s",
    "token-busy": "the token endpoint says temporarily_unavailable with status 400",
    "token-empty": "the token endpoint answers with an object that holds nothing",
    "no-id-token": "no id_token",
    "unsigned-id-token": "id_token with alg none",
    "foreign-id-token": "id_token signed with a key that is not published",
    "hmac-id-token": "id_token signed with HS256 and the public key",
    "expired-id-token": "id_token that expired an hour ago",
    "wrong-nonce": "id_token of another sign-in",
    "wrong-audience": "id_token for another app",
    "wrong-id-issuer": "id_token of another issuer",
    "missing-patient": "no patient in the launch context",
    "other-patient": "another patient than the one chosen",
    "patient-user": "the user is a patient",
    "read-only": "no scope to write is granted",
    "no-update": "no scope to change what is there is granted (scopes of version 2)",
    "no-allergies": "no scope for AllergyIntolerance is granted",
    "no-audit": "no scope for AuditEvent is granted (by an EHR that grants it otherwise)",
    "unnamed-audit": "the SMART configuration does not name the scope for AuditEvent",
    "short-token": "the access token lives 5 seconds",
    "no-refresh": "no refresh token",
    "old-sign-in": "the user signed in two hours ago and is not asked anew",
    "no-auth-time": "id_token that does not say when the user signed in",
    "revocation-500": "the revocation endpoint fails",
}

FHIR_FAULTS = {
    "status-401": "401: the token is not accepted",
    "status-403": "403: not allowed",
    "status-409": "409: conflict",
    "status-412": "412: precondition failed",
    "status-429": "429: too many requests, try again after 1 s",
    "status-500": "500: the server failed",
    "status-503": "503: the server is busy",
    "outcome": "200 with an OperationOutcome instead of what was asked for",
    "html": "200 with a web page",
    "drop-before": "the connection breaks before the server hears of it",
    "drop-after": "the server does it, and the connection breaks before it answers",
    "no-audit-create": "no word in the CapabilityStatement of creating AuditEvents",
    "slow": "the server hears of it 3 s late",
    "slow-after": "the server does it, and its answer comes 3 s late",
}

_NAMES = SIGN_IN_FAULTS | FHIR_FAULTS


@dataclass
class Fault:
    """One fault to come.

    Args:
        name: a key of `SIGN_IN_FAULTS` or `FHIR_FAULTS`.
        times: how often it still happens; None for always.
        skip: how many matching requests pass first.
        method: the HTTP method it is for; None for each.
        path: a regular expression that the path below the FHIR base must match from its start; ""
            for each.
    """

    name: str
    times: int | None = None
    skip: int = 0
    method: str | None = None
    path: str = ""

    def __post_init__(self) -> None:
        """Refuse a fault that does not exist."""
        if self.name not in _NAMES:
            raise ParameterError(f"There is no fault {self.name}; there are {', '.join(_NAMES)}.")
        try:
            re.compile(self.path)
        except re.error as error:
            raise ParameterError("The fault's path is no regular expression.") from error


class Faults:
    """The faults to come; safe for use by many threads."""

    def __init__(self) -> None:
        """Begin with none."""
        self._lock = threading.Lock()
        self._faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let a fault happen."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Let no fault happen any more."""
        with self._lock:
            self._faults.clear()

    def listed(self) -> list[Fault]:
        """Return the faults to come."""
        with self._lock:
            return list(self._faults)

    def hits(self, name: str) -> bool:
        """Tell whether this fault of the sign-in happens now, and count it."""
        return self._take([name], None, "") is not None

    def on_request(self, method: str, path: str) -> str | None:
        """Return the FHIR fault that happens to this request, and count it; None for none."""
        return self._take(FHIR_FAULTS, method, path)

    def _take(
        self, names: "list[str] | dict[str, str]", method: str | None, path: str
    ) -> str | None:
        with self._lock:
            for fault in self._faults:
                if (
                    fault.name not in names
                    or fault.method not in (None, method)
                    or not re.match(fault.path, path)
                ):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.times is not None:
                    fault.times -= 1
                    if not fault.times:
                        self._faults.remove(fault)
                return fault.name
        return None
