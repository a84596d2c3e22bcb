"""What a plan may need of us, refused at load when we do not have it."""

import pytest

from ivfhir.errors import KnowledgeError, UnsupportedError
from ivfhir.knowledge.actions import check_actions, walk_actions

LIBRARY = "https://example.org/Library/L|1"
DEFINES = {LIBRARY: {"Yes", "Day"}}
LEAF = {"id": "leaf", "definitionCanonical": "https://example.org/ActivityDefinition/a|1"}


def plan(*actions):
    return {"id": "P", "action": list(actions)}


def expression(name="Yes", language="text/cql", reference=LIBRARY):
    return {"language": language, "expression": name, "reference": reference}


def with_condition(**changes):
    return LEAF | {"condition": [{"kind": "applicability", "expression": expression(**changes)}]}


def test_actions_are_walked_parents_first():
    tree = plan({"id": "a", "action": [{"id": "b", "action": [LEAF]}]}, {"id": "c"})
    assert [action["id"] for action in walk_actions(tree)] == ["a", "b", "leaf", "c"]


def test_good_plan_passes():
    dated = with_condition() | {
        "dynamicValue": [{"path": "occurrenceTiming.event[0]", "expression": expression("Day")}]
    }
    check_actions(plan({"id": "group", "action": [dated]}), DEFINES)


def test_expression_without_reference_means_the_library_of_the_plan():
    leaf = with_condition()
    del leaf["condition"][0]["expression"]["reference"]
    check_actions(plan(leaf), DEFINES)


@pytest.mark.parametrize(
    ("actions", "error", "words"),
    [
        ([LEAF, LEAF], KnowledgeError, "id of its own"),
        ([{"definitionCanonical": LEAF["definitionCanonical"]}], KnowledgeError, "id of its own"),
        ([with_condition(name="No")], KnowledgeError, "names No"),
        ([with_condition(reference="https://example.org/Library/M|1")], KnowledgeError, "not list"),
        ([with_condition(language="text/fhirpath")], UnsupportedError, "text/fhirpath"),
        ([{"id": "bare"}], UnsupportedError, "rqg-1"),
        ([LEAF | {"action": [LEAF | {"id": "b"}]}], UnsupportedError, "rqg-1"),
        ([LEAF | {"definitionCanonical": "u/PlanDefinition/b"}], UnsupportedError, "Only|only"),
        ([{"id": "u", "definitionUri": "urn:x"}], UnsupportedError, "only ActivityDefinitions"),
        (
            [LEAF | {"dynamicValue": [{"path": "status", "expression": expression("Day")}]}],
            UnsupportedError,
            "stay as drafted",
        ),
        (
            [LEAF | {"dynamicValue": [{"path": "a.first()", "expression": expression("Day")}]}],
            UnsupportedError,
            "not simple",
        ),
    ],
)
def test_what_we_do_not_have_is_refused(actions, error, words):
    with pytest.raises(error, match=words):
        check_actions(plan(*actions), DEFINES)
