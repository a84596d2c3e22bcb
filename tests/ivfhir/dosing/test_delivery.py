"""CALC-12 to 14: the specification's vectors."""

import pytest

from ivfhir.dosing.delivery import infusion, regional_advantage, utilisation
from ivfhir.errors import ParameterError
from tests.ivfhir.dosing.digits import d, four


@pytest.mark.parametrize(
    ("dose", "liver", "elsewhere", "break_even"),
    [
        ("100", "16.67", "83.33", "16.67"),
        ("60", "10.00", "50.00", "10.00"),
        ("135", "22.50", "112.5", "22.50"),
    ],
)
def test_utilisation(dose, liver, elsewhere, break_even):
    found = utilisation(dose_mg=d(dose))
    assert four(found.iv_to_liver_mg) == d(liver)
    assert four(found.iv_elsewhere_mg) == d(elsewhere)
    assert four(found.break_even_arterial_mg) == d(break_even)
    assert (found.arterial_first_pass_mg, found.ratio) == (d(dose), 6)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("400 400 0", "2.000 1.000 2.000"),
        ("900 400 0.6", "2.650 0.4000 6.625"),
        ("4000 400 0.6", "10.40 0.4000 26.00"),
        ("25000 400 0.95", "62.55 0.05000 1251"),
        ("600 150 0", "5.000 1.000 5.000"),
    ],
)
def test_regional_advantage(given, expected):
    clearance, flow, extraction = map(d, given.split())
    found = regional_advantage(clearance_ml_min=clearance, flow_ml_min=flow, extraction=extraction)
    numbers = (found.target_ratio, found.systemic_ratio, found.advantage)
    assert [four(number) for number in numbers] == [d(text) for text in expected.split()]


def test_an_extraction_of_one_predicts_no_systemic_exposure():
    found = regional_advantage(clearance_ml_min=d("900"), flow_ml_min=d("400"), extraction=d("1"))
    assert (found.advantage, found.systemic_ratio) == (None, 0)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("127 60 400 400 0", "2.117 5.292 5.292"),
        ("127 20 400 400 0", "6.350 15.88 15.88"),
        ("60 30 150 900 0", "2.000 13.33 2.222"),
    ],
)
def test_infusion(given, expected):
    dose, minutes, flow, clearance, extraction = map(d, given.split())
    found = infusion(
        dose_mg=dose,
        duration_min=minutes,
        flow_ml_min=flow,
        clearance_ml_min=clearance,
        extraction=extraction,
    )
    numbers = (found.rate_mg_min, found.added_local_ug_ml, found.systemic_arterial_ug_ml)
    assert [four(number) for number in numbers] == [d(text) for text in expected.split()]
    assert found.systemic_intravenous_ug_ml == found.systemic_arterial_ug_ml


def test_extraction_lowers_the_systemic_level_of_the_arterial_infusion_only():
    found = infusion(
        dose_mg=d("100"),
        duration_min=d("10"),
        flow_ml_min=d("400"),
        clearance_ml_min=d("1000"),
        extraction=d("0.75"),
    )
    assert (found.systemic_arterial_ug_ml, found.systemic_intravenous_ug_ml) == (d("2.5"), d("10"))


@pytest.mark.parametrize("extraction", ["-0.1", "1.1"])
def test_an_extraction_beyond_zero_and_one_is_refused(extraction):
    with pytest.raises(ParameterError, match="extraction"):
        regional_advantage(
            clearance_ml_min=d("400"), flow_ml_min=d("400"), extraction=d(extraction)
        )
