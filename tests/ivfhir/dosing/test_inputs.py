"""Windows (E-06), plausibility (E-08), intervals, and pregnancy."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from ivfhir.dosing.inputs import Input, Inputs, Lack
from ivfhir.errors import ParameterError
from ivfhir.knowledge.dosing_rules import dosing_rules
from tests.ivfhir.dosing.patients import AS_OF, B0, number

WINDOWS = {
    "weight_kg": 30,
    "creatinine_mg_dl": 14,
    "bilirubin_mg_dl": 14,
    "platelets_10e9_l": 14,
    "neutrophils_10e9_l": 14,
    "haemoglobin_g_dl": 14,
    "ecog": 30,
    "lvef_pct": 90,
    "burden_pct": 42,
    "portal_vein": 42,
}


def inputs(**changed):
    return Inputs(B0 | changed, as_of=AS_OF)


def test_windows_are_those_of_the_rule():
    told = {name: known.window_days for name, known in dosing_rules().inputs.items()}
    assert {name: days for name, days in told.items() if days is not None} == WINDOWS


@pytest.mark.parametrize(("name", "days"), list(WINDOWS.items()))
def test_a_value_counts_on_the_last_day_of_its_window_and_not_after(name, days):
    values = {"portal_vein": "patent", "ecog": Decimal(1), "creatinine_mg_dl": Decimal(1)}

    def on(day):
        value = values.get(name, Decimal(20))
        return inputs(**{name: Input(value, date=day)}).find(name)

    assert isinstance(on(AS_OF - timedelta(days=days)), Input)
    late = on(AS_OF - timedelta(days=days + 1))
    assert isinstance(late, Lack)
    assert f"{days + 1} days old, more than {days}" in late.sentence
    assert isinstance(on(AS_OF + timedelta(days=1)), Lack)
    assert isinstance(on(None), Lack)


def test_a_height_counts_at_any_age():
    assert inputs(height_cm=number("170", date(1990, 1, 1))).exact("height_cm") == 170


@pytest.mark.parametrize(
    ("name", "value"),
    [("weight_kg", "19"), ("ecog", "1.5"), ("creatinine_mg_dl", "31"), ("height_cm", "1.7")],
)
def test_an_implausible_value_is_missing(name, value):
    found = inputs(**{name: number(value, AS_OF)}).exact(name)
    assert isinstance(found, Lack)
    assert "cannot be meant" in found.sentence


def test_what_is_absent_or_none_is_missing():
    assert "not known" in inputs(weight_kg=None).exact("weight_kg").sentence
    assert isinstance(Inputs({}, as_of=AS_OF).word("sex"), Lack)
    assert isinstance(Inputs({}, as_of=AS_OF).flag("pregnant"), Lack)


def test_an_interval_is_no_exact_value():
    given = inputs(creatinine_mg_dl=number("0.8", AS_OF, high="1.0"))
    assert given.ends("creatinine_mg_dl") == (Decimal("0.8"), Decimal("1.0"))
    assert "between 0.8 and 1.0" in given.exact("creatinine_mg_dl").sentence


def test_a_value_of_another_kind_is_missing():
    assert isinstance(inputs(weight_kg=Input("heavy", date=AS_OF)).exact("weight_kg"), Lack)
    assert isinstance(inputs(platinum_allergy=Input("no")).flag("platinum_allergy"), Lack)


@pytest.mark.parametrize(
    ("sex", "age", "known"),
    [
        ("male", "30", True),
        ("female", "18", False),
        ("female", "55", False),
        ("female", "56", True),
        ("other", "40", False),
        ("unknown", "56", True),
    ],
)
def test_pregnancy_is_ruled_out_by_sex_or_age(sex, age, known):
    found = inputs(sex=Input(sex), age_years=number(age)).flag("pregnant")
    assert (found is False) is known


def test_a_stated_pregnancy_counts():
    given = inputs(sex=Input("female"), age_years=number("40"), pregnant=Input(value=True))
    assert given.flag("pregnant") is True


def test_a_name_that_means_nothing_is_refused():
    with pytest.raises(ParameterError, match="weight"):
        inputs(weight=number("68", AS_OF))


def test_inputs_are_shown_with_unit_day_and_reference():
    [used] = inputs().used("creatinine_mg_dl", "lvef_pct")
    assert (used.value, used.unit, used.date) == (Decimal("0.9"), "mg/dL", date(2025, 2, 28))
    assert used.reference == "Observation/x"
    [given] = inputs(cumulative_mitomycin_mg_m2=number("20")).used("cumulative_mitomycin_mg_m2")
    assert given.unit == "mg/m2"
