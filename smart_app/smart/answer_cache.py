"""What an EHR says of itself, kept as long as it says: configuration and CapabilityStatement.

Kept in each worker's memory. An answer that fails replaces nothing: what was good before serves on
for a while. Source: https://www.rfc-editor.org/rfc/rfc9111#section-4.2
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Generic, TypeVar

from ivfhir.errors import BusyError, LaunchError, ServerError, UnauthorisedError

LONGEST_S = 3600
"""Seconds for which an answer holds at most, whatever the EHR says."""

STALE_S = 3600
"""Seconds for which an answer that is over serves on while the EHR does not give a good one."""

PAUSE_S = 30
"""Seconds for which an EHR that failed is not asked again."""

_MOST = 200

Value = TypeVar("Value")


@dataclass(frozen=True)
class Fresh(Generic[Value]):
    """What the EHR answered: the value, None when it is still the one of the ETag."""

    value: Value | None
    headers: Mapping[str, str]


@dataclass(frozen=True)
class _Kept(Generic[Value]):
    value: Value
    etag: str | None
    until: float
    ask_at: float


class AnswerCache(Generic[Value]):
    """Answers by key; safe for use by many threads.

    Args:
        clock_s: seconds since 1970.
        default_s: seconds for which an answer holds that does not say how long.
    """

    def __init__(self, *, clock_s: Callable[[], float], default_s: float) -> None:
        """Begin with none."""
        self._clock_s = clock_s
        self._default_s = default_s
        self._asked_at: dict[Hashable, float] = {}
        self._kept: OrderedDict[Hashable, _Kept[Value]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, fetch: Callable[[str | None], Fresh[Value]]) -> Value:
        """Return what holds for the key; `fetch`, given an ETag, asks the EHR when nothing does.

        Raises:
            LaunchError: what `fetch` raises, when nothing is kept that may serve on.
            ServerError: likewise; a refused token and a missing turn are always told.
        """
        with self._lock:
            kept = self._kept.get(key)
        now = self._clock_s()
        if kept is not None and now < kept.ask_at:
            return kept.value
        try:
            fresh = fetch(None if kept is None else kept.etag)
        except (UnauthorisedError, BusyError):
            raise
        except (LaunchError, ServerError):
            if kept is None or now >= kept.until + STALE_S:
                raise
            self._keep(key, replace(kept, ask_at=now + PAUSE_S))
            return kept.value
        value = fresh.value
        if value is None:
            if kept is None:
                raise ValueError("an answer that is unchanged needs an earlier one")
            value = kept.value
        lifetime_s = lifetime(fresh.headers, default_s=self._default_s, now=now)
        if lifetime_s is None:
            with self._lock:
                self._kept.pop(key, None)
        else:
            until = now + lifetime_s
            self._keep(key, _Kept(value, _header(fresh.headers, "etag") or None, until, until))
        return value

    def renew(
        self, key: Hashable, fetch: Callable[[str | None], Fresh[Value]], *, pause_s: float
    ) -> Value | None:
        """Return a newer answer than the one that is kept; None when it was asked for lately.

        Whoever makes the app want newer ones makes it ask once in `pause_s` seconds, no more.

        Raises:
            LaunchError: as for `get`.
            ServerError: as for `get`.
        """
        now = self._clock_s()
        with self._lock:
            if now < self._asked_at.get(key, -math.inf) + pause_s:
                return None
            self._asked_at = {
                each: asked_at
                for each, asked_at in self._asked_at.items()
                if now < asked_at + pause_s
            }
            self._asked_at[key] = now
            kept = self._kept.get(key)
            if kept is not None:
                self._kept[key] = replace(kept, ask_at=now)
        return self.get(key, fetch)

    def _keep(self, key: Hashable, kept: _Kept[Value]) -> None:
        with self._lock:
            self._kept[key] = kept
            self._kept.move_to_end(key)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)


def lifetime(headers: Mapping[str, str], *, default_s: float, now: float) -> float | None:
    """Return for how many seconds an answer holds; None when it must not be kept.

    Args:
        headers: those of the answer.
        default_s: what holds when it does not say.
        now: seconds since 1970.
    """
    words = [word.strip().lower() for word in _header(headers, "cache-control").split(",")]
    directives = dict(word.partition("=")[::2] for word in words if word)
    if "no-store" in directives:
        return None
    if "no-cache" in directives:
        return 0
    stated = _seconds(directives.get("max-age", "").strip('"'))
    if stated is not None:
        age = _seconds(_header(headers, "age")) or 0
        return max(0, min(stated - age, LONGEST_S))
    try:
        expires = parsedate_to_datetime(_header(headers, "expires")).timestamp()
    except (ValueError, OverflowError):
        return 0 if _header(headers, "expires") else min(default_s, LONGEST_S)
    return max(0, min(expires - now, LONGEST_S))


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for each, value in headers.items() if each.lower() == name), "")


def _seconds(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else None  # noqa: PLR2004 - longer than any life
