"""How each type ends: codes of R4's required value sets."""

import pytest

from ivfhir.writing.ending import END_STATUS, as_ended, status_of

REQUEST_STATUS = {
    *("draft", "active", "on-hold", "revoked", "completed", "entered-in-error", "unknown")
}
ALLOWED = {
    "CarePlan": REQUEST_STATUS,
    "RequestGroup": REQUEST_STATUS,
    "ServiceRequest": REQUEST_STATUS,
    "CommunicationRequest": REQUEST_STATUS,
    "DeviceRequest": REQUEST_STATUS,
    "NutritionOrder": REQUEST_STATUS,
    "VisionPrescription": {"active", "cancelled", "draft", "entered-in-error"},
    "MedicationRequest": {
        *("active", "on-hold", "cancelled", "completed", "entered-in-error", "stopped"),
        *("draft", "unknown"),
    },
    "Task": {
        *("draft", "requested", "received", "accepted", "rejected", "ready", "cancelled"),
        *("in-progress", "on-hold", "failed", "completed", "entered-in-error"),
    },
    "Goal": {
        *("proposed", "planned", "accepted", "active", "on-hold", "completed", "cancelled"),
        *("entered-in-error", "rejected"),
    },
    "DocumentReference": {"current", "superseded", "entered-in-error"},
}


def test_each_type_ends_with_a_code_of_its_own_value_set():
    assert END_STATUS.keys() == ALLOWED.keys()
    assert {name: END_STATUS[name] in codes for name, codes in ALLOWED.items()} == dict.fromkeys(
        ALLOWED, True
    )


@pytest.mark.parametrize("resource_type", sorted(END_STATUS))
def test_nothing_but_the_status_changes(resource_type):
    name = "lifecycleStatus" if resource_type == "Goal" else "status"
    held = {"resourceType": resource_type, "id": "1", name: "draft", "x": [1], "_note": {}}
    ended = as_ended(held)
    assert ended == {**held, name: END_STATUS[resource_type]}
    assert status_of(held) == "draft"
    assert status_of(ended) == END_STATUS[resource_type]
