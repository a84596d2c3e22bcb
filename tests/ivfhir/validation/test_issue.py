"""A message names the element as JSON does, its place as FHIRPath does."""

import pytest

from ivfhir.validation import Issue, validate_resource

OBSERVATION = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}


@pytest.mark.parametrize(
    ("quantity", "text"),
    [
        ({"value": "7"}, "Observation.valueQuantity.value is text; "),
        ({"units": "mm"}, "Observation.valueQuantity has no element 'units' in FHIR R4; "),
        ({"value": 1, "code": "mm"}, "Observation.valueQuantity breaks R4's rule qty-3: "),
    ],
)
def test_a_choice_is_named_as_in_the_file(quantity, text):
    issues = validate_resource({**OBSERVATION, "valueQuantity": quantity})
    [issue] = [each for each in issues if each.severity == "error"]
    assert issue.text.startswith(text)
    assert "value.ofType(Quantity)" in issue.expression


def test_other_words_stay():
    text = "A.x says entry.resource.ofType(B)"
    assert Issue("error", "x", "A.x", text, "r", ()).text == text
