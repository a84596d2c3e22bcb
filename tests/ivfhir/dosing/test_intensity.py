"""CALC-15: the specification's vectors, and what was delivered."""

import pytest

from ivfhir.dosing.intensity import dose_intensity, relative_intensity
from ivfhir.errors import ParameterError
from tests.ivfhir.dosing.digits import d, four


@pytest.mark.parametrize(
    ("dose", "days", "weekly", "share"),
    [
        ("75", "21", "25.00", "1.000"),
        ("75", "28", "18.75", "0.7500"),
        ("75", "35", "15.00", "0.6000"),
        ("50", "14", "25.00", "1.000"),
    ],
)
def test_planned(dose, days, weekly, share):
    found = dose_intensity([d(dose)], days=d(days))
    reference = dose_intensity([d("75")], days=d("21"))
    assert (four(found), four(relative_intensity(found, reference))) == (d(weekly), d(share))


@pytest.mark.parametrize(
    ("doses", "days", "share"),
    [(["75", "75", "60", "60"], "126", "0.8000"), (["75", *["56.25"] * 3], "112", "0.8125")],
)
def test_delivered(doses, days, share):
    planned = dose_intensity([d("75")], days=d("28"))
    found = dose_intensity([d(dose) for dose in doses], days=d(days))
    assert four(relative_intensity(found, planned)) == d(share)


@pytest.mark.parametrize(
    ("doses", "days"), [([], "21"), (["-1"], "21"), (["0"], "21"), (["75"], "0"), (["75"], "1.5")]
)
def test_what_is_no_dose_or_interval_is_refused(doses, days):
    with pytest.raises(ParameterError, match=r"dose|interval_days"):
        dose_intensity([d(dose) for dose in doses], days=d(days))


def test_a_reference_of_nothing_is_refused():
    with pytest.raises(ParameterError, match="reference"):
        relative_intensity(d("1"), d("0"))
