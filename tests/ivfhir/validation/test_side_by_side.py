"""What both say is said once; what differs in place, kind or weight is not."""

import pytest

from ivfhir.validation import Issue
from ivfhir.validation.side_by_side import side_by_side
from ivfhir.validation.structure import MAX_ISSUES
from tests.counted import calls_in

RAW = {
    "resourceType": "Patient",
    "gender": "f",
    "name": [{"family": "x"}],
    "contact": [{"gender": "x"}, {"gender": "y"}],
}


def issue(rule, *pointer, severity="error", text="", code="processing"):
    return Issue(severity, code, "", text, rule, pointer)


def told(ours, theirs):
    return [(said.by, said.also is not None) for said in side_by_side([ours], [theirs], RAW)]


ONCE = [("ivfhir", True)]
APART = [("ivfhir", False), ("server", False)]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (issue("binding-required", "gender"), issue("Terminology_TX_NoValid_16", "gender")),
        (issue("binding-required", "gender"), issue("x", "gender", code="code-invalid")),
        (issue("binding-required", "gender"), issue("processing", "gender")),
        (issue("type-code", "gender"), issue("x", "gender", code="value")),
        (issue("json-shape", "name"), issue("x", "name", 0, text="name: must be an Array")),
        (issue("pat-1", "contact", 1, code="invariant"), issue("pat-1", "contact", 1)),
        (issue("pat-1", code="invariant"), issue("x", text="Constraint failed: pat-1: …")),
        (
            issue("cardinality", text="Patient.contact[0] has no url; R4 asks for it."),
            issue("Validation_VAL_Profile_Minimum", text="Extension.url: minimum required = 1"),
        ),
        (
            issue("unknown-element", "gendre"),
            issue("processing", text="Unrecognized property 'gendre'"),
        ),
    ],
)
def test_one_place_and_one_kind_are_one_issue(ours, theirs):
    assert told(ours, theirs) == ONCE


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (issue("binding-required", "gender"), issue("Terminology_X", "contact", 0, "gender")),
        (issue("pat-1", "contact", 0, code="invariant"), issue("pat-1", "contact", 1)),
        (issue("pat-1", code="invariant"), issue("dom-6")),
        (issue("binding-required", "gender"), issue("Type_Specific_Checks_X", "gender")),
        (issue("type-code", "gender"), issue("x", "gender", severity="warning", code="value")),
        (issue("unknown-element", "gendre"), issue("x", text="Unrecognized property 'gendr'")),
        (issue("full-url"), issue("processing")),
    ],
)
def test_another_place_kind_or_weight_is_another_issue(ours, theirs):
    assert told(ours, theirs) == APART


def test_each_issue_of_the_server_is_taken_once():
    ours = [issue("binding-required", "gender"), issue("code-system", "gender")]
    said = side_by_side(ours, [issue("Terminology_X", "gender")], RAW)
    assert [each.also is not None for each in said] == [True, False]


def test_what_a_server_says_twice_of_one_cause_is_told_once():
    ours = issue("json-shape", "name")
    theirs = [
        issue("x", "name", 0, text="name: must be an Array"),
        issue("y", "name", 0, text="It has no content"),
        issue("ele-1", "name", 0, text="ele-1"),
        issue("z", "name", 0, text="a code", code="code-invalid"),
    ]
    [both, left] = side_by_side([ours], theirs, RAW)
    assert both.also is not None
    assert both.also.text == "name: must be an Array / It has no content / ele-1"
    assert (left.by, left.issue.text) == ("server", "a code")


def test_both_come_first_then_ours_then_theirs():
    ours = [issue("size"), issue("type-code", "gender")]
    theirs = [issue("other"), issue("x", "gender", code="value")]
    said = side_by_side(ours, theirs, RAW)
    assert [(each.issue.rule, each.by) for each in said] == [
        ("type-code", "ivfhir"),
        ("size", "ivfhir"),
        ("other", "server"),
    ]


def test_thousands_are_matched_in_no_time():
    """Each is looked up by place, kind and name: not each beside each."""
    ours = [issue("unknown-element", "name", 0, f"k{n}") for n in range(MAX_ISSUES)]
    words = " x" * 400
    theirs = [
        issue("x", "name", 0, text=f"Unrecognized property 'k{n}'{words}")
        for n in reversed(range(MAX_ISSUES))
    ]
    others = [
        issue("x", "name", 0, text=f"Unrecognized property 'z{n}'{words}") for n in range(500)
    ]
    said = []
    calls = calls_in(lambda: said.extend(side_by_side(ours, [*others, *theirs], RAW)))
    assert calls < 300 * len(theirs)
    assert [each.also is not None for each in said] == [True] * MAX_ISSUES + [False] * 500


def test_an_element_whose_name_is_no_word_is_found_in_a_sentence():
    ours = [issue("unknown-element", "my-key"), issue("unknown-element", "a b")]
    theirs = issue("x", text="Unrecognized property 'my-key'")
    said = side_by_side(ours, [issue("x", text="Unrecognized property 'my-keys'"), theirs], RAW)
    assert [(each.issue.pointer, each.also) for each in said if each.by == "ivfhir"] == [
        (("my-key",), theirs),
        (("a b",), None),
    ]
