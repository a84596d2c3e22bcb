"""Equality, equivalence and order, three-valued."""

import pytest

from ivfhir.errors import FhirPathError
from tests.ivfhir.expressions.fhirpath.asked import PATIENT, ask, ask_all_ways

UCUM = "http://unitsofmeasure.org"


def observation(**quantity):
    return {"resourceType": "Observation", "valueQuantity": quantity}


LONG = "12345678901234567890123456789012345678901234567890.5"
"""More digits than are computed with."""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 = 1.0", [True]),
        ("1 = true", [False]),
        ("1 = '1'", [False]),
        ("'a' = 'A'", [False]),
        ("'a  b' ~ 'A B'", [True]),
        ("@2020 = @2020-05", []),
        ("@2019 = @2020-05", [False]),
        ("@2020-05-01 = @2020-05-01T10:00", []),
        ("@2020-05-01 ~ @2020-05-01T10:00", [False]),
        ("@2020-05-01T10:00:00Z = @2020-05-01T12:00:00+02:00", [True]),
        ("@2020-05-01T10:00:00Z = @2020-05-01T10:00:00", []),
        ("@2020-05-01T10:00:00Z = @2020-05-03T10:00:00", [False]),
        ("@2020-05-01T10:00:00Z < @2020-05-03T10:00:00", [True]),
        ("@2020-05-03T10:00:00 > @2020-05-01T10:00:00Z", [True]),
        ("@2020-05-01T10:00:00 > @2020-05-01T10:00:00Z", []),
        ("@T10:00 < @T10:01", [True]),
        ("@T10 < @T10:01", []),
        ("1 'g' = 1000 'mg'", [True]),
        ("1 'g' > 999 'mg'", [True]),
        ("1 'g' = 1 'm'", [False]),
        ("1 'g' < 1 'm'", []),
        ("1 year = 1 'a'", []),
        ("1 '0' = 1 'g'", []),
        ("1 '0' ~ 1", [False]),
        ("5 = 5 '1'", [True]),
        ("1.55 ~ 1.5", [False]),
        ("1.54 ~ 1.5", [True]),
        (f"{LONG} ~ 1.5", [False]),
        (f"{LONG} ~ {LONG}", [True]),
        (f"{LONG} 'g' ~ {LONG}1 'g'", [False]),
        ("(1 | 2) = (1 | 2)", [True]),
        ("(1 | 2) = (2 | 1)", [False]),
        ("(1 | 2) ~ (2 | 1)", [True]),
        ("{} = 1", []),
        ("{} ~ {}", [True]),
        ("(1 | 1.0 | 1 '1').count()", [1]),
    ],
)
def test_values_are_compared(text, expected):
    assert ask(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("birthDate = @1960-05", [True]),
        ("birthDate < @1960-06-01", [True]),
        ("birthDate < @1960-05-15", []),
        ("name[0] = name[0]", [True]),
        ("name[0] = name[1]", [False]),
        ("name.where(use = 'official').given = ('Per' | 'Olof')", [True]),
        ("active = true", [True]),
        ("name.use = 'official'", [False]),
        ("'Pelle' in name.given", [True]),
        ("name.given contains 'Nils'", [False]),
        ("suffix = 'x'", []),
    ],
)
def test_elements_are_compared_by_their_values(text, expected):
    assert ask_all_ways(text, PATIENT) == expected


@pytest.mark.parametrize(
    ("quantity", "text", "expected"),
    [
        ({"value": 5, "system": UCUM, "code": "g"}, "value = 5000 'mg'", [True]),
        ({"value": 5, "system": UCUM, "code": "a"}, "value = 5 years", [True]),
        ({"value": 5, "unit": "g"}, "value > 4 'g'", [True]),
        ({"value": 5, "comparator": "<", "system": UCUM, "code": "g"}, "value > 4 'g'", []),
        ({"value": 5, "comparator": "<", "system": UCUM, "code": "g"}, "value + 4 'g'", []),
        ({"unit": "g"}, "value > 4 'g'", []),
    ],
)
def test_a_quantity_of_fhir_is_one_of_fhirpath_where_it_is_one_amount(quantity, text, expected):
    assert ask_all_ways(text, observation(**quantity)) == expected


def test_values_without_an_order_are_refused_with_their_types():
    with pytest.raises(FhirPathError, match="a Integer and a String have no order"):
        ask("1 < 'a'")


def test_an_element_without_a_value_is_compared_like_none():
    assert ask_all_ways("name[1].given[0] = 'x'", PATIENT) == []
