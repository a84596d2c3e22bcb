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
    "RequestGroup": "groups of orders",
    "CommunicationRequest": "messages",
    "Goal": "goals",
    "Task": "tasks",
    "Provenance": "signatures",
    "DiagnosticReport": "reports",
    "Encounter": "visits",
    "Practitioner": "members of staff",
    "Organization": "organisations",
}
"""Resource types as parts of a record, inside a sentence."""


def record_part(resource_type: str) -> str:
    """Return a resource type as a part of the record, inside a sentence."""
    return RECORD_PARTS.get(resource_type, resource_type)


ENTRIES = {
    "Patient": "the patient's own data",
    "Condition": "an entry of the problem list",
    "Observation": "a result",
    "AllergyIntolerance": "an entry of the allergy list",
    "Procedure": "a procedure",
    "ServiceRequest": "an order",
    "MedicationRequest": "a prescription",
    "CommunicationRequest": "a message to be given",
    "CarePlan": "a care plan",
    "RequestGroup": "a group of orders",
    "Goal": "a goal",
    "Task": "a task",
    "Provenance": "a signature",
    "DiagnosticReport": "a report",
    "Encounter": "a visit",
    "Practitioner": "a member of staff",
    "Organization": "an organisation",
}
"""Resource types as one entry of a record, inside a sentence."""


def entry_kind(resource_type: str) -> str:
    """Return what one entry of a resource type is: `an entry of the problem list`."""
    return ENTRIES.get(resource_type, "an entry of the record")
