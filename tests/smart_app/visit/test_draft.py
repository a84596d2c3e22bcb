"""A draft as the store keeps it and back."""

from typing import Any

from smart_app.visit.draft import DraftContent, PlanRequest

BODY: dict[str, Any] = {
    "carePlan": {"resourceType": "CarePlan"},
    "decision": {"id": "LUNG", "version": "0.2.0", "criteria": []},
    "asOf": "2025-03-03T08:42:00+01:00",
    "subject": {"reference": "Patient/x", "deceased": False},
    "patient": {"resourceType": "Patient", "id": "x"},
    "more": [["Diagnosis", "Lung cancer"]],
    "readAt": "2025-03-03T08:42:00+01:00",
    "entries": 12,
    "values": {"segments": "6"},
    "start": "2025-03-10",
    "override": {"reason": "The tumour board decided so.", "kind": "tumour-board"},
    "warnings": ["75 %."],
    "expiring": [["inr", "2025-03-14", "2025-02-28"], ["sex", "2025-03-14"]],
    "versions": {"Observation/1": "3"},
    "earlier": [{"reference": "CarePlan/1", "parts": []}],
    "refused": ["AllergyIntolerance"],
    "offers": [{"id": "RG-LU1"}],
    "confirmed": ["hearing (no hearing loss of grade 2 or more)"],
    "documents": [{"reference": "DocumentReference/1", "version": "1", "plan": "p"}],
    "plansUnread": "The search for CarePlan failed.",
}


def test_what_the_store_kept_comes_back_as_it_was():
    assert DraftContent.of_body(BODY).to_body() == BODY


def test_a_draft_of_an_earlier_version_holds_the_reason_alone():
    later = ("warnings", "expiring", "offers", "confirmed", "documents", "plansUnread")
    body = {key: value for key, value in BODY.items() if key not in later}
    content = DraftContent.of_body({**body, "override": "It was decided so."})
    assert content.request == PlanRequest({"segments": "6"}, "2025-03-10", "It was decided so.")
    assert (content.warnings, content.expiring) == ((), ())
    assert (content.offers, content.confirmed) == ((), ())


def test_a_plan_without_override_keeps_none():
    assert DraftContent.of_body({**BODY, "override": None}).to_body()["override"] is None


def test_documents_that_could_not_be_looked_for_are_not_none():
    body = {**BODY, "documents": None}
    assert DraftContent.of_body(body).documents is None
    assert DraftContent.of_body(body).to_body() == body
    assert DraftContent.of_body(body).documents_but("p") == ()
