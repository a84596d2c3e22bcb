"""Keys carry their unit; what is missing, unknown or unreadable is refused by its key."""

from datetime import date
from decimal import Decimal

import pytest

from ivfhir.dosing.keys import DAY, FLAG, NUMBERS, WORD, Key, Unit, read_inputs, read_words
from ivfhir.errors import ParameterError

POUND = Unit("lb", "[lb_av]", Decimal("0.45359237"))
WEIGHT = Key("weight", "weight", "kg", "kg", others=(POUND,))
MOLES = Unit("umol_l", "umol/L", divisor=Decimal("88.42"))
CREATININE = Key("creatinine", "creatinine", "mg_dl", "mg/dL", others=(MOLES,))
INR = Key("inr", "INR", required=False)
SEX = Key("sex", "sex", kind=WORD, words=("male", "female"), required=False)
NOW = Key("now", "each", "mm", "mm", kind=NUMBERS, missing="missing", required=False)
NEW = Key("new", "new?", kind=FLAG, required=False)
START = Key("start", "day", kind=DAY, required=False)
KEYS = (WEIGHT, CREATININE, INR, SEX, NOW, NEW, START)


def given(*words):
    return read_inputs("a-calculation", KEYS, read_words(words))


def test_values_are_exact_and_shown_as_they_were_written():
    found = given("weight_kg=70.50", "creatinine_mg_dl=1.0", "inr=1.1", "sex=male", "new=yes")
    assert found.values == {
        "weight_kg": Decimal("70.50"),
        "creatinine_mg_dl": Decimal("1.0"),
        "inr": Decimal("1.1"),
        "sex": "male",
        "new": True,
    }
    assert str(found.shown["weight_kg"]["value"]) == "70.50"
    assert found.shown["weight_kg"]["unit"] == "kg"
    assert found.shown["inr"] == {"value": Decimal("1.1"), "unit": "1"}
    assert found.shown["sex"] == {"value": "male"}


def test_another_unit_is_converted_by_multiplying_before_dividing():
    found = given("weight_lb=100", "creatinine_umol_l=88.42")
    assert found.values == {
        "weight_kg": Decimal("45.35923700"),
        "creatinine_mg_dl": Decimal("1"),
    }
    assert found.shown["creatinine_umol_l"] == {"value": Decimal("88.42"), "unit": "umol/L"}


def test_lists_days_and_what_is_missing_in_a_list():
    found = given("weight_kg=70", "creatinine_mg_dl=1", "now_mm=20, missing,0", "start=2025-03-03")
    assert found.values["now_mm"] == [20, None, 0]
    assert found.values["start"] == date(2025, 3, 3)
    assert found.shown["start"] == {"value": "2025-03-03"}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["weight=70"], "weight does not carry a unit.*weight_kg or weight_lb"),
        (["weight_stone=11"], "weight_stone does not carry a unit.*weight_kg or weight_lb"),
        (["height_cm=170"], "no input 'height_cm'; it takes weight_kg, creatinine_mg_dl"),
        (["weight_kg=70"], "needs creatinine_mg_dl or creatinine_umol_l"),
        (["weight_kg=70kg"], "weight_kg is '70kg', which is no number"),
        (["weight_kg=7e1"], "weight_kg is '7e1'"),
        (["weight_kg=NaN"], "weight_kg is 'NaN'"),
        (["weight_kg=\u0667\u0660"], "which is no number"),
        (["weight_kg=70,5"], "which is no number"),
        (["weight_kg=70", "weight_lb=154"], "weight_lb is given in another unit too"),
        (["weight_kg=70", "weight_kg=71"], "weight_kg is given twice"),
        (["sex=m"], "sex is 'm'; it must be one of male, female"),
        (["new=maybe"], "new is 'maybe'; write yes or no"),
        (["start=2025-02-30"], "start is '2025-02-30'"),
        (["start=soon"], "start is 'soon'"),
        (["now_mm=20,"], "now_mm is ''"),
        (["70"], "'70' is no input"),
        (["weight_kg="], "is no input"),
    ],
)
def test_a_refusal_names_the_key_and_what_to_write(words, says):
    with pytest.raises(ParameterError, match=says):
        given(*words)
