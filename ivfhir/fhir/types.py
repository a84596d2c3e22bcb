"""What a FHIR resource is inside ivfhir: the JSON object as it came, unknown elements and all."""

from typing import Any

Resource = dict[str, Any]
"""A FHIR R4 resource or element as parsed JSON; decimals are `decimal.Decimal`, digits kept."""

CONDITION = "Condition"
OBSERVATION = "Observation"
ALLERGY_INTOLERANCE = "AllergyIntolerance"
PATIENT = "Patient"
CARE_PLAN = "CarePlan"
REQUEST_GROUP = "RequestGroup"
OPERATION_OUTCOME = "OperationOutcome"
BUNDLE = "Bundle"
