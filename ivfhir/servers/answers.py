"""What stands in a server's answer: one FHIR resource, or the reason why there is none."""

from ivfhir.errors import BadAnswerError, IncompleteError, InputError, RejectedError
from ivfhir.fhir.bundles import is_failure
from ivfhir.fhir.common_elements import has_common_shape
from ivfhir.fhir.json import loads
from ivfhir.fhir.nulls import drop_nulls
from ivfhir.fhir.types import BUNDLE, Json, Resource
from ivfhir.servers.http_errors import error_of
from ivfhir.servers.limits import Allowance
from ivfhir.servers.transport import Answer


def resource_in(answer: Answer, what: str, allowance: Allowance) -> Resource:
    """Return the resource in the answer, without the nulls that FHIR does not know.

    Args:
        answer: the answer.
        what: what was asked for: a resource type or a path.
        allowance: what the answer may hold.

    Raises:
        ServerError: the status says so, or the body is no FHIR resource.
    """
    reason = "is not FHIR JSON; check that the address is that of a FHIR R4 server"
    body: Json = None
    try:
        text = answer.content.decode("utf-8-sig")
        allowance.use_values(sum(map(text.count, "{[,")), what)
        body = loads(text, place="the answer")
        if "null" in text:
            drop_nulls(body)
    except UnicodeDecodeError:
        pass
    except InputError as error:
        reason += f": {error.message.rstrip('.')}"
    resource = body if isinstance(body, dict) and has_common_shape(body) else None
    if not answer.ok:
        raise error_of(answer, what, outcome=resource)
    if resource is None:
        raise BadAnswerError(
            f"The server's answer (asked for {what}) {reason}.", status=answer.status_code
        )
    return resource


def search_page(page: Resource, resource_type: str) -> Resource:
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
    if page["resourceType"] != BUNDLE or not all(
        has_common_shape(resource) for resource in resources
    ):
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
