"""MedicationRequest: a drug named by its role; dose and drug are the clinician's choice."""

from copy import deepcopy

from ivfhir.activity.origin import Origin, canonicals_of, performer_role, without_empty
from ivfhir.fhir.types import Resource


def draft_medication_request(activity: Resource, request_id: str, origin: Origin) -> Resource:
    """Return the draft, without a date: http://hl7.org/fhir/R4/medicationrequest.html.

    Args:
        activity: an ActivityDefinition of kind MedicationRequest.
        request_id: id inside the CarePlan.
        origin: patient, time and reasons.
    """
    return without_empty(
        {
            "resourceType": "MedicationRequest",
            "id": request_id,
            "status": "draft",
            "intent": "proposal",
            "medicationCodeableConcept": activity.get("productCodeableConcept"),
            "subject": origin.subject,
            "authoredOn": origin.authored_on,
            "performerType": performer_role(activity),
            "reasonReference": list(origin.reasons),
            "instantiatesCanonical": canonicals_of(activity),
            "dosageInstruction": deepcopy(activity.get("dosage")),
        }
    )
