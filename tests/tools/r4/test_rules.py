"""A rule stands where it is said first, and only what FHIRPath can ask."""

from tools.r4.rules import build_rules


def definition(*elements, **words):
    snapshot = {"element": list(elements)}
    return {"resourceType": "StructureDefinition", "kind": "resource", "snapshot": snapshot} | words


def rule(key, expression="a.exists()", **words):
    return {"key": key, "severity": "error", "human": "An a.", "expression": expression} | words


def test_own_rules_are_kept_by_their_element():
    box = definition(
        {"path": "Box", "constraint": [rule("box-1"), rule("dom-2", source="DomainResource")]},
        {"path": "Box.lid[x]", "constraint": [rule("box-2")]},
        {"path": "Box.side"},
    )
    assert build_rules([box]) == {
        "Box": [["box-1", "error", "An a.", "a.exists()"]],
        "Box.lid": [["box-2", "error", "An a.", "a.exists()"]],
    }


def test_rules_of_the_profile_of_a_type_are_the_elements():
    url = "http://x.example/Simple"
    simple = definition(derivation="constraint", url=url)
    simple["differential"] = {"element": [{"path": "Quantity", "constraint": [rule("s-1")]}, {}]}
    types = [{"code": "Quantity", "profile": [url, "http://x.example/none"]}]
    low = {"path": "Box.low", "base": {"path": "Box.low"}, "type": types}
    inherited = {"path": "Box.high", "base": {"path": "Case.high"}, "type": types}
    assert build_rules([definition(low, inherited), simple]) == {
        "Box.low": [["s-1", "error", "An a.", "a.exists()"]]
    }


def test_what_is_asked_otherwise_and_what_has_no_expression_is_left_out():
    without = {"key": "box-3", "severity": "error", "human": "An a."}
    box = definition({"path": "Box", "constraint": [rule("ele-1"), rule("cid-0"), without]})
    profile = definition({"path": "P"}, derivation="constraint", url="u")
    profile["differential"] = {"element": []}
    assert build_rules([box, profile]) == {}


def test_a_rule_that_cannot_be_meant_is_mended():
    words = [("que-7", "answer is Boolean"), ("que-12", "enableWhen.count() > 2 implies x")]
    box = definition({"path": "Box", "constraint": [rule(*each) for each in words]})
    assert [each[3] for each in build_rules([box])["Box"]] == [
        "answer is boolean",
        "enableWhen.count() > 1 implies x",
    ]
