"""A CarePlan around the requests: whole, for a small protocol."""

import pytest

from ivfhir.plan import PlanInputs, build_care_plan

PLAN = {
    "resourceType": "PlanDefinition",
    "id": "P",
    "url": "https://example.org/PlanDefinition/P",
    "version": "1",
    "title": "Small protocol",
    "description": "Draft, not for clinical use.",
    "relatedArtifact": [
        {"type": "justification", "label": "standard", "display": "Standard treatment first."},
        {"type": "documentation", "label": "R01", "display": "A rule."},
        {"type": "justification", "label": "evidence", "display": "Evidence: very low."},
    ],
    "goal": [
        {
            "id": "P-O1",
            "category": {"text": "safety"},
            "description": {"text": "No harm"},
            "target": [{"measure": {"text": "harm"}, "due": {"value": 3, "unit": "d"}}],
        }
    ],
    "action": [
        {
            "id": "P.1",
            "title": "Work",
            "definitionCanonical": "https://example.org/ActivityDefinition/work|1",
            "dynamicValue": [
                {"path": "occurrenceTiming.event[0]", "expression": {"expression": "Day"}}
            ],
        }
    ],
}
ACTIVITIES = {
    "https://example.org/ActivityDefinition/work|1": {
        "id": "work",
        "url": "https://example.org/ActivityDefinition/work",
        "version": "1",
        "kind": "ServiceRequest",
    }
}


def criterion(name, kind, answer, *references):
    return {
        "id": name,
        "kind": kind,
        "title": f"Title {name}",
        "rule": f"Rule {name}.",
        "answer": answer,
        "evidence": [{"reference": reference} for reference in references],
    }


def decision(**lists):
    return {
        "id": "P",
        "status": "eligible",
        "failed": [],
        "unknown": [],
        "cautions": [],
        "notAssessable": [],
        "criteria": [
            criterion("P-I01", "inclusion", "met", "Condition/cancer"),
            criterion("C-AGE", "inclusion", "met", "Patient/p"),
            criterion("X-BLEED", "contraindication-absolute", "met", "Observation/inr"),
            criterion("K-1", "caution", "not-met", "Observation/inr", "Condition/cough"),
            {k: v for k, v in criterion("K-2", "caution", "unknown").items() if k != "evidence"},
        ],
        **lists,
    }


def plan(decision_json, **inputs):
    return build_care_plan(
        PLAN,
        ACTIVITIES,
        {"Day": "2025-03-04"}.__getitem__,
        PlanInputs({"reference": "Patient/p"}, "2025-03-03", decision_json, **inputs),
    )


def notes(care_plan):
    return [note["text"] for note in care_plan["note"]]


def test_whole_care_plan():
    subject = {"reference": "Patient/p"}
    cancer = [{"reference": "Condition/cancer"}]
    care_plan = plan(decision(), parameters={})
    group, request, goal = care_plan.pop("contained")
    assert care_plan == {
        "resourceType": "CarePlan",
        "instantiatesCanonical": ["https://example.org/PlanDefinition/P|1"],
        "status": "draft",
        "intent": "proposal",
        "title": "Small protocol",
        "description": "Draft, not for clinical use.",
        "subject": subject,
        "period": {"start": "2025-03-04", "end": "2025-03-04"},
        "created": "2025-03-03",
        "addresses": cancer,
        "supportingInfo": [{"reference": "Observation/inr"}, {"reference": "Condition/cough"}],
        "goal": [{"reference": "#P-O1"}],
        "activity": [{"reference": {"reference": "#P-group"}}],
        "note": [{"text": "Standard treatment first."}, {"text": "Evidence: very low."}],
    }
    assert group["action"] == [{"id": "P.1", "title": "Work", "resource": {"reference": "#P.1"}}]
    assert request["occurrenceTiming"] == {"event": ["2025-03-04"]}
    assert request["reasonReference"] == cancer
    assert goal == {
        "resourceType": "Goal",
        "id": "P-O1",
        "lifecycleStatus": "proposed",
        "category": [{"text": "safety"}],
        "description": {"text": "No harm"},
        "subject": subject,
        "addresses": cancer,
        "target": [{"measure": {"text": "harm"}, "dueDuration": {"value": 3, "unit": "d"}}],
    }


def test_cautions_and_what_could_not_be_assessed_stand_in_the_notes():
    care_plan = plan(decision(cautions=["K-1"], notAssessable=["K-2"]), parameters={})
    assert notes(care_plan)[2:] == [
        "Caution: Title K-1. Rule K-1.",
        "Cautions that could not be assessed: Title K-2.",
    ]


def test_parameters_that_were_given_stand_in_the_notes():
    care_plan = plan(decision(), parameters={"Start": "2025-03-03", "segments": "6"})
    assert notes(care_plan)[-1] == "Parameters: Start 2025-03-03, segments 6; others by default."


def test_a_protocol_that_words_its_settings_and_warnings_has_them_in_the_notes():
    inputs = PlanInputs(
        {"reference": "Patient/p"},
        "2025-03-03",
        decision(),
        {"segments": "6"},
        settings=("6 segments", "120 minutes"),
        warnings=("A goal is missed.",),
    )
    care_plan = build_care_plan(PLAN, ACTIVITIES, {"Day": "2025-03-04"}.__getitem__, inputs)
    assert notes(care_plan)[-2:] == ["A goal is missed.", "Settings: 6 segments; 120 minutes."]


def test_override_names_its_reason_and_what_it_overrides():
    given = decision(status="indeterminate", unknown=["X-BLEED"], failed=["C-AGE"])
    given["criteria"][1]["answer"] = "not-met"
    given["criteria"][2]["answer"] = "unknown"
    care_plan = plan(given, parameters={}, override_reason="board decision")
    assert notes(care_plan)[0] == (
        "Override: board decision; status indeterminate; "
        "criteria overridden: Title C-AGE (C-AGE, not met), Title X-BLEED (X-BLEED, unknown)."
    )


def test_override_that_nothing_needed_says_so():
    care_plan = plan(decision(), parameters={}, override_reason="to be safe")
    assert notes(care_plan)[0] == "Override: to be safe; no criterion needed it."


@pytest.mark.parametrize("absent", ["goal", "relatedArtifact"])
def test_plan_without_goals_or_notes_has_no_empty_lists(absent):
    small = {name: value for name, value in PLAN.items() if name != absent}
    inputs = PlanInputs({"reference": "Patient/p"}, "2025-03-03", decision(), {})
    care_plan = build_care_plan(small, ACTIVITIES, {"Day": "2025-03-04"}.__getitem__, inputs)
    assert [] not in care_plan.values()
