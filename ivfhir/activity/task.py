"""Task: work for a person that orders nothing."""

from ivfhir.activity.origin import Origin, canonicals_of, performer_role, without_empty
from ivfhir.fhir.types import Resource


def draft_task(activity: Resource, request_id: str, origin: Origin) -> Resource:
    """Return the draft, without a period: http://hl7.org/fhir/R4/task.html.

    Args:
        activity: an ActivityDefinition of kind Task.
        request_id: id inside the CarePlan.
        origin: patient, time and reasons; a Task holds the first reason only.
    """
    role = performer_role(activity)
    return without_empty(
        {
            "resourceType": "Task",
            "id": request_id,
            "instantiatesCanonical": next(iter(canonicals_of(activity)), None),
            "status": "draft",
            "intent": "proposal",
            "code": activity.get("code"),
            "description": activity.get("description"),
            "for": origin.subject,
            "authoredOn": origin.authored_on,
            "performerType": [role] if role else None,
            "reasonReference": next(iter(origin.reasons), None),
        }
    )
