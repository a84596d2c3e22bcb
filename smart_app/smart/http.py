"""Calls to an EHR's configuration, key and token endpoints: JSON, limited in time, size and depth.

Redirects are not followed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from ivfhir.errors import InputError, LaunchError, ServerError, ThrottledError, UnreachableError
from ivfhir.fhir.json import loads
from ivfhir.servers.http_errors import retry_after_s
from ivfhir.servers.transport import Answer, TooLargeError, TooLateError, exchange, watched_session

_TOO_LARGE = 1_000_000
_NOT_MODIFIED = 304


@dataclass(frozen=True)
class Fetched:
    """An answer to a question with an ETag: the object, None when it is still the same."""

    body: dict[str, Any] | None
    headers: Mapping[str, str]


@dataclass(frozen=True)
class EhrHttp:
    """An HTTP client for the endpoints of the sign-in.

    Args:
        timeout_s: seconds until the last byte of an answer.
        ca_file: certificates to trust, None for the public ones.
    """

    timeout_s: float
    ca_file: str | None = None

    def get_json(self, url: str, what: str) -> dict[str, Any]:
        """Return the JSON object at the URL; `what` names it in the error's words.

        Raises:
            UnreachableError: no answer.
            LaunchError: a redirect, another status than 200, or not a JSON object.
        """
        return _json_object(_good(self._send("GET", url, what), what), what)

    def get_json_if_changed(self, url: str, what: str, *, etag: str | None) -> Fetched:
        """Return the JSON object at the URL, unless it is still the one of that ETag.

        Raises:
            UnreachableError: no answer.
            LaunchError: as for `get_json`.
        """
        headers = {} if etag is None else {"If-None-Match": etag}
        answer = self._send("GET", url, what, headers=headers)
        if etag is not None and answer.status_code == _NOT_MODIFIED:
            return Fetched(None, answer.headers)
        return Fetched(_json_object(_good(answer, what), what), answer.headers)

    def post_form(
        self, url: str, form: Mapping[str, str], what: str, *, auth: tuple[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """POST a form and return the status and the JSON object of the answer.

        Raises:
            UnreachableError: no answer.
            ThrottledError: too many requests (429).
            ServerError: a server's fault (5xx).
            LaunchError: a redirect, or not a JSON object.
        """
        answer = self._send("POST", url, what, data=dict(form), auth=auth)
        if answer.status_code == requests.codes.too_many_requests:
            raise ThrottledError(
                f"The EHR's own sign-in is too busy to give {what} (429). Wait a little and try "
                "again.",
                retry_after_s=retry_after_s(answer),
            )
        if answer.status_code >= requests.codes.server_error:
            raise ServerError(
                f"The EHR's own sign-in failed ({answer.status_code}) when asked for {what}. "
                "Open the app again in a minute; if it stays so, tell your EHR administrator.",
                status=answer.status_code,
            )
        return answer.status_code, _json_object(answer, what)

    def post_for_status(
        self, url: str, form: Mapping[str, str], what: str, *, auth: tuple[str, str] | None = None
    ) -> int:
        """POST a form and return the status of the answer, whatever is in it.

        Raises:
            UnreachableError: no answer.
            LaunchError: a redirect.
        """
        return self._send("POST", url, what, data=dict(form), auth=auth).status_code

    def _send(
        self,
        method: str,
        url: str,
        what: str,
        *,
        headers: Mapping[str, str] | None = None,
        data: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> Answer:
        try:
            with watched_session() as session:
                answer = exchange(
                    session,
                    method,
                    url,
                    within_s=self.timeout_s,
                    most_bytes=_TOO_LARGE,
                    headers={"Accept": "application/json", **(headers or {})},
                    timeout=self.timeout_s,
                    verify=self.ca_file or True,
                    data=data,
                    auth=auth or _as_it_is,
                )
        except requests.exceptions.SSLError as error:
            raise UnreachableError(
                f"The EHR's certificate is not trusted, so {what} was not asked for."
            ) from error
        except (requests.RequestException, TooLateError) as error:
            raise UnreachableError(
                f"The EHR did not answer when asked for {what}. Open the app again in a minute; if "
                "it stays so, tell your EHR administrator."
            ) from error
        except TooLargeError:
            answer = None
        if answer is None or answer.is_redirect:
            raise LaunchError(
                f"The EHR sent us elsewhere, or too much, when asked for {what}. The sign-in "
                "stopped."
            )
        return answer


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Add no credentials: without this, those of a .netrc file would be sent."""
    return request


def _good(answer: Answer, what: str) -> Answer:
    if answer.status_code != requests.codes.ok:
        raise LaunchError(
            f"The EHR answered {answer.status_code} when asked for {what}. The sign-in stopped."
        )
    return answer


def _json_object(answer: Answer, what: str) -> dict[str, Any]:
    try:
        body = loads(answer.content.decode("utf-8-sig"), place="the answer")
    except (UnicodeDecodeError, InputError) as error:
        raise LaunchError(
            f"The EHR answered with something else than JSON when asked for {what}."
        ) from error
    if not isinstance(body, dict):
        raise LaunchError(
            f"The EHR answered with something else than a JSON object when asked for {what}."
        )
    return body
