"""What an element is not asked would not have found anything."""

import pytest

from benchmarks.validators.examples import mcode_examples
from benchmarks.validators.mutants import by_chance, faulty
from ivfhir.fhir.json import loads
from ivfhir.validation import checks, validate, validate_resource
from ivfhir.validation.alike import Alike

LINK = {"relation": "self", "url": "https://x.example/"}
SEVERAL = [
    {"resourceType": "Bundle", "type": "searchset", "link": [LINK, LINK]},
    {"resourceType": "ValueSet", "status": "draft", "compose": {"include": [{"system": "x"}]}},
    {"resourceType": "CodeSystem", "status": "draft", "content": "complete", "url": "x"},
    {"resourceType": "Patient", "name": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}]},
    {"resourceType": "Patient", "_gender": {"id": "a"}, "name": [{"id": "a", "text": "y"}]},
    {"resourceType": "Condition", "onsetAge": {"value": 1, "system": "x", "code": "a"}},
]
"""What no example is about: links of a search, definitions, ids of elements, an Age."""


@pytest.fixture
def asked_everything(monkeypatch):
    """Ask each element each check; the checks pass over what they are not about themselves.

    None is passed over for another that is alike and was right.
    """

    def ask_everything():
        every = tuple(check for _, check in checks._ALL)
        monkeypatch.setattr(validate, "checks_of", lambda *about: every)
        monkeypatch.setattr(Alike, "key_of", lambda *about: None)

    return ask_everything


def test_each_element_is_asked_all_that_it_can_break(asked_everything):
    examples = [(name, loads(text, place=name)) for name, text in mcode_examples()]
    mutants = [*faulty(examples, 250, seed=11), *by_chance(examples, 250, seed=12)]
    resources = [*SEVERAL, *(resource for _, resource in examples), *(e.resource for e in mutants)]
    told = [validate_resource(each) for each in resources]
    asked_everything()
    assert [validate_resource(each) for each in resources] == told
    assert sum(map(len, told)) > len(mutants)
