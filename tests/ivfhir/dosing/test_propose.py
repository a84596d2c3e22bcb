"""The doses of the vignettes, and every kind of refusal."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from ivfhir.dosing.inputs import Input
from ivfhir.dosing.propose import propose_doses
from ivfhir.errors import NoPlanError, ParameterError
from ivfhir.fhir.outcome import exit_code
from ivfhir.knowledge.regimen import Bounds
from ivfhir.knowledge.regimens import load_regimens
from tests.ivfhir.dosing.digits import d, four
from tests.ivfhir.dosing.patients import (
    AS_OF,
    B0,
    CISPLATIN,
    DOXORUBICIN,
    FLOXURIDINE,
    LABS,
    PEMETREXED,
    V12,
    number,
)

REGIMENS = load_regimens()


def propose(name, given=B0, as_of=AS_OF, **told):
    choices = {key: d(value) for key, value in told.pop("choices", {}).items()}
    regimen = REGIMENS[name] if isinstance(name, str) else name
    return propose_doses(regimen, given, as_of=as_of, choices=choices, **told)


def doses(*args, **told):
    """Return drug -> unrounded to four digits, and rounded, of each day."""
    return {
        dose.drug.id: [(four(each.unrounded_mg), each.rounded_mg) for each in dose.administrations]
        for dose in propose(*args, **told).doses
    }


def refusal(error, *args, **told):
    with pytest.raises(error) as caught:
        propose(*args, **told)
    return caught.value


# ------------------------------------------------------------------------------- vignettes


def test_v01_cisplatin_and_pemetrexed():
    found = propose("RG-LU1", confirmed=(*CISPLATIN, *PEMETREXED), interval_days=d("28"), courses=4)
    cisplatin, pemetrexed = found.doses
    assert [four(each.unrounded_mg) for each in cisplatin.administrations] == [d("134.4")]
    assert [each.rounded_mg for each in cisplatin.administrations] == [135]
    [day1] = pemetrexed.administrations
    assert (day1.day, four(day1.unrounded_mg), day1.rounded_mg) == (1, d("896.0"), 895)
    assert {each.relative_intensity for each in found.doses} == {d("0.75")}
    assert found.confirmed == ("hearing", "neuropathy", "nyha", "histology", "folate-b12")
    assert "Look-alike: cisplatin, not carboplatin." in cisplatin.notes
    assert cisplatin.two_person_check


@pytest.mark.parametrize(("level", "mg", "rounded"), [("50", "89.60", 90), ("75", "134.4", 135)])
def test_v04_doxorubicin_at_both_ends_of_its_range(level, mg, rounded):
    given = B0 | {"age_years": number("66"), "bilirubin_mg_dl": number("1.0", LABS)}
    found = doses(
        "RG-LI1",
        given,
        as_of=date(2025, 3, 10),
        choices={"dose_doxorubicin": level},
        confirmed=DOXORUBICIN,
    )
    assert found == {"doxorubicin": [(d(mg), rounded)]}


def test_v05_folfox_through_the_hepatic_artery():
    given = B0 | {"bilirubin_mg_dl": number("1.0", LABS), "platelets_10e9_l": number("110", LABS)}
    assert doses("RG-LI3", given, confirmed=["dpd"]) == {
        "oxaliplatin": [(d("233.0"), 235)],
        "leucovorin": [(d("716.8"), 715)],
        "fluorouracil-bolus": [(d("716.8"), 715)],
        "fluorouracil-infusion": [(d("4301"), 4300)],
    }


def test_leucovorin_is_no_cytotoxic_drug():
    found = propose("RG-LI3", confirmed=["dpd"])
    checked = {each.drug.id: each.two_person_check for each in found.doses}
    assert [name for name, check in checked.items() if not check] == ["leucovorin"]


def test_v06_mitomycin_and_gemcitabine():
    found = doses("RG-LM2", as_of=date(2025, 3, 10), confirmed=["cumulative-dose"])
    assert found == {"mitomycin": [(d("17.92"), 18)], "gemcitabine": [(d("1792"), 1790)]}


def test_v10_floxuridine_by_pump():
    given = B0 | {"bilirubin_mg_dl": number("1.2", LABS)}
    found = propose(
        "RG-PO2",
        given,
        as_of=date(2025, 3, 10),
        confirmed=FLOXURIDINE,
        choices={"pump_reservoir_ml": "30", "pump_flow_ml_per_day": "1.2"},
    )
    [dose] = found.doses
    assert four(dose.administrations[0].unrounded_mg) == d("114.2")
    assert (dose.pump_fill_mg, dose.pump_fill_rounded_mg) == (d("204.0"), 205)
    assert dose.drug.for_days == 14


def test_v12_reduced_clearance_leaves_carboplatin():
    error = refusal(
        NoPlanError, "RG-LU1", V12, confirmed=(*CISPLATIN, *PEMETREXED), interval_days=d("35")
    )
    assert "AG-CIS excludes cisplatin" in error.message
    assert "53.46" in error.message
    found = propose(
        "RG-LU4",
        V12,
        choices={"auc": "5", "dose_paclitaxel": "175"},
        interval_days=d("35"),
        courses=6,
    )
    carboplatin, paclitaxel = found.doses
    assert four(carboplatin.administrations[0].unrounded_mg) == d("392.3")
    assert carboplatin.administrations[0].rounded_mg == 390
    assert four(paclitaxel.administrations[0].unrounded_mg) == d("265.6")
    assert paclitaxel.administrations[0].rounded_mg == 265
    assert {each.relative_intensity for each in found.doses} == {d("0.6")}
    assert "Look-alike: carboplatin, not cisplatin." in carboplatin.notes


# ------------------------------------------------------------------------- what a dose rests on


def test_every_input_that_a_dose_rests_on_is_listed_once():
    [cisplatin, _] = propose("RG-LU1", confirmed=(*CISPLATIN, *PEMETREXED)).doses
    names = [each.name for each in cisplatin.used]
    assert sorted(names) == sorted(set(names))
    assert set(names) == {
        *("height_cm", "weight_kg", "creatinine_mg_dl", "age_years", "sex", "ecog"),
        "platinum_allergy",
    }


def test_no_float_is_on_the_way_of_a_dose():
    found = propose("RG-LI3", confirmed=["dpd"])
    for dose in found.doses:
        for each in dose.administrations:
            assert {type(each.unrounded_mg), type(each.rounded_mg)} == {type(d("1"))}


def test_without_an_interval_there_is_no_intensity_for_one_course_only():
    found = propose("RG-LU1", confirmed=(*CISPLATIN, *PEMETREXED))
    assert {each.relative_intensity for each in found.doses} == {None}
    error = refusal(ParameterError, "RG-LU1", confirmed=(*CISPLATIN, *PEMETREXED), courses=4)
    assert "interval" in error.message


# -------------------------------------------------------------------------- given by artery


@pytest.mark.parametrize(
    ("given_mg", "left"),
    [
        ("0", ["1792", "1792"]),
        ("792", ["1000", "1792"]),
        ("1791.957340762081621466039675", ["0", "1792"]),
        ("2500", ["0", "1084"]),
        ("9999", ["0", "0"]),
    ],
)
def test_what_went_into_an_artery_is_taken_off_and_never_below_zero(given_mg, left):
    found = doses(
        "RG-LU2",
        choices={"dose_cisplatin": "75", "dose_gemcitabine": "1000"},
        confirmed=CISPLATIN,
        arterial_given_mg={"gemcitabine": d(given_mg)},
    )
    shown = [mg for mg, _ in found["gemcitabine"]]
    assert [round(mg) for mg in shown] == [int(text) for text in left]


def test_what_cannot_be_taken_off_is_refused():
    confirmed = (*CISPLATIN, *PEMETREXED)
    error = refusal(
        ParameterError, "RG-LU1", confirmed=confirmed, arterial_given_mg={"cisplatin": d("10")}
    )
    assert "gives no cisplatin by vein" in error.message
    error = refusal(
        ParameterError, "RG-LU1", confirmed=confirmed, arterial_given_mg={"pemetrexed": d("-1")}
    )
    assert "cannot have been given" in error.message


# --------------------------------------------------------------------------------- refusals


def test_unconfirmed_statements_are_all_listed():
    error = refusal(NoPlanError, "RG-LU1")
    assert exit_code(error) == 3
    assert "confirmed=hearing,neuropathy,nyha,histology,folate-b12" in error.message
    assert "no hearing loss of grade 2 or more (cisplatin)" in error.message


def test_a_statement_for_the_whole_regimen():
    told = {"choices": {"auc": "5"}}
    assert "histology" in refusal(NoPlanError, "RG-LU6", **told).message
    found = propose("RG-LU6", **told, confirmed=["histology"])
    assert [dose.drug.id for dose in found.doses] == ["carboplatin", "etoposide"]
    assert [each.day for each in found.doses[1].administrations] == [1, 2, 3]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"weight_kg": None}, "weight is not known"),
        ({"weight_kg": number("68", AS_OF - timedelta(days=31))}, "31 days old, more than 30"),
        ({"creatinine_mg_dl": number("0.9", AS_OF - timedelta(days=15))}, "15 days old"),
        ({"ecog": None}, "ECOG is not known"),
        ({"height_cm": None}, "height is not known"),
        ({"ecog": number("2", AS_OF)}, "ECOG at least 2"),
    ],
)
def test_a_missing_old_or_excluding_input_gives_no_dose(changed, words):
    error = refusal(NoPlanError, "RG-LU1", B0 | changed, confirmed=(*CISPLATIN, *PEMETREXED))
    assert words in error.message


@pytest.mark.parametrize(
    ("name", "told", "words"),
    [
        ("RG-LU1", {"choices": {"dose_cisplatin": "81"}}, "allows 20 to 80 mg/m2"),
        ("RG-LU4", {}, "give auc"),
        ("RG-LU1", {"interval_days": d("20")}, "more than 100 %"),
        ("RG-LU1", {"interval_days": d("0")}, "interval_days"),
        ("RG-LU1", {"confirmed": ["deaf"]}, "means nothing here"),
        ("RG-LI3", {"courses": 7, "interval_days": d("21")}, "6 times at most"),
        ("RG-LU1", {"courses": 0}, "courses"),
        ("RG-LM7", {"choices": {"auc": "5"}}, "takes no choice"),
        (
            "RG-PO2",
            {"choices": {"pump_reservoir_ml": "30"}, "confirmed": FLOXURIDINE},
            "pump_flow_ml_per_day together",
        ),
        (
            "RG-PO2",
            {
                "choices": {"pump_reservoir_ml": "30", "pump_flow_ml_per_day": "0"},
                "confirmed": FLOXURIDINE,
            },
            "pump_flow_ml_per_day is 0",
        ),
    ],
)
def test_a_choice_or_a_hard_stop_is_exit_2(name, told, words):
    error = refusal(ParameterError, name, **told)
    assert exit_code(error) == 2
    assert words in error.message


def test_six_courses_of_folfox_are_allowed():
    assert propose("RG-LI3", confirmed=["dpd"], courses=6, interval_days=d("21")).doses


@pytest.mark.parametrize(("days", "told"), [("28", False), ("35", False), ("36", True)])
def test_an_interval_that_is_not_published_is_a_warning(days, told):
    found = propose("RG-LU1", confirmed=(*CISPLATIN, *PEMETREXED), interval_days=d(days))
    assert ("RG-LU1 is published every 28 to 35 days; the plan has 36." in found.notes) is told


def test_all_courses_count_for_the_dose_over_a_life():
    told = {"choices": {"dose_doxorubicin": "75"}, "confirmed": DOXORUBICIN}
    assert propose("RG-LI1", **told, courses=7).doses
    error = refusal(NoPlanError, "RG-LI1", **told, courses=8)
    assert "600 mg/m2 planned pass 550" in error.message


def test_a_dose_a_session_counts_by_body_surface_for_the_dose_over_a_life():
    told = {"choices": {"dose_doxorubicin": "150"}, "confirmed": DOXORUBICIN}
    assert propose("RG-LI2", **told, courses=6, interval_days=d("60")).doses
    error = refusal(NoPlanError, "RG-LI2", **told, courses=7, interval_days=d("60"))
    assert "pass 550" in error.message


# --------------------------------------------------------------------------- without a dose


@pytest.mark.parametrize("missing", ["weight_kg", "height_cm"])
def test_a_dose_over_a_life_that_cannot_be_counted_gives_no_dose(missing):
    told = {"choices": {"dose_doxorubicin": "100"}, "confirmed": DOXORUBICIN}
    error = refusal(NoPlanError, "RG-LI2", B0 | {missing: None}, **told)
    assert "over a life cannot be counted" in error.message
    by_weight = replace(REGIMENS["RG-LI2"].drugs[0], unit="mg/kg", bounds=Bounds(d("1"), d("9")))
    regimen = replace(REGIMENS["RG-LI2"], drugs=(by_weight,))
    error = refusal(NoPlanError, regimen, choices={"dose_doxorubicin": "1"}, confirmed=DOXORUBICIN)
    assert "counted in mg/kg" in error.message


def test_what_is_for_the_board_has_no_dose():
    found = propose("RG-LM7", {})
    assert (found.doses, found.notes) == ((), ("No dose is supported here: regimen by MDT.",))


def test_a_referral_has_no_dose_and_says_what_is_to_be_checked():
    found = propose("RG-LM6")
    assert found.doses == ()
    assert "Referral only: no dose is proposed here." in found.notes
    assert any("varices" in note for note in found.notes)
    excluded = refusal(NoPlanError, "RG-LM6", B0 | {"burden_pct": number("50", AS_OF)})
    assert "AG-PHP excludes melphalan" in excluded.message
    assert propose("RG-RE2", {}).doses == ()


def test_a_drug_without_a_published_dose_is_named():
    found = propose("RG-PO3")
    assert [dose.drug.id for dose in found.doses] == ["oxaliplatin"]
    assert [drug.id for drug in found.undosed] == ["fluorouracil"]


# ---------------------------------------------------------------------------------- review


@pytest.mark.parametrize(
    ("reviewed", "as_of", "old"),
    [
        (date(2024, 3, 3), date(2025, 3, 3), False),
        (date(2024, 3, 2), date(2025, 3, 3), True),
        (date(2024, 2, 29), date(2025, 2, 28), False),
        (date(2024, 2, 29), date(2025, 3, 1), True),
        (date(2026, 11, 28), date(2025, 3, 3), False),
    ],
)
def test_a_review_older_than_twelve_months_is_a_warning(reviewed, as_of, old):
    regimen = replace(REGIMENS["RG-LM7"], reviewed=reviewed)
    notes = propose(regimen, {}, as_of=as_of).notes
    assert any("review it again" in note for note in notes) is old


def test_another_sex_may_have_a_dose_by_surface_where_both_clearances_pass():
    given = B0 | {"sex": Input("other")}
    assert doses("RG-LU1", given, confirmed=(*CISPLATIN, *PEMETREXED))
    error = refusal(NoPlanError, "RG-LU4", given, choices={"auc": "5", "dose_paclitaxel": "175"})
    assert "needs one" in error.message
