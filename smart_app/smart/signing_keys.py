"""The EHR's keys that sign its id_tokens: kept as long as it says, asked anew for an unknown one.

Source: https://openid.net/specs/openid-connect-core-1_0.html#RotateSigningKeys
"""

from collections.abc import Callable, Mapping
from typing import Any

from smart_app.smart.answer_cache import AnswerCache, Fresh
from smart_app.smart.discovery import SmartConfiguration, find_jwks_uri
from smart_app.smart.http import EhrHttp
from smart_app.smart.id_token import Identity, UnknownKeyError

ANEW_EVERY_S = 60
"""Seconds in which a process asks an EHR for newer keys at most once, whatever tokens name."""

KeySet = Mapping[str, Any]


class SigningKeys:
    """The key sets of EHRs in this process; safe for use by many threads.

    Args:
        http: the client to ask with.
        clock_s: seconds since 1970.
        default_s: seconds for which a key set holds whose answer does not say.
        allow_http: accept addresses on plain http (test networks).
    """

    def __init__(
        self, http: EhrHttp, *, clock_s: Callable[[], float], default_s: float, allow_http: bool
    ) -> None:
        """Begin with none."""
        self._http = http
        self._allow_http = allow_http
        self._kept: AnswerCache[KeySet] = AnswerCache(clock_s=clock_s, default_s=default_s)

    def verify(
        self, configuration: SmartConfiguration, check: Callable[[KeySet], Identity]
    ) -> Identity:
        """Return what `check` finds with the EHR's keys, newer ones when those at hand do not fit.

        Raises:
            LaunchError: no key fits, the keys cannot be had, or what `check` raises.
            ServerError: the EHR does not answer.
        """

        def ask(etag: str | None) -> Fresh[KeySet]:
            uri = find_jwks_uri(configuration, self._http, allow_http=self._allow_http)
            fetched = self._http.get_json_if_changed(uri, "its signing keys", etag=etag)
            return Fresh(fetched.body, fetched.headers)

        key = (configuration.issuer, configuration.jwks_uri)
        keys = self._kept.get(key, ask)
        try:
            return check(keys)
        except UnknownKeyError:
            newer = self._kept.renew(key, ask, pause_s=ANEW_EVERY_S)
            if newer is None or newer == keys:
                raise
            return check(newer)
