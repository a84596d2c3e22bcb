"""Conversions, casts and messages: https://cql.hl7.org/09-b-cqlreference.html#type-operators-1."""

from decimal import Decimal as D

import pytest

from ivfhir.errors import EvaluationError
from ivfhir.expressions.values import DateTime, Quantity
from tests.ivfhir.expressions.loaded import day, moment, same, time, value

ANSWERS = {
    "IntegerToString": "5",
    "DecimalToString": "5.50",
    "BooleanToString": "true",
    "QuantityToString": "5.5 'mg'",
    "DateToString": "2024-02",
    "DateTimeToString": "2024-02-03T04:05:06.007+01:00",
    "StringToInteger": -12,
    "StringToIntegerFails": None,
    "StringToIntegerTooLarge": None,
    "StringToDecimal": D("12.50"),
    "StringToDecimalFails": None,
    "StringToBoolean": True,
    "StringToBooleanFails": None,
    "StringToDate": day("2024-02-03"),
    "StringToDateFails": None,
    "StringToDateTime": moment("2024-02-03T04:05:06Z"),
    "StringToDateTimeHere": moment("2024-02-03T04:05:06Z"),
    "StringToTime": time("14:30"),
    "StringToQuantity": Quantity(D("5.5"), "mg"),
    "StringToQuantityFails": None,
    "IntegerToDecimal": D(5),
    "IntegerToQuantity": Quantity(D(5)),
    "DateToDateTime": DateTime((2024, 2, 3), 0),
    "DateTimeToDate": day("2024-02-03"),
    "ConvertsYes": True,
    "ConvertsNo": False,
    "ConvertsNull": None,
    "ConvertText": 5,
    "IsInteger": True,
    "IsString": False,
    "AsString": None,
    "AsInteger": 5,
    "NullIsInteger": False,
    "WarningGivesSource": 3,
    "ErrorNotMet": 3,
}


@pytest.mark.parametrize("define", ANSWERS)
def test_answer(define: str) -> None:
    assert same(value("Strings", define), ANSWERS[define])


def test_a_strict_cast_of_another_type_stops() -> None:
    with pytest.raises(EvaluationError, match="Strings: CastFails: cast"):
        value("Strings", "CastFails")


def test_a_message_of_severity_error_stops() -> None:
    with pytest.raises(EvaluationError, match="Strings: ErrorStops: code: text"):
        value("Strings", "ErrorStops")
