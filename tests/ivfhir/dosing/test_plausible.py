"""Both ends of every bound, and what lies just outside (E-08)."""

from decimal import Decimal

import pytest

from ivfhir.dosing.plausible import BOUNDS, check, check_word
from ivfhir.errors import ParameterError

OF_THE_SPECIFICATION = {
    "platelets_10e9_l": (1, 3000),
    "neutrophils_10e9_l": (0, 200),
    "haemoglobin_g_dl": (2, 25),
    "inr": ("0.5", 20),
    "creatinine_mg_dl": ("0.1", 30),
    "bilirubin_mg_dl": ("0.05", 60),
    "albumin_g_dl": ("0.5", 7),
    "weight_kg": (20, 350),
    "height_cm": (100, 250),
    "ecog": (0, 5),
    "burden_pct": (0, 100),
    "lvef_pct": (5, 90),
}


def test_the_bounds_are_those_of_the_rule():
    named = {name: (each.low, each.high) for name, each in BOUNDS.items() if each.by == "E-08"}
    assert named == {
        name: tuple(Decimal(end) for end in ends) for name, ends in OF_THE_SPECIFICATION.items()
    }


@pytest.mark.parametrize("name", list(BOUNDS))
def test_both_ends_are_allowed_and_what_lies_outside_is_refused_by_name(name):
    bounds = BOUNDS[name]
    for value in (bounds.low, bounds.high):
        assert check(name, value) == value
    for value in (bounds.low - Decimal("0.001"), bounds.high + Decimal("0.001")):
        with pytest.raises(ParameterError, match=name):
            check(name, value)


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_what_is_no_number_is_refused(value):
    with pytest.raises(ParameterError, match="cannot be meant"):
        check("weight_kg", Decimal(value))


def test_a_count_is_whole():
    with pytest.raises(ParameterError, match="whole"):
        check("ecog", Decimal("1.5"))


def test_a_word_that_is_not_known_is_refused_with_those_that_are():
    with pytest.raises(ParameterError, match="male, female"):
        check_word("sex", "m", ["male", "female"])
    assert check_word("sex", "male", ["male"]) == "male"
