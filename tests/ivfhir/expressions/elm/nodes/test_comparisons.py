"""Equal, equivalent and order: https://cql.hl7.org/09-b-cqlreference.html#comparison-operators-4."""

import pytest

from tests.ivfhir.expressions.loaded import value

NUMBERS = {
    "LessThan": True,
    "LessMixed": True,
    "GreaterOrEqualSame": True,
    "GreaterNull": None,
    "EqualDecimals": True,
    "NotEqualNumbers": True,
    "EqualNull": None,
    "EquivalentPrecision": True,
    "EqualPrecision": False,
    "EquivalentNulls": True,
    "StringLess": True,
    "QuantitySameUnit": True,
    "QuantityConverted": True,
    "QuantityCells": True,
    "QuantityCellsEqual": True,
    "QuantityOtherDimension": None,
    "QuantityUnknownUnit": True,
    "QuantityWords": True,
    "QuantityYears": None,
}
LISTS = {
    "EqualLists": True,
    "EqualListsOrder": False,
    "EqualListsNulls": True,
    "EqualListsNull": None,
    "EquivalentLists": True,
    "EqualTuples": True,
    "EqualTuplesNo": False,
    "EqualTuplesNulls": True,
    "EqualTuplesNull": None,
}
STRINGS = {"EquivalentCase": True, "EqualCase": False}


@pytest.mark.parametrize("define", NUMBERS)
def test_numbers_and_quantities(define: str) -> None:
    assert value("Numbers", define) is NUMBERS[define]


@pytest.mark.parametrize("define", LISTS)
def test_lists_and_tuples(define: str) -> None:
    assert value("Lists", define) is LISTS[define]


@pytest.mark.parametrize("define", STRINGS)
def test_strings(define: str) -> None:
    assert value("Strings", define) is STRINGS[define]
