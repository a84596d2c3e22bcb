"""`ivfhir calc`: a calculation as JSON or text, the list of all, and refusals by key."""

import json
from decimal import Decimal
from pathlib import Path

import pytest

from ivfhir.cli.main import main
from ivfhir.dosing.calculators import CALCULATORS
from tests.ivfhir.dosing.digits import d, four

GUIDE = (Path(__file__).parents[3] / "docs/command-line.md").read_text(encoding="utf-8")
NAMES = (
    *("bsa-mosteller", "bsa-du-bois", "cockcroft-gault", "ckd-epi-2021", "calvert", "child-pugh"),
    *("albi", "ideal-weight", "volume-doubling-time", "recist", "mrecist", "utilisation"),
    *("regional-advantage", "infusion", "dose-intensity", "schedule"),
)


def calc(capsys, *argv):
    assert main(["calc", *argv]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    return json.loads(out, parse_float=Decimal, parse_int=Decimal)


def words(capsys, *argv):
    assert main(["calc", *argv, "--format", "text"]) == 0
    return capsys.readouterr().out


def refused(capsys, *argv):
    assert main(["calc", *argv]) == 2
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == ("", 1)
    return err


def test_without_a_name_all_are_listed(capsys):
    assert tuple(CALCULATORS) == NAMES
    assert [each["name"] for each in calc(capsys)] == list(NAMES)
    assert [line.split()[0] for line in words(capsys).splitlines()] == list(NAMES)


def test_an_answer_has_its_inputs_with_units_and_its_source(capsys):
    answer = calc(capsys, "bsa-mosteller", "height_cm=170", "weight_kg=70")
    assert list(answer) == ["name", "result", "unit", "inputs", "source", "notes"]
    assert (four(answer["result"]), answer["unit"]) == (d("1.818"), "m2")
    assert answer["inputs"] == {
        "height_cm": {"value": 170, "unit": "cm"},
        "weight_kg": {"value": 70, "unit": "kg"},
    }
    assert "CALC-01" in answer["source"]
    assert answer["notes"] == []


def test_a_dose_stands_unrounded_and_rounded(capsys):
    answer = calc(capsys, "calvert", "auc=5", "gfr_ml_min=53.46")
    assert (answer["result"], answer["rounded"], answer["unit"]) == (d("392.3"), 390, "mg")
    capped = calc(capsys, "calvert", "auc=6", "gfr_ml_min=140")
    assert (capped["result"], capped["notes"]) == (900, ["The clearance counts as 125 mL/min."])


@pytest.mark.parametrize(
    ("argv", "result"),
    [
        ("bsa-du-bois height_cm=170 weight_kg=70", "1.810"),
        ("cockcroft-gault age_years=62 weight_kg=70 creatinine_mg_dl=1.0 sex=male", "75.83"),
        ("cockcroft-gault age_years=62 weight_kg=70 creatinine_umol_l=88.42 sex=male", "75.83"),
        ("ckd-epi-2021 creatinine_mg_dl=1.0 age_years=62 sex=male", "85.10"),
        ("ideal-weight height_cm=170 sex=male", "65.94"),
    ],
)
def test_results_that_are_a_number(argv, result, capsys):
    assert four(calc(capsys, *argv.split())["result"]) == d(result)


def test_another_sex_gives_both(capsys):
    argv = ["age_years=62", "weight_kg=70", "creatinine_mg_dl=1.0", "sex=other"]
    answer = calc(capsys, "cockcroft-gault", *argv)
    assert {sex: four(each) for sex, each in answer["result"].items()} == {
        "male": d("75.83"),
        "female": d("64.46"),
    }
    assert "both" in answer["notes"][0]


def test_a_heavy_patient_has_the_adjusted_weight_beside_the_actual(capsys):
    argv = ["age_years=55", "weight_kg=104", "creatinine_mg_dl=1.9", "sex=male", "height_cm=182"]
    answer = calc(capsys, "cockcroft-gault", *argv)
    assert four(answer["result"]) == d("64.62")
    assert "54.48 mL/min" in " ".join(answer["notes"])


def test_a_large_area_has_its_warning(capsys):
    answer = calc(capsys, "bsa-mosteller", "height_cm=182", "weight_kg=104")
    assert "above 2.2 m2" in answer["notes"][0]


def test_child_pugh_is_a_score_or_an_interval(capsys):
    known = [
        "bilirubin_mg_dl=0.9",
        "albumin_g_l=41",
        "inr=1.0",
        "ascites=none",
        "encephalopathy=none",
    ]
    assert calc(capsys, "child-pugh", *known)["result"] == {"score": 5, "class": "A"}
    answer = calc(capsys, "child-pugh", *(each for each in known if "ascites" not in each))
    assert answer["result"] == {"low": 5, "high": 7, "class": "A or B"}
    assert "ascites" in answer["notes"][0]


def test_the_other_scores(capsys):
    answer = calc(capsys, "albi", "bilirubin_umol_l=17.1", "albumin_g_l=38")
    assert (four(answer["result"]["score"]), answer["result"]["grade"]) == (d("-2.416"), 2)
    same = calc(capsys, "albi", "bilirubin_mg_dl=1", "albumin_g_dl=3.8")
    assert same["result"] == answer["result"]
    shrunk = calc(capsys, "volume-doubling-time", "first_ml=50", "second_ml=45", "interval_days=60")
    assert shrunk["result"]["trend"] == "regressing"
    same = calc(capsys, "volume-doubling-time", "first_mm=5", "second_mm=5", "interval_days=60")
    assert same["result"] == {"trend": "no growth"}


def test_responses(capsys):
    sums = ["baseline_mm=100", "nadir_mm=60", "now_mm=72", "new_lesion=no"]
    answer = calc(capsys, "recist", *sums)
    assert answer["result"] == {
        "response": "PD",
        "targets": "PD",
        "baseline": 100,
        "now": 72,
        "change_from_baseline": -28,
        "change_from_nadir": 20,
        "rise_from_nadir": 12,
    }
    lesions = "baseline_mm=30,20 nadir_mm=50 now_mm=0,9 new_lesion=no node=no,yes organ=lung,node"
    assert calc(capsys, "recist", *lesions.split())["result"]["response"] == "CR"
    viable = ["baseline_mm=60", "nadir_mm=60", "now_mm=42", "new_lesion=no"]
    assert calc(capsys, "mrecist", *viable)["result"]["response"] == "PR"
    gone = ["baseline_mm=60,40", "nadir_mm=100", "now_mm=20,missing", "new_lesion=no"]
    assert calc(capsys, "recist", *gone)["result"]["response"] == "NE"
    assert "now_mm = 20, missing mm" in words(capsys, "recist", *gone)


def test_delivery(capsys):
    answer = calc(capsys, "utilisation", "dose_mg=135")
    assert answer["result"]["iv_to_liver"] == d("22.5")
    assert "teaching figure" in answer["notes"][0]
    model = ["clearance_ml_min=900", "flow_ml_min=400", "extraction=0.6"]
    assert calc(capsys, "regional-advantage", *model)["result"]["advantage"] == d("6.625")
    nothing = calc(capsys, "regional-advantage", *model[:2], "extraction=1")
    assert nothing["notes"] == ["No systemic exposure predicted."]
    rate = calc(capsys, "infusion", "dose_mg=127", "duration_min=20", *model)
    assert rate["result"]["rate"] == d("6.35")
    assert rate["unit"]["rate"] == "mg/min"


def test_dose_intensity_of_one_dose_and_of_what_was_given(capsys):
    reference = ["reference_dose_mg_m2=75", "reference_interval_days=21"]
    planned = calc(capsys, "dose-intensity", "dose_mg_m2=75", "interval_days=28", *reference)
    assert planned["result"] == {"intensity": d("18.75"), "reference": 25, "relative": d("0.75")}
    dense = calc(capsys, "dose-intensity", "dose_mg_m2=75", "interval_days=14", *reference)
    assert "Above 100 %" in dense["notes"][0]
    given = calc(
        capsys,
        "dose-intensity",
        "dose_mg_m2=75,75,60,60",
        "elapsed_days=126",
        "reference_dose_mg_m2=75",
        "reference_interval_days=28",
    )
    assert given["result"]["relative"] == d("0.8")
    alone = calc(capsys, "dose-intensity", "dose_mg_m2=75", "interval_days=21")
    assert alone["result"] == {"intensity": 25}


def test_schedule(capsys):
    answer = calc(capsys, "schedule", "start=2025-03-03", "interval_days=28", "segments=4")
    assert answer["result"] == {
        "day0": ["2025-03-03", "2025-03-31", "2025-04-28", "2025-05-26"],
        "end": "2025-06-23",
    }


def test_text_has_the_same_content(capsys):
    text = words(capsys, "calvert", "auc=5", "gfr_ml_min=90")
    assert text.splitlines() == [
        "calvert: 575 mg",
        "rounded: 575 mg",
        "  auc = 5 mg.min/mL",
        "  gfr_ml_min = 90 mL/min",
        "Source: CALC-05; Calvert 1989 [R28]",
    ]


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ("bsa height_cm=170", "There is: bsa-mosteller"),
        ("bsa-mosteller height_cm=170", "weight_kg"),
        ("bsa-mosteller height_cm=1.70 weight_kg=70", "height_cm is 1.70 cm"),
        ("bsa-mosteller height=170 weight_kg=70", "write height_cm or height_m or height_in"),
        ("bsa-mosteller height_cm=170 weight_kg=70 sex=male", "no input 'sex'"),
        ("calvert auc=5", "gfr_ml_min"),
        ("calvert auc=5 gfr=90", "write gfr_ml_min"),
        ("cockcroft-gault age_years=62 weight_kg=70 creatinine_mg_dl=1 sex=m", "sex is 'm'"),
        ("child-pugh", "at least one"),
        ("volume-doubling-time first_mm=4 second_ml=5 interval_days=6", "first_mm and second_mm"),
        ("recist baseline_mm=60,40 nadir_mm=100 now_mm=20 new_lesion=no", "now_mm has 1 values"),
        ("recist baseline_mm=60 nadir_mm=60 now_mm=20", "new_lesion"),
        ("dose-intensity dose_mg_m2=75 elapsed_days=21", "interval_days for one dose"),
        ("dose-intensity dose_mg_m2=75,75 interval_days=21", "elapsed_days for several"),
        (
            "dose-intensity dose_mg_m2=75 interval_days=21 reference_dose_mg_m2=75",
            "reference_interval_days",
        ),
        ("schedule start=2025-03-03 interval_days=28.5 segments=4", "interval_days is 28.5"),
        ("schedule start=today interval_days=28 segments=4", "start is 'today'"),
    ],
)
def test_a_refusal_is_one_sentence_with_the_key(argv, says, capsys):
    assert says in refused(capsys, *argv.split())


def test_the_guide_has_every_calculation_with_its_keys():
    for each in CALCULATORS.values():
        [row] = [line for line in GUIDE.splitlines() if line.startswith(f"| `{each.name}` |")]
        assert [key.name for key in each.keys if f"`{key.name}`" not in row] == []
