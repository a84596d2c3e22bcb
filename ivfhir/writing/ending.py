"""How a part of a plan ends when another plan takes its place: each type has a code of its own.

See the required value sets of http://hl7.org/fhir/R4/valueset-request-status.html,
http://hl7.org/fhir/R4/valueset-medicationrequest-status.html,
http://hl7.org/fhir/R4/valueset-task-status.html,
http://hl7.org/fhir/R4/valueset-fm-status.html (VisionPrescription),
http://hl7.org/fhir/R4/valueset-goal-status.html and
http://hl7.org/fhir/R4/valueset-document-reference-status.html.
"""

from collections.abc import Mapping
from types import MappingProxyType

from ivfhir.fhir.types import CARE_PLAN, DOCUMENT_REFERENCE, GOAL, REQUEST_GROUP, Resource

END_STATUS: Mapping[str, str] = MappingProxyType(
    {
        CARE_PLAN: "revoked",
        REQUEST_GROUP: "revoked",
        "ServiceRequest": "revoked",
        "CommunicationRequest": "revoked",
        "DeviceRequest": "revoked",
        "NutritionOrder": "revoked",
        "MedicationRequest": "cancelled",
        "Task": "cancelled",
        "VisionPrescription": "cancelled",
        GOAL: "cancelled",
        DOCUMENT_REFERENCE: "superseded",
    }
)
"""Type -> the status of a plan's part that was never carried out and no longer is meant to be."""


def status_name(resource_type: str) -> str:
    """Return the element that holds the status of a type."""
    return "lifecycleStatus" if resource_type == GOAL else "status"


def status_of(resource: Resource) -> str:
    """Return the status code of a resource, '' when it has none."""
    return str(resource.get(status_name(resource["resourceType"]), ""))


def as_ended(resource: Resource) -> Resource:
    """Return a resource as it was read, with nothing but its status changed to the end's."""
    resource_type = resource["resourceType"]
    return resource | {status_name(resource_type): END_STATUS[resource_type]}
