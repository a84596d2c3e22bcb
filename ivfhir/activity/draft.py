"""Which file drafts which kind of request."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from ivfhir.activity.communication_request import draft_communication_request
from ivfhir.activity.medication_request import draft_medication_request
from ivfhir.activity.origin import Origin
from ivfhir.activity.service_request import draft_service_request
from ivfhir.activity.task import draft_task
from ivfhir.errors import UnsupportedError
from ivfhir.fhir.types import Resource

SUPPORTED: Mapping[str, Callable[[Resource, str, Origin], Resource]] = MappingProxyType(
    {
        "CommunicationRequest": draft_communication_request,
        "MedicationRequest": draft_medication_request,
        "ServiceRequest": draft_service_request,
        "Task": draft_task,
    }
)
"""ActivityDefinition.kind -> the function that drafts it."""


def draft_request(activity: Resource, request_id: str, origin: Origin) -> Resource:
    """Return a draft of the request that an ActivityDefinition describes; dates come later.

    Raises:
        UnsupportedError: a kind that we do not draft.
    """
    kind = activity.get("kind", "")
    if kind not in SUPPORTED:
        raise UnsupportedError(
            f"ActivityDefinition {activity['id']} is of kind {kind}; "
            f"supported are {', '.join(SUPPORTED)}."
        )
    return SUPPORTED[kind](activity, request_id, origin)
