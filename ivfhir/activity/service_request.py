"""ServiceRequest: a procedure, an examination or a referral."""

from ivfhir.activity.origin import Origin, canonicals_of, performer_role, without_empty
from ivfhir.fhir.types import Resource


def draft_service_request(activity: Resource, request_id: str, origin: Origin) -> Resource:
    """Return the draft, without a date: http://hl7.org/fhir/R4/servicerequest.html.

    Args:
        activity: an ActivityDefinition of kind ServiceRequest.
        request_id: id inside the CarePlan.
        origin: patient, time and reasons.
    """
    return without_empty(
        {
            "resourceType": "ServiceRequest",
            "id": request_id,
            "instantiatesCanonical": canonicals_of(activity),
            "status": "draft",
            "intent": "proposal",
            "code": activity.get("code"),
            "subject": origin.subject,
            "authoredOn": origin.authored_on,
            "performerType": performer_role(activity),
            "reasonReference": list(origin.reasons),
            "bodySite": activity.get("bodySite"),
        }
    )
