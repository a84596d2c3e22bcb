"""Regimens in a draft: what the settings choose, and the doses that a plan holds."""

from decimal import Decimal

import pytest

from ivfhir.errors import ParameterError, UnknownProtocolError
from ivfhir.knowledge.load import load_protocol
from smart_app.visit.regimens import (
    confirmed_in,
    doses_of,
    levels_in,
    split_values,
    statement_words,
)
from tests.smart_app.visit.test_dosage import request

VALUES = {"segments": "4", "dose_gemcitabine": "1000", "confirmed": "hearing,nyha"}


@pytest.fixture(scope="module")
def lung():
    return load_protocol("LUNG")


def test_without_a_regimen_its_doses_and_confirmations_say_nothing(lung):
    assert split_values(lung, VALUES) == ({"segments": "4"}, None)
    assert split_values(lung, {**VALUES, "regimen": ""}) == ({"segments": "4"}, None)


def test_a_regimen_takes_only_the_doses_that_it_leaves_to_choose(lung):
    values = {**VALUES, "regimen": "RG-LU2", "dose_docetaxel": "75"}
    own, prescription = split_values(lung, values)
    assert own == {"segments": "4", "regimen": "RG-LU2"}
    assert prescription.choices == {"dose_gemcitabine": Decimal(1000)}
    assert prescription.confirmed == ("hearing", "nyha")


def test_what_is_no_number_and_no_regimen_is_refused(lung):
    with pytest.raises(ParameterError, match="is a number; 'much' is none"):
        split_values(lung, {"regimen": "RG-LU2", "dose_gemcitabine": "much"})
    with pytest.raises(UnknownProtocolError, match="There is no regimen 'RG-XX'"):
        split_values(lung, {"regimen": "RG-XX"})


def test_levels_and_confirmations_of_the_settings():
    assert levels_in({**VALUES, "auc": "5.5", "dose_x": "1.2.3", "dose_y": "٣"}) == {
        "dose_gemcitabine": Decimal(1000),
        "auc": Decimal("5.5"),
    }
    assert confirmed_in(VALUES) == ("hearing", "nyha")
    assert confirmed_in({}) == ()
    assert statement_words(["hearing"]) == ("hearing (no hearing loss of grade 2 or more)",)


def test_doses_of_a_plan():
    cisplatin = request("cisplatin", 135, "134.4123")
    contained = [
        cisplatin, cisplatin, request("fluorouracil", 715, "716.8", "bolus"),
        request("fluorouracil", 4300, "4301.2", "infusion"), {"resourceType": "Goal"},
    ]  # fmt: skip
    assert doses_of({"contained": contained}) == {
        "cisplatin": "cisplatin 135 mg (134.4 mg before rounding)",
        "fluorouracil bolus": "fluorouracil bolus 715 mg (716.8 mg before rounding)",
        "fluorouracil infusion": "fluorouracil infusion 4300 mg (4301 mg before rounding)",
    }
    assert doses_of({}) == {}
