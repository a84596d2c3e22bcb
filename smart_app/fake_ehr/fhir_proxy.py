"""The FHIR door of the simulated EHR: checks each request's token, then asks the server behind."""

import socket
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode

import requests
from flask import Blueprint, Response, make_response, request

from ivfhir.errors import (
    ForbiddenError,
    InputError,
    IvfhirError,
    NotFoundError,
    UnauthorisedError,
    UnreachableError,
)
from ivfhir.fhir.json import dumps, loads
from ivfhir.fhir.outcome import http_status, operation_outcome
from ivfhir.fhir.types import BUNDLE, Resource
from smart_app.fake_ehr.grants import Access
from smart_app.fake_ehr.rights import Rights
from smart_app.fake_ehr.services import ehr
from smart_app.smart.scopes import AUDIT_EVENT

blueprint = Blueprint("fhir_proxy", __name__, url_prefix="/fhir")

FHIR_JSON = "application/fhir+json"
_SENT_ON = ("Accept", "Content-Type", "If-Match", "If-None-Match", "If-None-Exist", "Prefer")
_SENT_BACK = ("ETag", "Last-Modified", "Location", "Retry-After")
_SLOW_S = 3.0
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


@blueprint.route("", methods=_METHODS, defaults={"path": ""})
@blueprint.route("/<path:path>", methods=_METHODS)
def fhir(path: str) -> Response:
    """Answer one FHIR request."""
    request.get_data()  # A fault happens to a request that has come whole.
    fault = ehr().faults.on_request(request.method, path)
    if fault is not None and fault.startswith("status-"):
        return _failing(int(fault.removeprefix("status-")))
    if fault == "html":
        return make_response("<html><body>Down for maintenance</body></html>", 200)
    if fault == "outcome":
        return _outcome(
            {"severity": "error", "code": "processing", "diagnostics": "Simulated failure"}, 200
        )
    if fault == "drop-before":
        _drop_connection()
    if fault == "slow":
        time.sleep(_SLOW_S)
    try:
        response = _answer(path)
    except IvfhirError as error:
        return _resource(operation_outcome(error), http_status(error))
    if fault == "slow-after":
        time.sleep(_SLOW_S)
    if fault == "drop-after":
        _drop_connection()
    if fault == "no-audit-create":
        return _without_audit(response)
    return response


def _without_audit(response: Response) -> Response:
    """Return a CapabilityStatement without what it says of AuditEvent."""
    statement = loads(response.get_data(as_text=True), place="The FHIR server's answer")
    if not isinstance(statement, dict):
        return response
    for rest in statement.get("rest", ()):
        offered = rest.get("resource", ())
        rest["resource"] = [each for each in offered if each.get("type") != AUDIT_EVENT]
    return _resource(statement, response.status_code)


def _without_transactions(response: Response) -> Response:
    """Return a CapabilityStatement that names no interaction of the whole system but searching."""
    statement = loads(response.get_data(as_text=True), place="The FHIR server's answer")
    if not isinstance(statement, dict):
        return response
    for rest in statement.get("rest", ()):
        rest["interaction"] = [{"code": "search-system"}]
    return _resource(statement, response.status_code)


def _answer(path: str) -> Response:
    """Check the request and send it on."""
    if path == "metadata" and request.method == "GET":
        statement = _forward("GET", "metadata", [])
        return statement if ehr().settings.transactions else _without_transactions(statement)
    rights = _rights()
    segments = [segment for segment in path.split("/") if segment]
    if any(segment.startswith("$") for segment in segments):
        raise ForbiddenError("This EHR offers no operations.", status=403)
    if not segments:
        return _page_or_transaction(rights)
    resource_type, resource_id = segments[0], segments[1] if len(segments) > 1 else None
    query = parse_qsl(request.query_string.decode(), keep_blank_values=True)
    if resource_id == "_search" and request.method == "POST":
        query += list(request.form.items(multi=True))
    if (request.method == "GET" and resource_id is None) or resource_id == "_search":
        rights.check(resource_type, "s")
        return _forward("GET", resource_type, rights.narrow(resource_type, query), rights)
    letter = {"GET": "r", "POST": "c", "PUT": "u", "PATCH": "u", "DELETE": "d"}[request.method]
    rights.check(resource_type, letter, resource_id=resource_id)
    if request.method in ("POST", "PUT"):
        rights.check_owner(_body())
    if request.method in ("PUT", "PATCH", "DELETE") and resource_id is not None:
        _check_stored(rights, resource_type, resource_id)
    return _forward(request.method, path, query, rights)


def _page_or_transaction(rights: Rights) -> Response:
    """Answer a request to the base: a further page of a search, or a transaction."""
    if request.method == "GET" and "_getpages" in request.args:
        return _forward("GET", "", parse_qsl(request.query_string.decode()), rights)
    if not ehr().settings.transactions:
        raise ForbiddenError("This EHR takes no transactions.", status=403)
    bundle = _body()
    entries = bundle.get("entry", [])
    if (
        request.method != "POST"
        or bundle.get("type") not in ("transaction", "batch")
        or not isinstance(entries, list)
    ):
        raise ForbiddenError("Only transactions and batches are taken here.", status=403)
    for entry in entries:
        resource_type, resource_id = rights.check_entry(entry)
        if resource_id is not None:
            _check_stored(rights, resource_type, resource_id)
    return _forward("POST", "", [], rights)


def _rights() -> Rights:
    """Return the rights of the request's bearer token.

    Raises:
        UnauthorisedError: there is none, or it is unknown or expired.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    access = ehr().grants.get(Access, token) if scheme.lower() == "bearer" else None
    if access is None:
        raise UnauthorisedError("The access token is missing, unknown or expired.", status=401)
    return Rights(access=access, practitioner=ehr().settings.practitioner, base=ehr().settings.iss)


def _body() -> Resource:
    body = loads(request.get_data(as_text=True), place="The request")
    if not isinstance(body, dict):
        raise InputError("The request's body is no resource.")
    return body


def _check_stored(rights: Rights, resource_type: str, resource_id: str) -> None:
    """Refuse to change what belongs to another patient; what is not there yet may be made."""
    url = f"{ehr().settings.fhir_upstream}/{resource_type}/{resource_id}"
    try:
        response = ehr().upstream.get(url, timeout=60)
    except requests.RequestException:
        raise UnreachableError("The FHIR server is down") from None
    if response.ok:
        stored = loads(response.text, place="The FHIR server's answer")
        if isinstance(stored, dict):
            rights.check_owner(stored)


def _forward(
    method: str, path: str, query: list[tuple[str, str]], rights: Rights | None = None
) -> Response:
    """Send a request to the FHIR server behind, and return its answer as if it were ours."""
    settings = ehr().settings
    url = (
        settings.fhir_upstream
        + (f"/{path}" if path else "")
        + (f"?{urlencode(query)}" if query else "")
    )
    headers = {name: request.headers[name] for name in _SENT_ON if name in request.headers}
    body = request.get_data() if method in ("POST", "PUT", "PATCH") else None
    try:
        answer = ehr().upstream.request(
            method, url, data=body, headers=headers, timeout=60, allow_redirects=False
        )
    except requests.RequestException:
        return _outcome(
            {"severity": "error", "code": "transient", "diagnostics": "The FHIR server is down"},
            502,
        )
    content = answer.content
    if content and "json" in answer.headers.get("Content-Type", ""):
        value = loads(answer.text, place="The FHIR server's answer")
        if isinstance(value, dict):
            content = dumps(_as_ours(value, rights, is_read=method == "GET")).encode()
    response = make_response(content, answer.status_code)
    response.headers["Content-Type"] = answer.headers.get("Content-Type", FHIR_JSON)
    for name in _SENT_BACK:
        if name in answer.headers:
            response.headers[name] = _our_address(answer.headers[name])
    return response


def _as_ours(resource: Resource, rights: Rights | None, *, is_read: bool) -> Resource:
    """Return an answer with our addresses, without resources of other patients.

    Raises:
        NotFoundError: a resource was asked for that is another patient's.
    """
    if resource.get("resourceType") != BUNDLE:
        if is_read and rights is not None and not rights.is_ours(resource):
            raise NotFoundError(
                "There is no such resource in the compartment of the launch's patient.", status=404
            )
        return resource
    entries = resource.get("entry", [])
    kept = [
        entry
        for entry in entries
        if rights is None or not is_read or rights.is_ours(entry.get("resource", {}))
    ]
    links = [
        {**link, "url": _our_address(link.get("url", ""))} for link in resource.get("link", [])
    ]
    changed = {**resource, "link": links, "entry": [_entry_as_ours(entry) for entry in kept]}
    has_more = any(link.get("relation") == "next" for link in links)
    if is_read and (has_more or len(kept) < len(entries)):
        # The total counts what is hidden, here or on a later page, and may be left out:
        # http://hl7.org/fhir/R4/bundle-definitions.html#Bundle.total
        changed.pop("total", None)
    return {name: value for name, value in changed.items() if name in resource}


def _entry_as_ours(entry: dict[str, Any]) -> dict[str, Any]:
    changed = dict(entry)
    if isinstance(entry.get("fullUrl"), str):
        changed["fullUrl"] = _our_address(entry["fullUrl"])
    answer = entry.get("response")
    if isinstance(answer, dict) and isinstance(answer.get("location"), str):
        changed["response"] = {**answer, "location": _our_address(answer["location"])}
    return changed


def _our_address(url: str) -> str:
    upstream = ehr().settings.fhir_upstream
    rest = url.removeprefix(upstream)
    return ehr().settings.iss + rest if rest != url and rest[:1] in ("", "/", "?") else url


def _failing(status: int) -> Response:
    codes = {401: "login", 403: "forbidden", 409: "conflict", 412: "conflict", 429: "throttled"}
    response = _outcome(
        {
            "severity": "error",
            "code": codes.get(status, "exception"),
            "diagnostics": f"Simulated failure {status}",
        },
        status,
    )
    if status in (429, 503):
        response.headers["Retry-After"] = "1"
    return response


def _outcome(issue: dict[str, str], status: int) -> Response:
    return _resource({"resourceType": "OperationOutcome", "issue": [issue]}, status)


def _resource(resource: Resource, status: int) -> Response:
    response = make_response(dumps(resource), status)
    response.mimetype = FHIR_JSON
    return response


def _drop_connection() -> None:
    """Break the connection, as a crash of the server or of the network does."""
    connection: socket.socket = request.environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("dropped on demand")
