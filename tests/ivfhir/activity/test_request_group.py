"""The tree of actions: what is kept, what is carried over, what is said of the past."""

from ivfhir.activity import Origin
from ivfhir.activity.request_group import PAST, draft_request_group
from ivfhir.expressions.values import DateTime

ORIGIN = Origin({"reference": "Patient/p"}, "2025-03-03T23:59:59.999+01:00")
WORK = "https://example.org/ActivityDefinition/work|1"
ACTIVITIES = {
    WORK: {
        "resourceType": "ActivityDefinition",
        "id": "work",
        "url": "https://example.org/ActivityDefinition/work",
        "version": "1",
        "kind": "ServiceRequest",
        "code": {"text": "Work"},
    }
}
VALUES = {
    "Yes": True,
    "No": False,
    "Unknown": None,
    "Before": DateTime((2025, 3, 2)),
    "Same": DateTime((2025, 3, 3)),
}


def condition(name, kind="applicability"):
    return {"kind": kind, "expression": {"language": "text/cql", "expression": name}}


def leaf(action_id, **more):
    return {"id": action_id, "title": f"Title of {action_id}", "definitionCanonical": WORK, **more}


def draft(*actions):
    plan = {"id": "P", "url": "https://example.org/PlanDefinition/P", "version": "1"}
    plan["action"] = list(actions)
    group, requests, _ = draft_request_group(
        plan, ACTIVITIES, lambda each: VALUES[each["expression"]], ORIGIN
    )
    return group, requests


def ids(actions):
    return [each for a in actions for each in (a["id"], *ids(a.get("action", [])))]


def test_group_is_a_draft_of_the_plan_for_the_patient():
    group, requests = draft(leaf("P.1"))
    assert group == {
        "resourceType": "RequestGroup",
        "id": "P-group",
        "instantiatesCanonical": ["https://example.org/PlanDefinition/P|1"],
        "status": "draft",
        "intent": "proposal",
        "subject": {"reference": "Patient/p"},
        "authoredOn": "2025-03-03T23:59:59.999+01:00",
        "action": [
            {"id": "P.1", "title": "Title of P.1", "resource": {"reference": "#P.1"}},
        ],
    }
    assert [request["id"] for request in requests] == ["P.1"]


def test_only_true_keeps_an_action():
    group, requests = draft(
        leaf("yes", condition=[condition("Yes")]),
        leaf("no", condition=[condition("No")]),
        leaf("unknown", condition=[condition("Unknown")]),
        leaf("both", condition=[condition("Yes"), condition("Unknown")]),
        {"id": "dropped", "condition": [condition("No")], "action": [leaf("inside")]},
    )
    assert ids(group["action"]) == ["yes"]
    assert [request["id"] for request in requests] == ["yes"]


def test_group_that_keeps_nothing_is_left_out():
    group, _ = draft(
        {"id": "empty", "action": [leaf("no", condition=[condition("No")])]},
        {"id": "full", "action": [leaf("yes")]},
    )
    assert ids(group["action"]) == ["full", "yes"]


def test_start_and_stop_conditions_are_carried_and_not_evaluated():
    start, stop = condition("Nowhere", "start"), condition("Nowhere", "stop")
    group, _ = draft(leaf("a", condition=[condition("Yes"), start, stop]))
    assert group["action"][0]["condition"] == [start, stop]


def test_what_a_request_group_can_hold_is_carried():
    documentation = [{"type": "citation", "label": "S3-03", "citation": "Text."}]
    group, _ = draft(
        leaf(
            "a",
            description="What it is.",
            documentation=documentation,
            requiredBehavior="must",
            goalId=["g"],
        )
    )
    assert group["action"] == [
        {
            "id": "a",
            "title": "Title of a",
            "description": "What it is.",
            "documentation": documentation,
            "requiredBehavior": "must",
            "resource": {"reference": "#a"},
        }
    ]


def test_relation_to_an_action_that_is_not_kept_is_dropped():
    relations = [{"actionId": other, "relationship": "after-end"} for other in ("kept", "gone")]
    group, _ = draft(
        {"id": "g", "action": [leaf("kept"), leaf("gone", condition=[condition("No")])]},
        leaf("a", relatedAction=relations),
        leaf("b", relatedAction=relations[1:]),
    )
    _, a, b = group["action"]
    assert a["relatedAction"] == relations[:1]
    assert "relatedAction" not in b


def test_day_before_the_evaluation_is_kept_with_a_note():
    def dated(action_id, define):
        value = {"path": "occurrenceTiming.event[0]", "expression": {"expression": define}}
        return leaf(action_id, dynamicValue=[value])

    _, (before, same) = draft(dated("a", "Before"), dated("b", "Same"))
    assert before["occurrenceTiming"] == {"event": ["2025-03-02"]}
    assert before["note"] == [{"text": PAST}]
    assert same["occurrenceTiming"] == {"event": ["2025-03-03"]}
    assert "note" not in same


def test_day_that_stands_on_the_action_counts_as_the_day_of_its_request():
    day = {"path": "action.timingDateTime", "expression": {"expression": "Before"}}
    group, [request] = draft(leaf("a", dynamicValue=[day]))
    assert group["action"][0]["timingDateTime"] == "2025-03-02"
    assert "occurrenceTiming" not in request
    assert request["note"] == [{"text": PAST}]


def test_plan_definition_is_not_changed():
    relation = [{"actionId": "gone", "relationship": "after"}]
    action = leaf("a", relatedAction=relation)
    draft(action)
    assert action == leaf("a", relatedAction=[{"actionId": "gone", "relationship": "after"}])
