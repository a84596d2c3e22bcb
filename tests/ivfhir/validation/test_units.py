"""Units of UCUM in quantities and codings."""

import pytest

from ivfhir.validation import validate_resource

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
UCUM = "http://unitsofmeasure.org"


def observation(**members):
    made = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "text": TEXT}
    return made | members


def issues(resource):
    return [(i.severity, i.rule, i.expression, i.text) for i in validate_resource(resource)]


def measured(code, system=UCUM):
    return observation(valueQuantity={"value": 1, "system": system, "code": code})


@pytest.mark.parametrize(
    "resource", [measured("mg/dL"), measured("tablet", "http://x.example"), observation()]
)
def test_a_unit_of_ucum_or_of_another_system_passes(resource):
    assert issues(resource) == []


def test_another_is_an_error_with_what_may_be_meant():
    found = issues(measured("mcg"))
    place = "Observation.value.ofType(Quantity).code"
    assert [each[:3] for each in found] == [("error", "unit", place)]
    shown = "Observation.valueQuantity.code"
    assert found[0][3] == f"{shown} is 'mcg', which holds 'mcg', which UCUM does not have; " + (
        "is ug meant?"
    )


def test_types_that_specialise_quantity_and_codings_are_asked_too():
    age = {"value": 1, "system": UCUM, "code": "years"}
    condition = {
        "resourceType": "Condition",
        "text": TEXT,
        "subject": {"display": "x"},
        "onsetAge": age,
    }
    assert ("error", "unit") in [each[:2] for each in issues(condition)]
    coded = observation(method={"coding": [{"system": UCUM, "code": "mmHg"}]})
    assert [each[1:3] for each in issues(coded)] == [("unit", "Observation.method.coding[0].code")]
