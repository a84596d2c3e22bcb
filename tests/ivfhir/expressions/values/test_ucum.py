"""The units that are known, and that they are exact."""

from decimal import Decimal as D
from fractions import Fraction

import pytest

from ivfhir.expressions.values import Quantity
from ivfhir.expressions.values.quantities import compare_quantities, convert
from ivfhir.expressions.values.ucum import parse_unit


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (("1", "g/dL"), ("10", "g/L")),
        (("1", "mg/dL"), ("10", "mg/L")),
        (("150", "10*9/L"), ("150000", "/uL")),
        (("150", "10*3/uL"), ("150", "10^9/L")),
        (("1", "cm"), ("10", "mm")),
        (("1", "[in_i]"), ("2.54", "cm")),
        (("1", "kg"), ("1000", "g")),
        (("1", "mmol/L"), ("1000", "umol/L")),
        (("1", "mL/min"), ("0.06", "L/h")),
        (("50", "%"), ("0.5", "1")),
        (("1", "wk"), ("7", "days")),
        (("1", "m2"), ("10000", "cm2")),
        (("1", "10*3{cells}/uL"), ("1", "10*9/L")),
        (("1", "Gy"), ("100", "cGy")),
        (("760", "mm[Hg]"), ("101.32472", "kPa")),
    ],
)
def test_equal(a: tuple[str, str], b: tuple[str, str]) -> None:
    assert compare_quantities(Quantity(D(a[0]), a[1]), Quantity(D(b[0]), b[1])) == 0


def test_a_third_is_not_rounded() -> None:
    assert compare_quantities(Quantity(D(1), "d"), Quantity(D(3), "h")) == 1
    assert compare_quantities(Quantity(D("49999"), "/uL"), Quantity(D(50), "10*9/L")) == -1


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("mg", "mL"),
        ("Cel", "K"),
        ("[pH]", "1"),
        ("furlong", "m"),
        ("mol/L", "g/L"),
        ("year", "d"),
        ("mo", "month"),
    ],
)
def test_no_comparison(a: str, b: str) -> None:
    assert compare_quantities(Quantity(D(1), a), Quantity(D(1), b)) is None


def test_a_unit_that_is_not_known_compares_with_itself() -> None:
    assert compare_quantities(Quantity(D(1), "Cel"), Quantity(D(2), "Cel")) == -1


def test_conversion() -> None:
    assert convert(Quantity(D("1.2"), "mg/dL"), "mg/L") == Quantity(D(12), "mg/L")
    assert convert(Quantity(D(1), "mg"), "mL") is None
    assert convert(Quantity(None, "mg"), "g") is None


@pytest.mark.parametrize("code", ["", "mg//dL", "kg m", "10*", "(mg)", "m-", "é"])
def test_what_is_no_unit_is_not_known_or_one(code: str) -> None:
    unit = parse_unit(code)
    assert unit is None or unit.factor != Fraction(0)
