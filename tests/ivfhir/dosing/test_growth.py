"""CALC-09: the specification's vectors, no growth, and what has no doubling time."""

import pytest

from ivfhir.dosing.growth import growth_by_diameter, growth_by_volume
from ivfhir.errors import ParameterError
from tests.ivfhir.dosing.digits import d, four


@pytest.mark.parametrize(
    ("first", "second", "days", "vdt"),
    [("40", "42", "60", "284.1"), ("30", "40", "60", "48.19"), ("50", "52", "90", "530.2")],
)
def test_by_diameter(first, second, days, vdt):
    found = growth_by_diameter(first_mm=d(first), second_mm=d(second), interval_days=d(days))
    assert (four(found.days), found.trend) == (d(vdt), "growing")


def test_by_volume():
    grown = growth_by_volume(first_ml=d("33.5"), second_ml=d("40.2"), interval_days=d("45"))
    assert (four(grown.days), grown.trend) == (d("171.1"), "growing")
    shrunk = growth_by_volume(first_ml=d("50"), second_ml=d("45"), interval_days=d("60"))
    assert (four(shrunk.days), shrunk.trend) == (d("-394.7"), "regressing")


def test_equal_values_have_no_doubling_time():
    found = growth_by_diameter(first_mm=d("40"), second_mm=d("40.0"), interval_days=d("60"))
    assert (found.days, found.trend) == (None, "no growth")


@pytest.mark.parametrize(
    ("first", "second", "days", "name"),
    [("0", "40", "60", "first_mm"), ("40", "0", "60", "second_mm"), ("40", "42", "0", "interval")],
)
def test_what_has_no_doubling_time_is_refused(first, second, days, name):
    with pytest.raises(ParameterError, match=name):
        growth_by_diameter(first_mm=d(first), second_mm=d(second), interval_days=d(days))
