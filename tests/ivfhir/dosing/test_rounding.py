"""A dose to 5 mg, below 50 mg to 1 mg."""

import pytest

from ivfhir.dosing.rounding import rounded_mg
from tests.ivfhir.dosing.digits import d


@pytest.mark.parametrize(
    ("unrounded", "rounded"),
    [
        ("134.4", "135"),
        ("896.0", "895"),
        ("233.0", "235"),
        ("716.8", "715"),
        ("4301", "4300"),
        ("1792", "1790"),
        ("17.92", "18"),
        ("392.3", "390"),
        ("265.6", "265"),
        ("49.4", "49"),
        ("49.9", "50"),
        ("50", "50"),
        ("52.4", "50"),
        ("132.5", "130"),
        ("17.5", "17"),
        ("0", "0"),
    ],
)
def test_rounding(unrounded, rounded):
    assert rounded_mg(d(unrounded)) == d(rounded)
