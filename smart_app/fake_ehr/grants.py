"""What the simulated EHR remembers, in memory: launches, requests, codes and tokens."""

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

CODE_LIFE_S = 60
LAUNCH_LIFE_S = 300

_T = TypeVar("_T")


@dataclass(frozen=True)
class Authorization:
    """An authorisation request that was accepted, and for whom."""

    client_id: str
    redirect_uri: str
    scope: str
    state: str
    code_challenge: str
    nonce: str | None
    patient: str | None
    user: str
    signed_in_at: int
    family: str = field(default_factory=lambda: secrets.token_hex(8))

    def for_user(self, user: str, *, signed_in_at: int) -> "Authorization":
        """Return the same authorisation, of a user who signed in then."""
        return replace(self, user=user, signed_in_at=signed_in_at)

    def for_patient(self, patient: str) -> "Authorization":
        """Return the same authorisation, for a patient."""
        return replace(self, patient=patient)


@dataclass(frozen=True)
class Access:
    """What an access token allows."""

    client_id: str
    scope: str
    patient: str | None
    family: str


@dataclass(frozen=True)
class LaunchContext:
    """What the EHR's launch button promised: the patient that was open, and who is signed in."""

    patient: str
    user: str


@dataclass(frozen=True)
class Waiting:
    """An authorisation request for which the user has yet to choose a patient."""

    authorization: Authorization


@dataclass(frozen=True)
class Refresh:
    """What a refresh token renews."""

    access: Access


class Grants:
    """Keeps each thing under a random name until its time is over; safe for use by many threads.

    Args:
        clock_s: seconds since 1970.
    """

    def __init__(self, clock_s: Callable[[], float] = time.time) -> None:
        """Begin with nothing."""
        self._clock_s = clock_s
        self._lock = threading.Lock()
        self._kept: dict[tuple[type, str], tuple[object, float]] = {}
        self._used_codes: dict[str, str] = {}

    def put(self, value: object, *, life_s: float) -> str:
        """Keep a value and return its new name."""
        name = secrets.token_urlsafe(24)
        with self._lock:
            now = self._clock_s()
            self._kept = {key: kept for key, kept in self._kept.items() if kept[1] > now}
            self._kept[type(value), name] = (value, now + life_s)
        return name

    def get(self, kind: type[_T], name: str) -> _T | None:
        """Return what is kept under a name; None when it is of another kind, unknown or over."""
        with self._lock:
            value, ends = self._kept.get((kind, name), (None, 0.0))
        return value if isinstance(value, kind) and ends > self._clock_s() else None

    def take(self, kind: type[_T], name: str) -> _T | None:
        """Return what is kept under a name, once."""
        with self._lock:
            value, ends = self._kept.pop((kind, name), (None, 0.0))
        return value if isinstance(value, kind) and ends > self._clock_s() else None

    def use_code(self, code: str) -> Authorization | None:
        """Return a code's authorisation, once; a second use ends what the first brought.

        Source: https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2
        """
        authorization = self.take(Authorization, code)
        if authorization is not None:
            self._used_codes[code] = authorization.family
        elif code in self._used_codes:
            self.revoke(self._used_codes[code])
        return authorization

    def revoke(self, family: str) -> None:
        """End every token that came from one authorisation."""
        with self._lock:
            self._kept = {
                key: kept
                for key, kept in self._kept.items()
                if getattr(getattr(kept[0], "access", kept[0]), "family", None) != family
            }


def narrowed(access: Access, scope: str | None) -> Access | None:
    """Return the access with fewer scopes, None when more are asked for than were granted."""
    if scope is None:
        return access
    granted = set(access.scope.split())
    return replace(access, scope=scope) if set(scope.split()) <= granted else None
