"""A CarePlan as a dated list."""

from ivfhir.plan_text import to_text

CARE_PLAN = {
    "title": "Small protocol",
    "status": "draft",
    "intent": "proposal",
    "note": [{"text": "Evidence: very low."}],
    "contained": [
        {
            "resourceType": "RequestGroup",
            "id": "g",
            "action": [
                {
                    "id": "all",
                    "action": [
                        {"id": "P.2", "title": "Late", "resource": {"reference": "#P.2"}},
                        {
                            "id": "P.1",
                            "title": "Early",
                            "resource": {"reference": "#P.1"},
                            "condition": [
                                {
                                    "kind": "start",
                                    "expression": {
                                        "expression": "P_G1",
                                        "description": "Safe.",
                                    },
                                },
                                {"kind": "stop", "expression": {"expression": "P_S1"}},
                            ],
                        },
                        {"id": "P.0", "title": "Told", "resource": {"reference": "#P.0"}},
                    ],
                }
            ],
        },
        {"resourceType": "ServiceRequest", "id": "P.2", "occurrenceDateTime": "2025-04-01"},
        {
            "resourceType": "ServiceRequest",
            "id": "P.1",
            "note": [{"text": "due before the evaluation date"}],
            "occurrenceTiming": {
                "event": ["2025-03-04"],
                "repeat": {"boundsPeriod": {"start": "2025-03-03", "end": "2025-03-05"}},
            },
        },
        {
            "resourceType": "CommunicationRequest",
            "id": "P.0",
            "occurrencePeriod": {"start": "2025-02-01", "end": "2025-03-01"},
        },
        {"resourceType": "Goal", "id": "P-O1", "description": {"text": "No harm"}},
    ],
}


def test_list_is_in_the_order_of_the_days():
    assert to_text(CARE_PLAN).splitlines() == [
        "Small protocol (draft, proposal)",
        "",
        "Evidence: very low.",
        "",
        "Goals",
        "  P-O1  No harm",
        "",
        "Day         Window                    Action",
        "            2025-02-01 to 2025-03-01  P.0  Told",
        "2025-03-04  2025-03-03 to 2025-03-05  P.1  Early "
        "(due before the evaluation date) [P-G1, P-S1]",
        "2025-04-01                            P.2  Late",
        "",
        "Conditions",
        "  start P-G1: Safe.",
        "  stop P-S1",
    ]
