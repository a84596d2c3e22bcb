"""From level to milligrams: what each basis needs, reductions, caps and pumps."""

import pytest

from ivfhir.dosing.amounts import amount_of, body_surface_m2, pump_fill_mg
from ivfhir.dosing.inputs import Input, Inputs, Lack
from ivfhir.knowledge.regimens import load_regimens
from tests.ivfhir.dosing.digits import d, four
from tests.ivfhir.dosing.patients import AS_OF, B0, V12, number

REGIMENS = load_regimens()


def drug(regimen, name):
    return next(each for each in REGIMENS[regimen].drugs if each.id == name)


def amount(regimen, name, level, given=B0, **changed):
    inputs = Inputs(given | changed, as_of=AS_OF)
    return amount_of(drug(regimen, name), d(level), inputs)


def test_by_body_surface():
    found = amount("RG-LU1", "cisplatin", "75")
    assert four(found.mg) == d("134.4")
    assert found.steps == ("75 mg/m2 x 1.792 m2 = 134.4 mg",)
    assert [each.name for each in found.used] == ["height_cm", "weight_kg"]


def test_by_area_under_the_curve():
    found = amount("RG-LU4", "carboplatin", "5", V12)
    assert four(found.mg) == d("392.3")
    assert {each.name for each in found.used} == {
        *("creatinine_mg_dl", "age_years", "weight_kg", "sex"),
    }
    capped = amount("RG-LU4", "carboplatin", "5", creatinine_mg_dl=number("0.5", AS_OF))
    assert capped.mg == 750
    assert "counts as 125" in capped.steps[0]


def test_by_weight_a_day_and_by_ideal_weight():
    assert amount("RG-PO2", "floxuridine", "0.12").mg == d("114.24")
    found = amount("RG-LM6", "melphalan", "3")
    assert four(found.mg) == d("197.8")
    assert [each.name for each in found.used] == ["height_cm", "sex"]


def test_a_fixed_dose_needs_nothing():
    assert amount("RG-LM1", "irinotecan", "100", {}).mg == 100


@pytest.mark.parametrize(
    ("regimen", "name", "level", "missing"),
    [
        ("RG-LU1", "cisplatin", "75", "height_cm"),
        ("RG-LU1", "cisplatin", "75", "weight_kg"),
        ("RG-LU4", "carboplatin", "5", "creatinine_mg_dl"),
        ("RG-LU4", "carboplatin", "5", "sex"),
        ("RG-PO2", "floxuridine", "0.12", "weight_kg"),
        ("RG-LM6", "melphalan", "3", "height_cm"),
        ("RG-LM6", "melphalan", "3", "sex"),
        ("RG-LI1", "doxorubicin", "50", "bilirubin_mg_dl"),
    ],
)
def test_what_is_missing_is_told_and_gives_no_dose(regimen, name, level, missing):
    assert isinstance(amount(regimen, name, level, **{missing: None}), Lack)


def test_an_inexact_value_gives_no_dose():
    heavy = number("66", AS_OF, high="70")
    assert isinstance(amount("RG-LU1", "cisplatin", "75", weight_kg=heavy), Lack)
    both = amount("RG-LU4", "carboplatin", "5", sex=Input("other"))
    assert "needs one" in both.sentence
    ideal = amount("RG-LM6", "melphalan", "3", sex=Input("unknown"))
    assert "male or female" in ideal.sentence
    tiny = amount("RG-LM6", "melphalan", "3", height_cm=number("101"))
    assert "Devine" in tiny.sentence


def test_a_clearance_that_cannot_be_meant_gives_no_dose():
    found = amount("RG-LU4", "carboplatin", "5", creatinine_mg_dl=number("0.1", AS_OF))
    assert "gfr_ml_min" in found.sentence


@pytest.mark.parametrize(
    ("bilirubin", "mg"),
    [("1.19", "89.60"), ("1.2", "44.80"), ("3.0", "44.80"), ("0.7", "89.60")],
)
def test_doxorubicin_is_halved_for_bilirubin(bilirubin, mg):
    found = amount("RG-LI1", "doxorubicin", "50", bilirubin_mg_dl=number(bilirubin, AS_OF))
    assert four(found.mg) == d(mg)
    assert ("50 % of it" in str(found.steps)) is (mg == "44.80")
    assert "bilirubin_mg_dl" in {each.name for each in found.used}


@pytest.mark.parametrize(("low", "high"), [("1.1", "1.3"), ("2.9", "3.1"), ("1.1", "3.1")])
def test_a_bilirubin_that_straddles_the_reduction_gives_no_dose(low, high):
    straddling = number(low, AS_OF, high=high)
    found = amount("RG-LI1", "doxorubicin", "50", bilirubin_mg_dl=straddling)
    assert "settle it" in found.sentence


def test_a_cap_lowers_the_dose_and_says_so():
    tall = {"height_cm": number("200"), "weight_kg": number("100", AS_OF)}
    found = amount("RG-LI1", "doxorubicin", "75", **tall)
    assert found.mg == 150
    assert "lowered to the highest dose of a session, 150 mg" in str(found.notes)
    assert "above 2.2 m2" in str(found.notes)
    exactly = {"height_cm": number("180"), "weight_kg": number("80", AS_OF)}
    assert amount("RG-LI1", "doxorubicin", "75", **exactly).mg == 150
    assert not amount("RG-LI1", "doxorubicin", "75", **exactly).notes


def test_melphalan_is_capped_at_220_mg():
    tall = amount("RG-LM6", "melphalan", "3", height_cm=number("185"))
    assert tall.mg == 220


def test_the_filling_of_a_pump():
    inputs = Inputs(B0, as_of=AS_OF)
    told = {"reservoir_ml": d("30"), "flow_ml_per_day": d("1.2")}
    assert pump_fill_mg(d("0.12"), inputs, **told) == d("204")
    assert isinstance(pump_fill_mg(d("0.12"), Inputs({}, as_of=AS_OF), **told), Lack)


def test_the_body_surface_needs_height_and_weight():
    assert four(body_surface_m2(Inputs(B0, as_of=AS_OF))) == d("1.792")
    assert isinstance(body_surface_m2(Inputs({}, as_of=AS_OF)), Lack)
