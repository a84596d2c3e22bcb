"""Resource types as the parts of a record that a clinician knows."""

RECORD_PARTS = {
    "Patient": "the patient's own data",
    "Condition": "the problem list",
    "Observation": "results and measurements",
    "AllergyIntolerance": "the allergy list",
    "Procedure": "procedures",
    "ServiceRequest": "orders",
    "MedicationRequest": "prescriptions",
    "CarePlan": "care plans",
}
"""Resource types as parts of a record, inside a sentence."""


def record_part(resource_type: str) -> str:
    """Return a resource type as a part of the record, inside a sentence."""
    return RECORD_PARTS.get(resource_type, resource_type)
