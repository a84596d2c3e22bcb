"""A small draft plan and its answer: what review and write_back are tested with."""

from copy import deepcopy
from decimal import Decimal
from typing import Any

from ivfhir.fhir.types import Resource
from ivfhir.review import accept

VANCE = {"reference": "Practitioner/vance", "display": "Dr Imogen Vance"}
ACCEPTED_AT = "2025-03-03T08:51:07+01:00"
PLAN_ID = "d1"

DECISION: dict[str, Any] = {
    "id": "P",
    "version": "1",
    "status": "eligible",
    "failed": [],
    "unknown": [],
    "criteria": [
        {
            "id": "P-I1",
            "kind": "inclusion",
            "title": "Marrow reserve",
            "rule": "Platelets at least 100, not older than 14 days.",
            "answer": "met",
            "evidence": [
                {
                    "reference": "Observation/o1",
                    "concept": "platelets",
                    "value": Decimal("220.0"),
                    "unit": "10*9/L",
                    "date": "2025-02-28",
                    "ageDays": 3,
                }
            ],
        },
        {
            "id": "P-X1",
            "kind": "contraindication-absolute",
            "title": "Bleeding <tendency>",
            "rule": "INR below 1.8",
            "answer": "unknown",
            "missing": ["inr"],
        },
    ],
}

DRAFT: Resource = {
    "resourceType": "CarePlan",
    "contained": [
        {
            "resourceType": "RequestGroup",
            "id": "group",
            "status": "draft",
            "intent": "proposal",
            "subject": {"reference": "Patient/p"},
            "action": [{"id": "P.1", "title": "Look", "resource": {"reference": "#P.1"}}],
        },
        {
            "resourceType": "ServiceRequest",
            "id": "P.1",
            "status": "draft",
            "intent": "proposal",
            "subject": {"reference": "Patient/p"},
            "basedOn": [{"reference": "#"}],
            "code": {"text": "Look"},
            "quantityQuantity": {"value": Decimal("1.50")},
        },
        {
            "resourceType": "Goal",
            "id": "P-O1",
            "lifecycleStatus": "proposed",
            "description": {"text": "No harm"},
            "subject": {"reference": "Patient/p"},
        },
    ],
    "instantiatesCanonical": ["https://example.org/PlanDefinition/P|1"],
    "status": "draft",
    "intent": "proposal",
    "subject": {"reference": "Patient/p"},
    "goal": [{"reference": "#P-O1"}],
    "activity": [{"reference": {"reference": "#group"}}],
}


def draft() -> Resource:
    """Return a draft of its own."""
    return deepcopy(DRAFT)


def accepted() -> Resource:
    """Return the draft, accepted."""
    return accept(draft(), DECISION, practitioner=VANCE, accepted_at=ACCEPTED_AT)
