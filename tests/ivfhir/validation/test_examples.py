"""The specification's own examples: no false error.

Some of them do break R4; each stands here with what is wrong with it.
"""

import pytest

from benchmarks.validators.examples import WRONG_MCODE, WRONG_R4, mcode_examples, r4_examples
from ivfhir.fhir.json import loads
from ivfhir.validation import validate_resource
from tests.servers.needs import need
from tools.r4 import source

OF_THE_WHOLE = frozenset({"too-many", "profile"})
"""Information that is no rule that could not be asked."""


@pytest.fixture(scope="module")
def examples():
    need(source.missing_npm())
    return dict(r4_examples())


def errors_of(resource):
    return {i.rule for i in validate_resource(resource) if i.severity == "error"}


def test_an_example_has_an_error_only_where_it_is_wrong(examples):
    assert len(examples) > 600
    found = {}
    for name, text in examples.items():
        resource = loads(text, place=name)
        errors = errors_of(resource)
        if errors:
            found[name] = errors
        assert resource == loads(text, place=name)
    assert found == {name: set(rules) for name, rules in WRONG_R4.items()}


def test_so_has_one_of_mcode():
    need(source.missing_npm(source.MCODE))
    examples = {name: loads(text, place=name) for name, text in mcode_examples()}
    assert len(examples) == 179
    found = {name: errors for name, each in examples.items() if (errors := errors_of(each))}
    assert found == {name: set(rules) for name, rules in WRONG_MCODE.items()}


def test_a_rule_is_asked_of_each_example(examples):
    asked = [
        issue.text
        for name, text in examples.items()
        for issue in validate_resource(loads(text, place=name))
        if issue.severity == "information" and issue.rule not in OF_THE_WHOLE
    ]
    assert asked == []
