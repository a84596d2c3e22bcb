"""A draft of each request kind, as a whole resource."""

import pytest

from ivfhir.activity import Origin, draft_request
from ivfhir.errors import UnsupportedError

SUBJECT = {"reference": "Patient/p"}
REASON = {"reference": "Condition/c"}
ORIGIN = Origin(SUBJECT, "2025-03-03T23:59:59.999+01:00", (REASON,))
ROLE = {"text": "Interventional radiologist"}
CODE = {"text": "Some work"}


def activity(kind, **more):
    return {
        "resourceType": "ActivityDefinition",
        "id": "a",
        "url": "https://example.org/ActivityDefinition/a",
        "version": "1",
        "kind": kind,
        "description": "What to do.",
        "code": CODE,
        "participant": [{"type": "patient"}, {"type": "practitioner", "role": ROLE}],
        **more,
    }


def test_service_request():
    site = [{"text": "Artery"}]
    assert draft_request(activity("ServiceRequest", bodySite=site), "P-A1.1", ORIGIN) == {
        "resourceType": "ServiceRequest",
        "id": "P-A1.1",
        "instantiatesCanonical": ["https://example.org/ActivityDefinition/a|1"],
        "status": "draft",
        "intent": "proposal",
        "code": CODE,
        "subject": SUBJECT,
        "authoredOn": "2025-03-03T23:59:59.999+01:00",
        "performerType": ROLE,
        "reasonReference": [REASON],
        "bodySite": site,
    }


def test_medication_request_names_a_role_and_a_route_only():
    drug = {"text": "Platinum drug of the chosen regimen"}
    dosage = [{"text": "Slowly; no dose proposed", "route": {"text": "Intra-arterial"}}]
    given = activity("MedicationRequest", productCodeableConcept=drug, dosage=dosage)
    draft = draft_request(given, "P-A1.1.drug", ORIGIN)
    assert draft == {
        "resourceType": "MedicationRequest",
        "id": "P-A1.1.drug",
        "status": "draft",
        "intent": "proposal",
        "medicationCodeableConcept": drug,
        "subject": SUBJECT,
        "authoredOn": "2025-03-03T23:59:59.999+01:00",
        "performerType": ROLE,
        "reasonReference": [REASON],
        "instantiatesCanonical": ["https://example.org/ActivityDefinition/a|1"],
        "dosageInstruction": dosage,
    }
    draft["dosageInstruction"][0]["timing"] = {"event": ["2025-03-03"]}
    assert "timing" not in dosage[0]


def test_communication_request_has_a_payload_a_point():
    points = [
        {"type": "documentation", "label": "S0-03", "display": "The opening is small."},
        {"type": "citation", "label": "S0", "citation": "A text."},
        {"type": "documentation", "label": "R33", "display": "There are risks."},
    ]
    given = activity("CommunicationRequest", relatedArtifact=points)
    assert draft_request(given, "P-A14", ORIGIN) == {
        "resourceType": "CommunicationRequest",
        "id": "P-A14",
        "status": "draft",
        "category": [CODE],
        "subject": SUBJECT,
        "payload": [
            {"contentString": "The opening is small. [S0-03]"},
            {"contentString": "There are risks. [R33]"},
        ],
        "authoredOn": "2025-03-03T23:59:59.999+01:00",
        "recipient": [SUBJECT],
        "reasonReference": [REASON],
    }


def test_task():
    assert draft_request(activity("Task"), "P-T1", ORIGIN) == {
        "resourceType": "Task",
        "id": "P-T1",
        "instantiatesCanonical": "https://example.org/ActivityDefinition/a|1",
        "status": "draft",
        "intent": "proposal",
        "code": CODE,
        "description": "What to do.",
        "for": SUBJECT,
        "authoredOn": "2025-03-03T23:59:59.999+01:00",
        "performerType": [ROLE],
        "reasonReference": REASON,
    }


@pytest.mark.parametrize(
    "kind", ["ServiceRequest", "MedicationRequest", "CommunicationRequest", "Task"]
)
def test_draft_without_reason_or_role_has_no_empty_elements(kind):
    given = activity(kind)
    del given["participant"], given["code"]
    draft = draft_request(given, "x", Origin(SUBJECT, "2025-03-03"))
    assert not [name for name, value in draft.items() if value in (None, [], {})]
    assert "reasonReference" not in draft


def test_other_kind_is_refused():
    with pytest.raises(UnsupportedError, match="is of kind DeviceRequest"):
        draft_request(activity("DeviceRequest"), "x", ORIGIN)
