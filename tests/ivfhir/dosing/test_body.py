"""CALC-01, 02 and 08: the specification's vectors, and what it does not say."""

import pytest

from ivfhir.dosing.body import (
    adjusted_weight_kg,
    bmi_kg_m2,
    bsa_du_bois_m2,
    bsa_mosteller_m2,
    ideal_weight_kg,
    large_bsa_note,
    sexes_meant,
)
from ivfhir.errors import ParameterError
from tests.ivfhir.dosing.digits import d, four


@pytest.mark.parametrize(
    ("height", "weight", "mosteller", "du_bois"),
    [
        ("170", "70", "1.818", "1.810"),
        ("158", "52.5", "1.518", "1.519"),
        ("182", "104", "2.293", "2.250"),
        ("165", "48", "1.483", "1.509"),
    ],
)
def test_body_surface_area(height, weight, mosteller, du_bois):
    given = {"height_cm": d(height), "weight_kg": d(weight)}
    assert four(bsa_mosteller_m2(**given)) == d(mosteller)
    assert four(bsa_du_bois_m2(**given)) == d(du_bois)


@pytest.mark.parametrize(("height", "weight"), [("99.9", "70"), ("170", "351"), ("1.70", "70")])
def test_an_implausible_body_has_no_surface(height, weight):
    for formula in (bsa_mosteller_m2, bsa_du_bois_m2, bmi_kg_m2):
        with pytest.raises(ParameterError, match=r"height_cm|weight_kg"):
            formula(height_cm=d(height), weight_kg=d(weight))


def test_a_large_area_is_told_and_not_capped():
    assert large_bsa_note(d("2.2")) is None
    assert "not capped" in str(large_bsa_note(d("2.2001")))


@pytest.mark.parametrize(
    ("height", "sex", "kg"),
    [("170", "male", "65.94"), ("158", "female", "50.57"), ("182", "male", "76.80")],
)
def test_ideal_weight(height, sex, kg):
    assert four(ideal_weight_kg(height_cm=d(height), sex=sex)[sex]) == d(kg)


def test_melphalan_by_ideal_weight_stays_below_its_cap():
    ideal = ideal_weight_kg(height_cm=d("170"), sex="male")["male"]
    assert four(3 * ideal) == d("197.8")


def test_another_sex_has_both_ideal_weights():
    both = ideal_weight_kg(height_cm=d("170"), sex="other")
    assert {sex: four(kg) for sex, kg in both.items()} == {"male": d("65.94"), "female": d("61.44")}


def test_a_formula_that_gives_no_weight_is_refused():
    with pytest.raises(ParameterError, match="height_cm is 101"):
        ideal_weight_kg(height_cm=d("101"), sex="female")


def test_the_adjusted_weight_lies_two_fifths_above_the_ideal():
    assert adjusted_weight_kg(ideal_kg=d("60"), actual_kg=d("100")) == d("76.0")


def test_sexes():
    assert sexes_meant("female") == ("female",)
    assert sexes_meant("unknown") == ("male", "female")
    with pytest.raises(ParameterError, match="sex is 'M'"):
        sexes_meant("M")


def test_the_body_mass_index_of_the_baseline():
    assert four(bmi_kg_m2(height_cm=d("170"), weight_kg=d("68"))) == d("23.53")
