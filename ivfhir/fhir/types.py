"""What a FHIR resource is inside ivfhir: the JSON object as it came, unknown elements and all."""

from decimal import Decimal
from typing import Any

Json = dict[str, Any] | list[Any] | str | int | Decimal | bool | None
"""A parsed JSON value; a number with a point or an exponent is a Decimal, digits kept."""

Resource = dict[str, Any]
"""A FHIR R4 resource or element as parsed JSON; decimals are `decimal.Decimal`, digits kept."""

CONDITION = "Condition"
PATIENT = "Patient"
CARE_PLAN = "CarePlan"
REQUEST_GROUP = "RequestGroup"
GOAL = "Goal"
PROVENANCE = "Provenance"
OPERATION_OUTCOME = "OperationOutcome"
BUNDLE = "Bundle"
STRUCTURE_DEFINITIONS = "http://hl7.org/fhir/StructureDefinition/"
"""The canonicals of R4's own types and extensions begin so."""
UCUM = "http://unitsofmeasure.org"
"""The code system of units."""
DOCUMENT_REFERENCE = "DocumentReference"

WITHOUT_A_PATIENT = frozenset(
    {
        "Device",
        "Endpoint",
        "Group",
        "HealthcareService",
        "Location",
        "Medication",
        "Organization",
        "OrganizationAffiliation",
        "Practitioner",
        "PractitionerRole",
        PROVENANCE,
        "ResearchStudy",
        "Schedule",
        "Slot",
        "Substance",
    }
)
"""Types that stand beside a patient's data and need not name a patient themselves."""
