"""A FHIR server over HTTP as a repository: http://hl7.org/fhir/R4/http.html."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests

from ivfhir.errors import (
    BadAnswerError,
    IncompleteError,
    ServerError,
    TokenRenewedError,
    UnauthorisedError,
    UnreachableError,
    UsageError,
)
from ivfhir.fhir.bundles import is_failure, lacking, links_of, search_mode
from ivfhir.fhir.json import dumps
from ivfhir.fhir.references import parse_literal
from ivfhir.fhir.types import BUNDLE, Resource
from ivfhir.servers.answers import resource_in, search_page
from ivfhir.servers.base_address import BaseAddress
from ivfhir.servers.http_errors import error_of, retry_after_s
from ivfhir.servers.limits import MEBIBYTE, Allowance, Limits
from ivfhir.servers.transport import Answer, TooLargeError, TooLateError, exchange, watched_session

FHIR_JSON = "application/fhir+json"
PAGE_SIZE = 200
CONNECT_TIMEOUT_S = 10.0
READ_TIMEOUT_S = 60.0
MAX_TRIES = 3
LONGEST_PAUSE_S = 10.0
_BUSY = {429, 503}
_NOT_MODIFIED = 304
_OF_KNOWN = {"_id", "_elements"}
"""Parameters of a search by who knows the resources, and asks whether they are as they were."""

_UNKEPT = {"Cache-Control": "no-cache, no-store"}
"""Asks a server not to keep the result of a search for pages to come. HAPI writes each result that
it keeps into its database, which takes as long as the search; of one that it does not keep it may
show a part and call that all."""


@dataclass(frozen=True)
class Statement:
    """An answer to the question for the CapabilityStatement.

    Attributes:
        resource: the statement; None when it is still the one that was asked with `etag`.
        headers: those of the answer: how long it holds, and its ETag.
    """

    resource: Resource | None
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Stored:
    """What became of a single write.

    Attributes:
        reference: where the resource is, `Type/id`.
        created: it was not there before.
    """

    reference: str
    created: bool


class HttpRepository:
    """A FHIR server.

    Only GET requests are sent again: when the server is busy (429, 503), and once when it no longer
    takes the token and there is another. The token goes to addresses below the server's base alone,
    and stands in no message. Redirects are not followed. What a server may answer is limited.
    """

    def __init__(
        self,
        base_url: str,
        *,
        token: str | None = None,
        read_timeout_s: float = READ_TIMEOUT_S,
        session: requests.Session | None = None,
        sleep: Callable[[float], None] = time.sleep,
        limits: Limits | None = None,
        renew: Callable[[str], str | None] | None = None,
        before: Callable[[], None] | None = None,
        prefer: str = "representation",
    ) -> None:
        """Remember the server; nothing is sent yet.

        Args:
            base_url: `https://host/path`, to which `/Patient/…` is added.
            token: OAuth bearer token, None for an open server.
            read_timeout_s: seconds to wait for each answer.
            session: connections to use; a new one by default.
            sleep: waits for so many seconds.
            limits: what the server may answer, over the life of this object.
            renew: given a token that the server no longer takes, returns another, None for none.
            before: called before each request; what it raises keeps the request from being sent.
            prefer: what the answer to a write shall hold: "representation" or "minimal".

        Raises:
            UsageError: `base_url` is no http address, or the token cannot be one.
        """
        self._base = BaseAddress(base_url)
        self._timeout_s = read_timeout_s
        self._session = watched_session(session)
        self._session.auth = self._bearer = _Bearer(self._base, token)
        self._sleep = sleep
        self._allowance = Allowance(limits or Limits())
        self._renew = renew
        self._before = before or (lambda: None)
        self._prefer = f"return={prefer}"

    def read(self, resource_type: str, resource_id: str) -> Resource:
        """Return the resource, as stored.

        Raises:
            NotFoundError: there is none of that type and id.
            BadAnswerError: the answer is another resource.
        """
        resource = self._get(f"{self._base.url}{resource_type}/{resource_id}", what=resource_type)
        if (resource["resourceType"], resource.get("id")) != (resource_type, resource_id):
            raise BadAnswerError(
                f"The server answered the request for a {resource_type} with another resource; "
                "check its address."
            )
        return resource

    def read_text(self, resource_type: str, resource_id: str) -> str:
        """Return the resource as the server wrote it, for who judges the JSON itself.

        Raises:
            NotFoundError: there is none of that type and id.
            BadAnswerError: the answer is no FHIR JSON.
        """
        url = f"{self._base.url}{resource_type}/{resource_id}"
        answer, resource = self._ask(url, what=resource_type)
        if resource is None:
            raise BadAnswerError(f"The server says that the {resource_type} is unchanged.")
        return answer.content.decode("utf-8-sig")

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """Return every match once, all pages read to the last.

        Raises:
            IncompleteError: a later page failed, leads elsewhere or comes round again.
            UnauthorisedError: the token expired on the way.
            ServerError: the first page failed.
        """
        query = {"_count": str(PAGE_SIZE), **params}
        if params.keys() == _OF_KNOWN:
            with suppress(IncompleteError):
                found = self._matches(resource_type, query, headers=_UNKEPT)
                if found.keys() == set(params["_id"].split(",")):
                    return list(found.values())
        return list(self._matches(resource_type, query).values())

    def _matches(
        self,
        resource_type: str,
        query: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
    ) -> dict[object, Resource]:
        """Return every match of a search by its id, all pages read to the last."""
        address = f"{self._base.url}{resource_type}"
        page = self._get(address, what=resource_type, params=query, headers=headers)
        pages = [self._search_page(page, resource_type)]
        seen: set[str] = set()
        while (url := self._next(page, resource_type, seen)) is not None:
            try:
                page = self._get(url, what=resource_type)
                pages.append(self._search_page(page, resource_type))
            except (UnauthorisedError, IncompleteError):
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
        return found

    def transact(self, bundle: Resource, *, prefer: str | None = None) -> Resource:
        """Send a transaction Bundle and return the transaction-response.

        Args:
            bundle: the transaction.
            prefer: what the answer shall hold: "representation" or "minimal"; None for what holds
                for every write.
        """
        headers = {} if prefer is None else {"Prefer": f"return={prefer}"}
        answer = self._post(self._base.url.rstrip("/"), bundle, headers, what=BUNDLE)
        if answer["resourceType"] != BUNDLE:
            raise BadAnswerError(
                "The server answered a transaction with no Bundle; nothing is known."
            )
        return answer

    def create_once(self, resource: Resource, *, if_none_exist: str) -> None:
        """Create a resource unless a search finds one: http://hl7.org/fhir/R4/http.html#ccreate.

        Args:
            resource: the resource; its id is the server's to give.
            if_none_exist: the search, as the query of a URL.

        Raises:
            ServerError: it is not known to be there.
        """
        what = resource["resourceType"]
        url, headers = f"{self._base.url}{what}", {"If-None-Exist": if_none_exist}
        answer = self._send("POST", url, what=what, body=resource, headers=headers)
        if answer.status_code == requests.codes.created:
            return
        if answer.status_code == requests.codes.precondition_failed:
            return  # There are several: an earlier request, and one like it, came through.
        found = self._resource(answer, what)
        if found["resourceType"] != what and is_failure(found):
            raise BadAnswerError(f"The server answered the creation of {what} with a failure.")

    def create(self, resource: Resource, *, if_none_exist: str | None = None) -> Stored:
        """Create one resource and return where it is: http://hl7.org/fhir/R4/http.html#create.

        Args:
            resource: the resource; its id is the server's to give.
            if_none_exist: a search, as the query of a URL: what it finds is taken instead.

        Raises:
            VersionConflictError: the search finds several (412).
            ServerError: it is not known to be there.
        """
        what = resource["resourceType"]
        headers = {} if if_none_exist is None else {"If-None-Exist": if_none_exist}
        answer = self._write("POST", f"{self._base.url}{what}", resource, headers)
        created = if_none_exist is None or answer.status_code == requests.codes.created
        return self._stored(answer, resource, created=created)

    def update(self, resource: Resource, *, if_match: str | None = None) -> Stored:
        """Replace one resource, only while it has that version where one is given.

        Args:
            resource: with its id.
            if_match: the version's id, without `W/""`.

        Raises:
            VersionConflictError: the server holds another version.
            ServerError: it is not known whether it was replaced.
        """
        headers = {} if if_match is None else {"If-Match": f'W/"{if_match}"'}
        url = f"{self._base.url}{resource['resourceType']}/{resource['id']}"
        answer = self._write("PUT", url, resource, headers)
        created = answer.status_code == requests.codes.created
        return self._stored(answer, resource, created=created, at=resource["id"])

    def _stored(
        self, answer: Answer, sent: Resource, *, created: bool, at: str | None = None
    ) -> Stored:
        """Return where a single write went, from the body, the Location or the id it was put at."""
        what = sent["resourceType"]
        body = self._resource(answer, what) if answer.content.strip() else None
        if body is not None and body["resourceType"] != what and is_failure(body):
            raise BadAnswerError(f"The server answered the write of {what} with a failure.")
        literal = parse_literal(answer.headers.get("Location", ""))
        if body is not None and body["resourceType"] == what and isinstance(body.get("id"), str):
            return Stored(f"{what}/{body['id']}", created)
        if literal is not None and literal.key.resource_type == what:
            return Stored(str(literal.key), created)
        if not answer.ok:
            raise error_of(answer, what, outcome=body)
        if at is not None:
            return Stored(f"{what}/{at}", created)
        raise BadAnswerError(f"The server does not say where it put the {what}; look for it.")

    def operation(self, path: str, parameters: Resource) -> Resource:
        """POST a Parameters (or other) resource to `[base]/path` and return the answer."""
        return self._post(self._base.url + path, parameters, what=path)

    def capabilities(self) -> Resource:
        """Return the CapabilityStatement."""
        resource = self.statement().resource
        if resource is None:
            raise BadAnswerError("The server says that its CapabilityStatement is unchanged.")
        return resource

    def statement(self, *, etag: str | None = None) -> Statement:
        """Return the CapabilityStatement, unless it is still the one of that ETag."""
        address, what = f"{self._base.url}metadata", "CapabilityStatement"
        headers = {} if etag is None else {"If-None-Match": etag}
        answer, resource = self._ask(address, what=what, headers=headers)
        if resource is None and etag is None:
            raise BadAnswerError("The server says that its CapabilityStatement is unchanged.")
        return Statement(resource, answer.headers)

    def _next(self, page: Resource, resource_type: str, seen: set[str]) -> str | None:
        """Return the address of the next page, None after the last."""
        link = links_of(page).get("next")
        if link is None:
            return None
        url = self._base.join(link)
        if url is None or not self._base.same_origin(url):
            raise IncompleteError(
                f"The next page of the search for {resource_type} is on another server, which is "
                "not asked; tell the server's operator to mend its base address."
            )
        if not self._base.holds(url):
            raise IncompleteError(
                f"The next page of the search for {resource_type} is not below the FHIR address "
                "that the access is for, so it is not asked for; tell the server's operator to "
                "mend its base address."
            )
        if url in seen:
            raise IncompleteError(
                f"The search for {resource_type} comes to no end: its pages repeat; "
                "tell the server's operator."
            )
        seen.add(url)
        return url

    def _search_page(self, page: Resource, resource_type: str) -> Resource:
        sound = search_page(page, resource_type)
        self._allowance.use_page(len(sound["entry"]), resource_type)
        return sound

    def _get(
        self,
        url: str,
        *,
        what: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Resource:
        _, resource = self._ask(url, what=what, params=params, headers=headers)
        if resource is None:
            raise BadAnswerError(f"The server says that the {what} is unchanged; nobody asked so.")
        return resource

    def _ask(
        self,
        url: str,
        *,
        what: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[Answer, Resource | None]:
        """Return the answer to a GET and the resource in it; None when it is not modified (304)."""
        renewed, tries = False, 0
        while True:
            answer = self._send("GET", url, what=what, params=params, headers=headers)
            if answer.status_code == _NOT_MODIFIED:
                return answer, None
            try:
                return answer, self._resource(answer, what)
            except UnauthorisedError:
                if renewed or not self._renewed():
                    raise
                renewed = True
            except ServerError:
                tries += 1
                pause_s = _pause_s(answer, tries)
                if tries == MAX_TRIES or answer.status_code not in _BUSY or pause_s is None:
                    raise
                left_s = self._allowance.left_s(what)
                if left_s is not None and left_s <= pause_s:
                    raise
                self._sleep(pause_s)

    def _post(
        self, url: str, resource: Resource, headers: Mapping[str, str] | None = None, *, what: str
    ) -> Resource:
        return self._resource(self._write("POST", url, resource, headers or {}, what=what), what)

    def _write(
        self,
        method: str,
        url: str,
        resource: Resource,
        headers: Mapping[str, str],
        *,
        what: str | None = None,
    ) -> Answer:
        """Send a resource, once: whether a refused one is to be sent again, the caller decides."""
        what = what or resource["resourceType"]
        answer = self._send(method, url, what=what, body=resource, headers=headers)
        if answer.ok:
            return answer
        try:
            self._resource(answer, what)
        except UnauthorisedError as error:
            if not self._renewed():
                raise
            raise TokenRenewedError(
                f"The server no longer took the access token (asked for {what}). There is a new "
                "one now; try again.",
                status=error.status,
                outcome=error.outcome,
            ) from error
        return answer

    def _renewed(self) -> bool:
        """Take another token in place of the one that was refused; tell whether there is one."""
        token = self._bearer.token
        fresh = None if self._renew is None or token is None else self._renew(token)
        if fresh is None or fresh == token:
            return False
        self._bearer.token = _checked(fresh)
        return True

    def _resource(self, answer: Answer, what: str) -> Resource:
        return resource_in(answer, what, self._allowance)

    def _send(
        self,
        method: str,
        url: str,
        *,
        what: str,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: Resource | None = None,
    ) -> Answer:
        self._before()
        left_s = self._allowance.left_s(what)
        wait_s = self._timeout_s if left_s is None else min(self._timeout_s, left_s)
        # A server may answer a repeated search from its cache (HAPI does, for a minute); what is
        # read again must be what is there now.
        sent = {"Accept": FHIR_JSON, "Cache-Control": "no-cache"}
        if body is not None:
            sent |= {"Content-Type": FHIR_JSON, "Prefer": self._prefer}
        sent |= headers or {}
        most_bytes = self._allowance.left_bytes()
        try:
            answer = exchange(
                self._session,
                method,
                url,
                within_s=left_s,
                most_bytes=most_bytes,
                params=params,
                data=None if body is None else dumps(body).encode(),
                headers=sent,
                timeout=(min(CONNECT_TIMEOUT_S, wait_s), wait_s),
            )
        except TooLargeError:
            raise BadAnswerError(
                f"The server's answer (asked for {what}) is larger than the "
                f"{most_bytes // MEBIBYTE} MiB that are read of it, or packed more than once; tell "
                "the server's operator."
            ) from None
        except (TooLateError, requests.Timeout):
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
        self._allowance.use_bytes(len(answer.content))
        return answer


class _Bearer(requests.auth.AuthBase):
    """Adds the token below the base alone, and keeps requests from taking one out of .netrc."""

    def __init__(self, base: BaseAddress, token: str | None) -> None:
        self._base = base
        self.token = None if token is None else _checked(token)

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if not self._base.holds(request.url or ""):
            raise BadAnswerError("An address that is not below the server's base is not asked.")
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        return request


def _checked(token: str) -> str:
    if not (token.isascii() and token.isprintable()):
        raise UsageError("The access token holds characters that no token has; copy it again.")
    return token


def _pause_s(answer: Answer, attempt: int) -> float | None:
    """Return the seconds to wait before asking again; None when the server asks for too many."""
    asked_s = retry_after_s(answer)
    pause_s = asked_s if asked_s is not None else 0.5 * 2**attempt
    return pause_s if pause_s <= LONGEST_PAUSE_S else None
