"""Published or chosen levels: bounds at both ends, ranges, alternatives, totals, intensity."""

from dataclasses import replace

import pytest

from ivfhir.dosing.levels import choose_levels, shares_of_reference
from ivfhir.errors import ParameterError
from ivfhir.knowledge.regimen import Bounds
from ivfhir.knowledge.regimens import load_regimens
from tests.ivfhir.dosing.digits import d

REGIMENS = load_regimens()


def levels(name, **choices):
    found = choose_levels(REGIMENS[name], {key: d(value) for key, value in choices.items()})
    return {drug: str(level) for drug, level in found.items()}


def refused(name, **choices):
    with pytest.raises(ParameterError) as caught:
        levels(name, **choices)
    return caught.value.message


def test_one_published_dose_is_the_default():
    assert levels("RG-LU1") == {"cisplatin": "75", "pemetrexed": "500"}
    assert levels("RG-LI3")["oxaliplatin"] == "130"
    assert levels("RG-LI3", dose_oxaliplatin="85")["oxaliplatin"] == "85"


@pytest.mark.parametrize(
    ("name", "choices", "asks"),
    [
        ("RG-LU4", {}, ["auc", "dose_paclitaxel"]),
        ("RG-LU4", {"auc": "5"}, ["dose_paclitaxel"]),
        ("RG-LI1", {}, ["dose_doxorubicin"]),
        ("RG-LM5", {}, ["dose_liposomal_doxorubicin"]),
        ("RG-LU2", {}, ["dose_cisplatin", "dose_gemcitabine"]),
    ],
)
def test_a_published_range_has_no_default(name, choices, asks):
    message = refused(name, **choices)
    for parameter in asks:
        assert f"give {parameter}" in message
    assert "without a default" in message


def test_the_refusal_tells_the_range_and_its_milligrams():
    assert "AUC 5 to 6" in refused("RG-LU4")
    with pytest.raises(ParameterError, match=r"50 to 75 mg/m2 \(89.60 to 134.4 mg"):
        choose_levels(REGIMENS["RG-LI1"], {}, area_m2=d("1.791957340762"))


BOUNDS = [
    ("RG-LU1", "dose_cisplatin", ["20", "80"], ["19.9", "80.1", "0", "-75"]),
    ("RG-LU1", "dose_pemetrexed", ["350", "500"], ["349", "501"]),
    ("RG-LU5", "dose_cisplatin", ["75"], ["74", "76"]),
    ("RG-LM2", "dose_mitomycin", ["5", "10"], ["4.9", "10.1"]),
    ("RG-LM2", "dose_gemcitabine", ["750", "1200"], ["749", "1201"]),
    ("RG-LI2", "dose_doxorubicin", ["25", "50", "150"], ["150.1", "0"]),
    ("RG-LM1", "dose_irinotecan", ["75", "100"], ["101", "0"]),
    ("RG-PO2", "dose_floxuridine", ["0.05", "0.20"], ["0.049", "0.201"]),
    ("RG-PO1", "dose_fluorouracil", ["450", "700"], ["449", "701"]),
    ("RG-LI3", "dose_oxaliplatin", ["65", "130"], ["64", "131"]),
]


@pytest.mark.parametrize(("name", "choice", "allowed", "outside"), BOUNDS)
def test_bounds_at_both_ends_are_hard_stops_and_never_clamped(name, choice, allowed, outside):
    for level in allowed:
        assert level in levels(name, **{choice: level}).values()
    for level in outside:
        assert f"{choice} is {level}, but {name} allows" in refused(name, **{choice: level})


def test_the_auc_has_bounds_too():
    assert levels("RG-LU4", auc="4", dose_paclitaxel="175")["carboplatin"] == "4"
    assert "auc is 6.1, but RG-LU4 allows AUC 4 to 6" in refused(
        "RG-LU4", auc="6.1", dose_paclitaxel="175"
    )


@pytest.mark.parametrize("level", ["NaN", "Infinity"])
def test_what_is_no_number_is_refused(level):
    assert "allows 20 to 80 mg/m2" in refused("RG-LU1", dose_cisplatin=level)


def test_the_total_of_fluorouracil_is_bounded():
    lowest = {"dose_fluorouracil_bolus": "400", "dose_fluorouracil_infusion": "1200"}
    assert levels("RG-LI3", **lowest)["fluorouracil-infusion"] == "1200"
    lowest["dose_fluorouracil_infusion"] = "1199"
    assert "fluorouracil in all is 1599 mg/m2" in refused("RG-LI3", **lowest)


def test_cisplatin_above_100_in_one_course_is_a_hard_stop():
    [cisplatin, partner] = REGIMENS["RG-LU1"].drugs
    wide = replace(cisplatin, bounds=Bounds(d("20"), d("200")))
    loose = replace(REGIMENS["RG-LU1"], drugs=(wide, partner))
    assert choose_levels(loose, {"dose_cisplatin": d("100")})["cisplatin"] == 100
    with pytest.raises(ParameterError, match=r"AG-CIS-MAX.*Is carboplatin meant"):
        choose_levels(loose, {"dose_cisplatin": d("100.1")})
    daily = replace(loose, drugs=(replace(wide, days=(0, 1)), partner))
    assert choose_levels(daily, {"dose_cisplatin": d("50")})
    with pytest.raises(ParameterError, match="AG-CIS-MAX"):
        choose_levels(daily, {"dose_cisplatin": d("50.1")})


def test_alternatives_are_chosen_by_their_dose():
    assert list(levels("RG-LU6", dose_cisplatin="75")) == ["cisplatin", "etoposide"]
    assert list(levels("RG-LU6", auc="5")) == ["carboplatin", "etoposide"]
    assert "exactly one of dose_cisplatin" in refused("RG-LU6")
    assert "exactly one of" in refused("RG-LU6", auc="5", dose_cisplatin="75")
    assert list(levels("RG-RE1", dose_gemcitabine="1000")) == ["gemcitabine"]
    both = levels("RG-RE1", dose_gemcitabine="1000", dose_fluorouracil="500")
    assert list(both) == ["gemcitabine", "fluorouracil"]
    assert "one or more of dose_gemcitabine" in refused("RG-RE1")


def test_what_the_regimen_does_not_dose_is_refused():
    assert "has no choice dose_docetaxel; it takes dose_cisplatin, dose_pemetrexed" in refused(
        "RG-LU1", dose_docetaxel="75"
    )
    assert "publishes no dose of gemcitabine" in refused("RG-LM3", dose_gemcitabine="1000")
    assert list(levels("RG-LM3")) == ["mitomycin"]
    assert "has no choice pump_reservoir_ml" in refused("RG-LU1", pump_reservoir_ml="30")


@pytest.mark.parametrize(
    ("name", "choices", "about"),
    [
        ("RG-LU4", {}, {"auc": "give auc.", "dose_paclitaxel": "give dose_paclitaxel."}),
        ("RG-LU4", {"auc": "9", "dose_paclitaxel": "175"}, {"auc": "auc is 9, but"}),
        # What it takes instead is no fault of these.
        ("RG-LU1", {"dose_docetaxel": "75"}, {"dose_docetaxel": "It has no choice"}),
        ("RG-LM3", {"dose_gemcitabine": "1000"}, {"dose_gemcitabine": "leave"}),
        ("RG-LU6", {}, {"auc": "Give exactly one", "dose_cisplatin": "Give exactly one"}),
        (
            "RG-PO2",
            {"pump_reservoir_ml": "30"},
            {"pump_reservoir_ml": "together", "pump_flow_ml_per_day": "together"},
        ),
        (
            "RG-PO2",
            {"pump_reservoir_ml": "3000", "pump_flow_ml_per_day": "1"},
            {"pump_reservoir_ml": "cannot be meant"},
        ),
        (
            "RG-LI3",
            {"dose_fluorouracil_infusion": "1199"},
            {"dose_fluorouracil_bolus": "is 1599", "dose_fluorouracil_infusion": "is 1599"},
        ),
    ],
)
def test_a_refusal_tells_which_parameter_each_sentence_is_about(name, choices, about):
    with pytest.raises(ParameterError) as caught:
        levels(name, **choices)
    assert caught.value.about.keys() == about.keys()
    for parameter, said in about.items():
        assert said in caught.value.about[parameter]
        assert caught.value.about[parameter] in caught.value.message


def test_what_is_wrong_with_a_dose_twice_is_told_together():
    with pytest.raises(ParameterError) as caught:
        levels("RG-LU1", dose_cisplatin="101")
    assert "allows 20 to 80 mg/m2. cisplatin 101" in caught.value.about["dose_cisplatin"]


def test_an_intensity_above_all_tells_of_which_dose():
    with pytest.raises(ParameterError) as caught:
        shares("RG-LU1", "21", dose_cisplatin="80")
    assert list(caught.value.about) == ["dose_cisplatin"]


def shares(name, days, **choices):
    chosen = choose_levels(REGIMENS[name], {key: d(value) for key, value in choices.items()})
    return shares_of_reference(REGIMENS[name], chosen, interval_days=d(days))


def test_intensity_is_measured_against_the_published_interval():
    assert set(shares("RG-LU1", "28").values()) == {d("0.75")}
    assert set(shares("RG-LU4", "35", auc="5", dose_paclitaxel="175").values()) == {d("0.6")}
    assert shares("RG-LU1", "28", dose_cisplatin="60")["cisplatin"] == d("0.6")
    assert shares("RG-LI1", "42", dose_doxorubicin="60") == {}


def test_intensity_of_exactly_100_percent_passes_and_more_is_a_hard_stop():
    assert set(shares("RG-LU1", "21").values()) == {1}
    with pytest.raises(ParameterError, match=r"105.0 % of the published dose intensity"):
        shares("RG-LU1", "20")
    assert shares("RG-LU1", "28", dose_cisplatin="80")["cisplatin"] == d("0.8")
    with pytest.raises(ParameterError, match="cisplatin 80"):
        shares("RG-LU1", "21", dose_cisplatin="80")


def test_two_thirds_of_a_dose_every_two_weeks_is_the_three_weekly_intensity():
    two_thirds = {"dose_oxaliplatin": "86.6", "dose_fluorouracil_infusion": "1600"}
    with pytest.raises(ParameterError, match="leucovorin"):
        shares("RG-LI3", "14", **two_thirds)
    only = {"oxaliplatin": 130 * d(2) / 3}
    [share] = shares_of_reference(REGIMENS["RG-LI3"], only, interval_days=d("14")).values()
    assert share <= 1
