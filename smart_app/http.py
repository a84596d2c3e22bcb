"""Calls to an EHR's configuration, key and token endpoints: JSON, one time limit, no redirects."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests

from ivfhir.errors import LaunchError, ServerError, UnreachableError

_TOO_LARGE = 1_000_000


@dataclass(frozen=True)
class EhrHttp:
    """An HTTP client for the endpoints of the sign-in.

    Args:
        timeout_s: seconds to wait for the connection, and for each part of the answer.
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
        response = self._send("GET", url, what)
        if response.status_code != requests.codes.ok:
            raise LaunchError(
                f"The EHR answered {response.status_code} when asked for {what}. The sign-in "
                "stopped."
            )
        return _json_object(response, what)

    def post_form(
        self, url: str, form: Mapping[str, str], what: str, *, auth: tuple[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """POST a form and return the status and the JSON object of the answer.

        Raises:
            UnreachableError: no answer.
            ServerError: a server's fault (5xx).
            LaunchError: a redirect, or not a JSON object.
        """
        response = self._send("POST", url, what, data=dict(form), auth=auth)
        if response.status_code >= requests.codes.server_error:
            raise ServerError(
                f"The EHR's own sign-in failed ({response.status_code}) when asked for {what}. "
                "Open the app again in a minute; if it stays so, tell your EHR administrator.",
                status=response.status_code,
            )
        return response.status_code, _json_object(response, what)

    def _send(
        self,
        method: str,
        url: str,
        what: str,
        data: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
    ) -> requests.Response:
        try:
            response = requests.request(
                method,
                url,
                headers={"Accept": "application/json"},
                timeout=self.timeout_s,
                verify=self.ca_file or True,
                allow_redirects=False,
                data=data,
                auth=auth or _as_it_is,
            )
        except requests.exceptions.SSLError as error:
            raise UnreachableError(
                f"The EHR's certificate is not trusted, so {what} was not asked for."
            ) from error
        except requests.RequestException as error:
            raise UnreachableError(
                f"The EHR did not answer when asked for {what}. Open the app again in a minute; if "
                "it stays so, tell your EHR administrator."
            ) from error
        if response.is_redirect or len(response.content) > _TOO_LARGE:
            raise LaunchError(
                f"The EHR sent us elsewhere, or too much, when asked for {what}. The sign-in "
                "stopped."
            )
        return response


def _as_it_is(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Add no credentials: without this, those of a .netrc file would be sent."""
    return request


def _json_object(response: requests.Response, what: str) -> dict[str, Any]:
    try:
        body = response.json()
    except ValueError as error:
        raise LaunchError(
            f"The EHR answered with something else than JSON when asked for {what}."
        ) from error
    if not isinstance(body, dict):
        raise LaunchError(
            f"The EHR answered with something else than a JSON object when asked for {what}."
        )
    return body
