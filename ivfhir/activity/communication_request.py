"""CommunicationRequest: what a patient should be told, a payload a point, each with its source."""

from ivfhir.activity.origin import Origin, without_empty
from ivfhir.fhir.types import Resource


def draft_communication_request(activity: Resource, request_id: str, origin: Origin) -> Resource:
    """Return the draft, without a date: http://hl7.org/fhir/R4/communicationrequest.html.

    R4 gives an ActivityDefinition no payload. The points are its relatedArtifact entries of type
    `documentation`: the text in `display`, the source mark in `label`. R4 gives a
    CommunicationRequest neither intent nor instantiatesCanonical.

    Args:
        activity: an ActivityDefinition of kind CommunicationRequest.
        request_id: id inside the CarePlan.
        origin: patient, time and reasons.
    """
    points = [
        {"contentString": f"{each['display']} [{each['label']}]"}
        for each in activity.get("relatedArtifact", [])
        if each["type"] == "documentation"
    ]
    return without_empty(
        {
            "resourceType": "CommunicationRequest",
            "id": request_id,
            "status": "draft",
            "category": [activity["code"]] if "code" in activity else None,
            "subject": origin.subject,
            "payload": points,
            "authoredOn": origin.authored_on,
            "recipient": [origin.subject],
            "reasonReference": list(origin.reasons),
        }
    )
