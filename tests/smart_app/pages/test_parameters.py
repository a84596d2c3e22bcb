"""The boxes of the plan's form."""

from datetime import date

import pytest

from smart_app.pages.parameters import read_start


@pytest.mark.parametrize("year", ["9" * 400, "9" * 5000, "10000", "0", "-1", "", "x", "\u0000"])
def test_a_year_that_is_none_is_no_date(year: str) -> None:
    form = {"start-day": "1", "start-month": "1", "start-year": year}
    assert read_start(form, earliest=date(2025, 3, 3)).iso is None
