"""A server's OperationOutcome becomes issues with places, whatever it holds."""

import pytest

from ivfhir.validation.outcomes import issues_of, outcome_in
from ivfhir.validation.structure import MAX_ISSUES
from tests.counted import calls_in

RAW = {"resourceType": "Patient", "gender": "f", "name": [{"family": "x"}]}


def outcome(*issues):
    return {"resourceType": "OperationOutcome", "issue": list(issues)}


def test_the_servers_own_id_and_place_are_kept():
    [issue] = issues_of(
        outcome(
            {
                "severity": "fatal",
                "code": "processing",
                "location": ["Line[3] Col[4]", "Patient.name[0]"],
                "details": {"coding": [{"code": "http://hl7.org/x#dom-6"}]},
                "diagnostics": "no narrative",
            }
        ),
        RAW,
    )
    assert (issue.severity, issue.rule, issue.text) == ("error", "dom-6", "no narrative")
    assert (issue.expression, issue.pointer) == ("Patient.name[0]", ("name", 0))


def test_the_place_inside_what_was_sent_is_that_of_the_resource():
    told = {"severity": "error", "code": "value", "expression": ["Parameters.x.gender"]}
    [issue] = issues_of(outcome(told), RAW, inside="Parameters.x")
    assert (issue.expression, issue.pointer) == ("Patient.gender", ("gender",))


def test_an_element_that_is_named_in_words_is_found_where_there_is_one():
    told = {"severity": "error", "code": "processing", "diagnostics": '[element="gender"] is bad'}
    assert issues_of(outcome(told), RAW)[0].pointer == ("gender",)
    told["diagnostics"] = '[element="none"] is bad'
    assert issues_of(outcome(told), RAW)[0].pointer == ()


def test_that_nothing_was_found_is_no_issue():
    clean = {"severity": "information", "code": "informational", "diagnostics": "All OK"}
    assert issues_of(outcome(clean), RAW) == []
    assert len(issues_of(outcome({**clean, "expression": ["Patient"]}), RAW)) == 1


@pytest.mark.parametrize(
    "told", [{}, {"severity": 7, "code": [], "expression": "x", "details": 3, "extension": {}}]
)
def test_what_is_no_issue_of_fhir_is_told_all_the_same(told):
    [first, _] = issues_of(outcome(told, told), RAW)
    assert (first.severity, first.pointer) == ("information", ())


def test_many_and_long_ones_are_cut():
    told = {"severity": "error", "code": "value", "diagnostics": "x" * 9_000}
    issues = issues_of(outcome(*[told] * 5_000), RAW)
    assert len(issues) == MAX_ISSUES
    assert len(issues[0].text) == 1_000


def test_many_that_are_named_in_words_are_looked_for_once():
    raw = RAW | {"contact": [{"name": {"family": str(n)}} for n in range(20_000)]}
    told = {"severity": "error", "code": "value", "diagnostics": '[element="gender"] is bad'}
    one = calls_in(lambda: issues_of(outcome(told), raw))
    told_of = []
    all_of_them = calls_in(lambda: told_of.extend(issues_of(outcome(*[told] * MAX_ISSUES), raw)))
    assert all_of_them < 3 * one
    assert [each.pointer for each in told_of] == [("gender",)] * MAX_ISSUES


def test_an_outcome_may_be_the_answer_or_in_it():
    own = outcome()
    assert outcome_in(own) is own
    part = {"name": "return", "resource": own}
    assert outcome_in({"resourceType": "Parameters", "parameter": [7, part]}) is own
    assert outcome_in({"resourceType": "Parameters", "parameter": {}}) is None
    assert outcome_in(RAW) is None
