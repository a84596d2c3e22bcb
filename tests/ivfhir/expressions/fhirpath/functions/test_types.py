"""What an item is."""

import pytest

from ivfhir.errors import FhirPathError
from tests.ivfhir.expressions.fhirpath.asked import PATIENT, ask, ask_all_ways


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("gender is code", [True]),
        ("gender is string", [True]),
        ("gender is String", [False]),
        ("gender.as(string)", []),
        ("gender.ofType(code)", ["female"]),
        ("active is boolean", [True]),
        ("1 is Integer", [True]),
        ("1 is System.Integer", [True]),
        ("1 is FHIR.integer", [False]),
        ("5 'mg' is Quantity", [True]),
        ("photo is Attachment", []),
        ("$this is Patient", [True]),
        ("$this is DomainResource", [True]),
        ("$this is FHIR.Resource", [True]),
        ("(deceased as boolean)", [False]),
        ("deceased.as(dateTime)", []),
        ("deceased.ofType(boolean)", [False]),
        ("name.ofType(HumanName).use", ["official", "nickname"]),
        ("name.first().as(HumanName).use", ["official"]),
        ("(1 | 'a' | 2).ofType(Integer)", [1, 2]),
        ("gender.type().name", ["code"]),
        ("gender.type().namespace", ["FHIR"]),
        ("1.type().namespace", ["System"]),
        ("contact.type().name", ["BackboneElement"]),
        ("name[0].family.is(string)", [True]),
    ],
)
def test_what_it_gives(text, expected):
    assert ask_all_ways(text, PATIENT) == expected


def observation(**value):
    return {"resourceType": "Observation", **value}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("value.ofType(Quantity).value", [5]),
        ("(value as Quantity).unit", ["mg"]),
        ("value.is(Quantity)", [True]),
        ("value.ofType(string)", []),
        ("value.where($this is Quantity).code", ["mg"]),
    ],
)
def test_a_choice_is_narrowed(text, expected):
    quantity = observation(valueQuantity={"value": 5, "unit": "mg", "code": "mg"})
    assert ask_all_ways(text, quantity) == expected


def test_an_age_is_a_quantity():
    aged = observation(extension=[{"url": "u", "valueAge": {"value": 5}}])
    assert ask_all_ways("extension.value.ofType(Quantity).value", aged) == [5]
    assert ask_all_ways("extension.value is Age", aged) == [True]
    assert ask_all_ways("extension.value is Duration", aged) == [False]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Patient is FHIR.Patiennt", "no type FHIR.Patiennt"),
        ("name.ofType(FHIR.HumanNam)", "no type FHIR.HumanNam"),
        ("gender is strin", "no type strin"),
        ("gender.is('x')", "must be a type's name"),
        ("name.as(HumanName)", "takes one item"),
        ("name is HumanName", "takes one item"),
    ],
)
def test_a_type_that_is_not_there_and_several_items_are_refused(text, said):
    with pytest.raises(FhirPathError, match=said):
        ask_all_ways(text, PATIENT)


def test_strict_mode_refuses_a_type_that_it_can_never_be():
    with pytest.raises(FhirPathError, match="never a Coding"):
        ask("name.first().as(Coding)", PATIENT, strict=True)
