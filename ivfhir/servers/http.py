"""A FHIR server over HTTP as a repository: http://hl7.org/fhir/R4/http.html."""

import time
from collections.abc import Callable, Mapping
from urllib.parse import urljoin, urlsplit

import requests

from ivfhir.errors import (
    BadAnswerError,
    IncompleteError,
    InputError,
    RejectedError,
    ServerError,
    UnauthorisedError,
    UnreachableError,
    UsageError,
)
from ivfhir.fhir.bundles import is_failure, lacking, links_of, search_mode
from ivfhir.fhir.json import dumps, loads
from ivfhir.fhir.types import BUNDLE, Json, Resource
from ivfhir.servers.http_errors import error_of, retry_after_s

FHIR_JSON = "application/fhir+json"
PAGE_SIZE = 200
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
MAX_PAGES = 1000
MAX_TRIES = 3
LONGEST_PAUSE_S = 10.0
_BUSY = {429, 503}


class HttpRepository:
    """A FHIR server.

    Only GET requests are sent again, and only when the server is busy (429, 503). The token goes to
    the server's own origin alone, and stands in no message. Redirects are not followed.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        read_timeout_s: float = READ_TIMEOUT_S,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Remember the server; nothing is sent yet.

        Args:
            base_url: `https://host/path`, to which `/Patient/…` is added.
            token: OAuth bearer token, None for an open server.
            read_timeout_s: seconds to wait for each answer.
            session: connections to use; a new one by default.
            sleep: waits for so many seconds.

        Raises:
            UsageError: `base_url` is no http address, or the token cannot be one.
        """
        self._base = base_url.rstrip("/") + "/"
        self._origin = _origin(base_url)
        scheme, host, _ = self._origin
        if scheme not in {"http", "https"} or not host:
            raise UsageError("The server's address must be http://host/… or https://host/….")
        if token is not None and not (token.isascii() and token.isprintable()):
            raise UsageError("The access token holds characters that no token has; copy it again.")
        self._timeout = (min(CONNECT_TIMEOUT_S, read_timeout_s), read_timeout_s)
        self._session = session or requests.Session()
        self._session.auth = _Bearer(token)
        self._sleep = sleep

    def read(self, resource_type: str, resource_id: str) -> Resource:
        """Return the resource, as stored.

        Raises:
            NotFoundError: there is none of that type and id.
            BadAnswerError: the answer is another resource.
        """
        resource = self._get(f"{self._base}{resource_type}/{resource_id}", what=resource_type)
        if (resource["resourceType"], resource.get("id")) != (resource_type, resource_id):
            raise BadAnswerError(
                f"The server answered the request for a {resource_type} with another resource; "
                "check its address."
            )
        return resource

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """Return every match once, all pages read to the last.

        Raises:
            IncompleteError: a later page failed, leads elsewhere or comes round again.
            UnauthorisedError: the token expired on the way.
            ServerError: the first page failed.
        """
        query = {"_count": str(PAGE_SIZE), **params}
        page = self._get(f"{self._base}{resource_type}", what=resource_type, params=query)
        pages = [_search_page(page, resource_type)]
        seen: set[str] = set()
        while (url := self._next(page, resource_type, seen)) is not None:
            try:
                page = self._get(url, what=resource_type)
                pages.append(_search_page(page, resource_type))
            except UnauthorisedError:
                raise
            except ServerError as error:
                raise IncompleteError(
                    f"A later page of the search for {resource_type} failed: {error.message}",
                    outcome=error.outcome,
                ) from error
        if lacking(pages):
            raise IncompleteError(
                f"The server says that it has more {resource_type} resources than it sent."
            )
        entries = [entry for page in pages for entry in page["entry"]]
        found: dict[object, Resource] = {}
        for number, entry in enumerate(entries):
            resource = entry["resource"]
            if search_mode(entry) == "match" and resource["resourceType"] == resource_type:
                found[resource.get("id", number)] = resource
        return list(found.values())

    def transact(self, bundle: Resource) -> Resource:
        """Send a transaction Bundle and return the transaction-response."""
        answer = self._post(self._base.rstrip("/"), bundle, what=BUNDLE)
        if answer["resourceType"] != BUNDLE:
            raise BadAnswerError(
                "The server answered a transaction with no Bundle; nothing is known."
            )
        return answer

    def operation(self, path: str, parameters: Resource) -> Resource:
        """POST a Parameters (or other) resource to `[base]/path` and return the answer."""
        return self._post(self._base + path, parameters, what=path)

    def capabilities(self) -> Resource:
        """Return the CapabilityStatement."""
        return self._get(f"{self._base}metadata", what="CapabilityStatement")

    def _next(self, page: Resource, resource_type: str, seen: set[str]) -> str | None:
        """Return the address of the next page, None after the last."""
        link = links_of(page).get("next")
        if link is None:
            return None
        url = _joined(self._base, link)
        if _origin(url) != self._origin:
            raise IncompleteError(
                f"The next page of the search for {resource_type} is on another server, which is "
                "not asked; tell the server's operator to mend its base address."
            )
        if url in seen or len(seen) >= MAX_PAGES:
            raise IncompleteError(
                f"The search for {resource_type} comes to no end: its pages repeat; "
                "tell the server's operator."
            )
        seen.add(url)
        return url

    def _get(self, url: str, *, what: str, params: Mapping[str, str] | None = None) -> Resource:
        for tries_left in reversed(range(MAX_TRIES)):
            response = self._send("GET", url, what=what, params=params)
            try:
                return _resource(response, what)
            except ServerError:
                pause_s = _pause_s(response, MAX_TRIES - tries_left)
                if not tries_left or response.status_code not in _BUSY or pause_s is None:
                    raise
                self._sleep(pause_s)
        raise AssertionError("the last try returns or raises")

    def _post(self, url: str, resource: Resource, *, what: str) -> Resource:
        return _resource(self._send("POST", url, what=what, body=resource), what)

    def _send(
        self,
        method: str,
        url: str,
        *,
        what: str,
        params: Mapping[str, str] | None = None,
        body: Resource | None = None,
    ) -> requests.Response:
        # A server may answer a repeated search from its cache (HAPI does, for a minute); what is
        # read again must be what is there now.
        headers = {"Accept": FHIR_JSON, "Cache-Control": "no-cache"}
        if body is not None:
            headers |= {"Content-Type": FHIR_JSON, "Prefer": "return=representation"}
        try:
            return self._session.request(
                method,
                url,
                params=params,
                data=None if body is None else dumps(body).encode(),
                headers=headers,
                timeout=self._timeout,
                allow_redirects=False,
            )
        except requests.Timeout:
            raise UnreachableError(
                f"The server did not answer in time (asked for {what}); try again."
            ) from None
        except requests.exceptions.SSLError:
            raise UnreachableError(
                "The server's certificate is not trusted; check its address, or set "
                "REQUESTS_CA_BUNDLE to the authority that signed it."
            ) from None
        except requests.RequestException:
            raise UnreachableError(
                f"The server at {urlsplit(url).hostname} cannot be reached (asked for {what}); "
                "check its address and the network, then try again."
            ) from None


class _Bearer(requests.auth.AuthBase):
    """Adds the token, and keeps requests from taking another one out of a .netrc file."""

    def __init__(self, token: str | None) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def _joined(base: str, link: str) -> str:
    try:
        return urljoin(base, link)
    except ValueError:
        return ""


def _origin(url: str) -> tuple[str, str | None, int | None]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return "", None, None
    return parts.scheme, parts.hostname, port


def _resource(response: requests.Response, what: str) -> Resource:
    """Return the resource in the answer.

    Raises:
        ServerError: the status says so, or the body is no FHIR resource.
    """
    try:
        body = loads(response.content.decode("utf-8-sig"), place="The server's answer")
    except (UnicodeDecodeError, InputError):
        body = None
    resource = body if isinstance(body, dict) and _is_resource(body) else None
    if not response.ok or response.is_redirect:
        raise error_of(response, what, outcome=resource)
    if resource is None:
        raise BadAnswerError(
            f"The server's answer (asked for {what}) is not FHIR JSON; check that the address is "
            "that of a FHIR R4 server.",
            status=response.status_code,
        )
    return resource


def _search_page(page: Resource, resource_type: str) -> Resource:
    """Return one page of a search, seen to be sound: `entry` is there, each with a resource.

    Raises:
        RejectedError: it is an OperationOutcome.
        IncompleteError: it says that the search failed in part.
        BadAnswerError: it is no such Bundle.
    """
    if is_failure(page):
        raise RejectedError(
            f"The server refused the search for {resource_type}; read its outcome.", outcome=page
        )
    entries = page.get("entry", [])
    resources = [
        entry.get("resource") if isinstance(entry, dict) else None
        for entry in (entries if isinstance(entries, list) else [None])
    ]
    if page["resourceType"] != BUNDLE or not all(_is_resource(resource) for resource in resources):
        raise BadAnswerError(
            f"The server answered the search for {resource_type} with something else than a Bundle "
            "of resources; check its address."
        )
    for resource in resources:
        if resource is not None and is_failure(resource):
            raise IncompleteError(
                f"The server says that its search for {resource_type} failed in part.",
                outcome=resource,
            )
    return {**page, "entry": entries}


def _is_resource(body: Json) -> bool:
    return isinstance(body, dict) and isinstance(body.get("resourceType"), str)


def _pause_s(response: requests.Response, attempt: int) -> float | None:
    """Return the seconds to wait before asking again; None when the server asks for too many."""
    asked_s = retry_after_s(response)
    pause_s = asked_s if asked_s is not None else 0.5 * 2**attempt
    return pause_s if pause_s <= LONGEST_PAUSE_S else None
