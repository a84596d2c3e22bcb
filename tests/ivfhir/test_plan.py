"""A CarePlan around the requests: whole, for a small protocol."""

import pytest

from ivfhir.decision import Criterion, Evidence, ProtocolDecision, Truth
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


TRUTHS = {
    ("inclusion", "met"): Truth.TRUE,
    ("inclusion", "not-met"): Truth.FALSE,
    ("contraindication-absolute", "met"): Truth.FALSE,
    ("caution", "not-met"): Truth.TRUE,
}


def criterion(name, kind, answer, *references):
    evidence = [Evidence(each, *[None] * 8) for each in references]
    truth = TRUTHS.get((kind, answer), Truth.UNKNOWN)
    words = (f"Title {name}", f"Rule {name}.", "source")
    return Criterion(name, kind, *words, truth, tuple(evidence), (), ())


def decision(*, age="met", bleeding="met", **lists):
    lists = {name: tuple(ids) for name, ids in lists.items() if name != "status"} | {
        "status": lists.get("status", "eligible")
    }
    none = dict.fromkeys(("failed", "unknown", "cautions", "not_assessable"), ())
    criteria = (
        criterion("P-I01", "inclusion", "met", "Condition/cancer"),
        criterion("C-AGE", "inclusion", age, "Patient/p"),
        criterion("X-BLEED", "contraindication-absolute", bleeding, "Observation/inr"),
        criterion("K-1", "caution", "not-met", "Observation/inr", "Condition/cough"),
        criterion("K-2", "caution", "unknown"),
    )
    return ProtocolDecision(id="P", version="1", criteria=criteria, **none | lists)


def value_of(expression):
    return {"Day": "2025-03-04"}[expression["expression"]]


def plan(answered, **inputs):
    return build_care_plan(
        PLAN,
        ACTIVITIES,
        value_of,
        PlanInputs({"reference": "Patient/p"}, "2025-03-03", answered, **inputs),
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
    care_plan = plan(decision(cautions=["K-1"], not_assessable=["K-2"]), parameters={})
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
    care_plan = build_care_plan(PLAN, ACTIVITIES, value_of, inputs)
    assert notes(care_plan)[-2:] == ["A goal is missed.", "Settings: 6 segments; 120 minutes."]


def test_override_names_its_reason_and_what_it_overrides():
    lists = {"unknown": ["X-BLEED"], "failed": ["C-AGE"]}
    given = decision(status="indeterminate", age="not-met", bleeding="unknown", **lists)
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
    care_plan = build_care_plan(small, ACTIVITIES, value_of, inputs)
    assert [] not in care_plan.values()
