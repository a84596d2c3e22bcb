"""Conversions: what cannot be converted gives nothing."""

import pytest

from tests.ivfhir.expressions.fhirpath.asked import PATIENT, ask_all_ways


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("'1'.toInteger()", [1]),
        ("'1.5'.toInteger()", []),
        ("true.toInteger()", [1]),
        ("'+5'.toInteger()", [5]),
        ("'99999999999'.toInteger()", []),
        ("'Y'.toBoolean()", [True]),
        ("0.0.toBoolean()", [False]),
        ("2.toBoolean()", []),
        ("'maybe'.convertsToBoolean()", [False]),
        ("1.5.toString()", ["1.5"]),
        ("true.toString()", ["true"]),
        ("5 'mg'.toString()", ["5 'mg'"]),
        ("1 week.toString()", ["1 week"]),
        ("@2020-05.toString()", ["2020-05"]),
        ("birthDate.toString()", ["1960-05"]),
        ("'2020-05-01T10:00'.toDate()", ["2020-05-01"]),
        ("@2020-05-01T10:00.toDate()", ["2020-05-01"]),
        ("'2020-13'.toDate()", []),
        ("'x'.convertsToDate()", [False]),
        ("'2020-05-01T10:00Z'.toDateTime()", ["2020-05-01T10:00Z"]),
        ("@2020-05.toDateTime()", ["2020-05"]),
        ("'10:30'.toTime()", ["10:30"]),
        ("'25:00'.toTime()", []),
        ("@2020-05-01T10:30:00.toTime()", ["10:30:00"]),
        ("'4 days'.convertsToQuantity()", [True]),
        ("'4 wk'.convertsToQuantity()", [False]),
        ("'x'.toQuantity()", []),
        ("(1 'g').toQuantity('mg') = 1000 'mg'", [True]),
        ("(1 'g').convertsToQuantity('m')", [False]),
        ("{}.convertsToInteger()", []),
        ("name.given.first().convertsToString()", [True]),
    ],
)
def test_what_it_gives(text, expected):
    assert ask_all_ways(text, PATIENT) == expected
