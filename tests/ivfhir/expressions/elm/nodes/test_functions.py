"""Arithmetic, aggregates and strings: https://cql.hl7.org/09-b-cqlreference.html."""

from decimal import Decimal as D

import pytest

from ivfhir.expressions.values import Quantity
from tests.ivfhir.expressions.loaded import day, same, value

NUMBERS = {
    "AddIntegers": 3,
    "AddDecimals": D("3.305"),
    "AddMixed": D("3.5"),
    "AddNull": None,
    "AddOverflow": None,
    "SubtractOverflow": None,
    "MultiplyIntegers": 42,
    "MultiplyOverflow": None,
    "MultiplyDecimals": D("3.075"),
    "DivideIntegers": D("2.5"),
    "DivideEndless": D("3.33333333"),
    "DivideTwoThirds": D("0.66666667"),
    "DivideByZero": None,
    "DivideTruncated": 3,
    "DivideTruncatedNegative": -3,
    "DivideTruncatedZero": None,
    "ModuloPositive": 1,
    "ModuloNegative": -1,
    "ModuloZero": None,
    "ModuloDecimal": D("1.5"),
    "NegateInteger": -5,
    "AbsoluteNegative": 5,
    "AbsoluteDecimal": D("5.50"),
    "CeilingUp": 2,
    "CeilingNegative": -1,
    "FloorDown": 1,
    "FloorNegative": -2,
    "TruncateDown": 1,
    "TruncateNegative": -1,
    "RoundHalf": D(1),
    "RoundNegativeHalf": D(-1),
    "RoundNegativeMore": D(-1),
    "RoundPlaces": D("3.142"),
    "RoundHalfPlaces": D("2.35"),
    "PowerIntegers": 1024,
    "PowerZero": 1,
    "PowerDecimal": D("1.41421356"),
    "PowerNegative": D("0.25"),
    "LnOne": D(0),
    "LnTwo": D("0.69314718"),
    "LnZero": None,
    "LogEight": D(3),
    "ExpZero": D(1),
    "ExpOne": D("2.71828183"),
    "MinimumInteger": -(2**31),
    "MaximumInteger": 2**31 - 1,
    "MaximumDecimal": D("99999999999999999999.99999999"),
    "SuccessorInteger": 2,
    "SuccessorDecimal": D("1.00000001"),
    "PredecessorDay": day("2024-02-29"),
    "SuccessorMonth": day("2024-01"),
    "PrecisionDecimal": 3,
    "LowBoundaryDecimal": D("1.58700000"),
    "HighBoundaryDecimal": D("1.58799999"),
    "LowBoundaryNegative": D("-1.58799999"),
    "QuantityAdd": Quantity(D("1.5"), "g"),
    "QuantitySubtractOther": None,
    "QuantityTimes": Quantity(D(6), "m"),
    "QuantityRatio": Quantity(D(3), "1"),
    "QuantityConvert": Quantity(D("0.005"), "g"),
    "QuantityNoConversion": None,
    "SumIntegers": 4,
    "SumNothing": None,
    "SumQuantities": Quantity(D("1.5"), "g"),
    "MinDecimals": D("1.5"),
    "MaxStrings": "c",
    "MaxDates": day("2024-02-01"),
    "MaxDatesUncertain": None,
    "MinDatesPartial": day("2023"),
    "AverageDecimals": D(3),
    "MedianOdd": D(2),
    "MedianEven": D("2.5"),
    "ModeOne": 2,
    "CountNotNull": 2,
    "CountNull": 0,
    "ProductIntegers": 24,
    "VarianceSample": D("2.5"),
    "VariancePopulation": D(2),
    "DeviationSample": D("1.58113883"),
    "GeometricMeanTwo": D(4),
}
STRINGS = {
    "Plus": "ab",
    "PlusNull": None,
    "Ampersand": "ab",
    "LowerCase": "abc",
    "UpperCase": "ABC",
    "LengthOfText": 4,
    "LengthOfNull": None,
    "LengthOfList": 2,
    "SubstringFrom": "cdef",
    "SubstringPart": "bcd",
    "SubstringOutside": None,
    "PositionFound": 2,
    "PositionMissing": -1,
    "LastPosition": 2,
    "Starts": True,
    "Ends": False,
    "MatchesWhole": True,
    "MatchesPart": False,
    "MatchesNull": None,
    "Replaced": "a#b#",
    "ReplacedGroup": "Smith John",
    "SplitText": ["a", "b", "c"],
    "SplitNull": None,
    "CombineText": "a, c",
    "CombineNothing": None,
    "CharacterAt": "b",
    "CharacterOutside": None,
}


@pytest.mark.parametrize("define", NUMBERS)
def test_number(define: str) -> None:
    assert same(value("Numbers", define), NUMBERS[define])


@pytest.mark.parametrize("define", STRINGS)
def test_string(define: str) -> None:
    assert same(value("Strings", define), STRINGS[define])


def test_digits_are_kept_as_written() -> None:
    assert str(value("Numbers", "AbsoluteDecimal")) == "5.50"
