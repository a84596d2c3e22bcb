"""`$apply` of a PlanDefinition that is none of ours: two libraries, no gate.

See http://hl7.org/fhir/R4/plandefinition-operation-apply.html.
"""

import pytest

from ivfhir.activity import Origin
from ivfhir.apply import Grounds, apply, values_of
from ivfhir.errors import KnowledgeError
from ivfhir.expressions.elm import load_libraries
from ivfhir.expressions.index import ResourceIndex
from ivfhir.knowledge.actions import check_actions

WORK = "https://other.example/ActivityDefinition/work"
ACTIVITIES = {
    WORK: {"resourceType": "ActivityDefinition", "id": "work", "url": WORK, "kind": "Task"}
}
RULES, DAYS = (f"https://other.example/Library/{name}|1" for name in ("Rules", "Days"))


def library(name, **defines):
    """Return ELM with a define for each boolean or text."""
    definitions = [
        {
            "name": define,
            "expression": {
                "type": "Literal",
                "valueType": f"{{urn:hl7-org:elm-types:r1}}{kind}",
                "value": value,
            },
        }
        for define, (kind, value) in defines.items()
    ]
    identifier = {"id": name, "version": "1"}
    return {"library": {"identifier": identifier, "statements": {"def": definitions}}}


def libraries():
    loaded = load_libraries(
        [
            library("Rules", Yes=("Boolean", "true"), Both=("Boolean", "true")),
            library("Days", Words=("String", "as Days says"), Both=("Boolean", "false")),
        ]
    )
    return {RULES: loaded["Rules", "1"], DAYS: loaded["Days", "1"]}


def expression(name, reference=None):
    there = {} if reference is None else {"reference": reference}
    return {"language": "text/cql", "expression": name, **there}


def plan_definition(condition, **more):
    action = {
        "id": "a",
        "definitionCanonical": WORK,
        "condition": [{"kind": "applicability", "expression": condition}],
        "dynamicValue": [{"path": "description", "expression": expression("Words")}],
    }
    return {"resourceType": "PlanDefinition", "id": "theirs", "action": [action], **more}


def applied(definition):
    known = libraries()
    check_actions(definition, {name: each.defines for name, each in known.items()})
    session = known[RULES].session(ResourceIndex(None, []), beside=known.values())
    grounds = Grounds(Origin({"reference": "Patient/p"}, "2025-03-03"))
    return apply(definition, ACTIVITIES, values_of(known, session), grounds)


def test_a_definition_without_title_version_goal_and_gate_is_applied():
    group = {
        "resourceType": "RequestGroup",
        "id": "theirs-group",
        "status": "draft",
        "intent": "proposal",
        "subject": {"reference": "Patient/p"},
        "authoredOn": "2025-03-03",
        "action": [{"id": "a", "resource": {"reference": "#a"}}],
    }
    care_plan = applied(plan_definition(expression("Yes")))
    first, task = care_plan["contained"]
    assert first == group
    assert (task["resourceType"], task["description"]) == ("Task", "as Days says")
    assert task["instantiatesCanonical"] == WORK
    assert care_plan["activity"] == [{"reference": {"reference": "#theirs-group"}}]
    assert not {"instantiatesCanonical", "title", "goal", "note"} & care_plan.keys()


def test_a_plan_instantiates_its_canonical_with_the_version_where_it_has_one():
    url = "https://other.example/PlanDefinition/theirs"
    bare = applied(plan_definition(expression("Yes"), url=url))
    versioned = applied(plan_definition(expression("Yes"), url=url, version="3"))
    assert bare["instantiatesCanonical"] == [url]
    assert versioned["instantiatesCanonical"] == [f"{url}|3"]


def test_a_reference_picks_the_library():
    assert len(applied(plan_definition(expression("Both", RULES)))["contained"]) == 2
    assert len(applied(plan_definition(expression("Both", DAYS)))["contained"]) == 1


def test_a_name_that_two_libraries_define_is_refused():
    with pytest.raises(
        KnowledgeError, match=r"a names Both, which .*Rules\|1 and .*Days\|1 define"
    ):
        applied(plan_definition(expression("Both")))


def test_a_name_that_no_library_defines_is_refused():
    with pytest.raises(KnowledgeError, match=r"a names Nowhere, which .* does not define"):
        applied(plan_definition(expression("Nowhere")))


def test_a_library_that_the_plan_does_not_list_is_refused():
    with pytest.raises(KnowledgeError, match="which the plan does not list"):
        applied(plan_definition(expression("Yes", "https://other.example/Library/More|1")))
