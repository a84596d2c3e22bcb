"""What a regimen would give, and what stands before it."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from ivfhir.dosing.inputs import Input
from ivfhir.dosing.offer import choices_of, drugs_to_choose, offer_regimen
from ivfhir.knowledge.regimens import load_regimen

AS_OF = date(2025, 3, 3)
GIVEN = {
    "age_years": Input(Decimal(62)),
    "sex": Input("male"),
    "height_cm": Input(Decimal(170)),
    "weight_kg": Input(Decimal(68), date=AS_OF),
    "creatinine_mg_dl": Input(Decimal("0.9"), date=AS_OF),
    "ecog": Input(Decimal(1), date=AS_OF),
    "platelets_10e9_l": Input(Decimal(210), date=AS_OF),
    "neutrophils_10e9_l": Input(Decimal(4), date=AS_OF),
    "platinum_allergy": Input(value=False),
}


def offer(regimen, *, given=GIVEN, choices=None, confirmed=()):
    return offer_regimen(
        load_regimen(regimen),
        given,
        as_of=AS_OF,
        choices=choices or {},
        confirmed=confirmed,
        interval_days=Decimal(28),
        courses=4,
    )


def test_doses_are_told_before_anything_is_confirmed():
    told = offer("RG-LU1")
    assert [each.administrations[0].rounded_mg for each in told.proposal.doses] == [135, 895]
    assert list(told.to_confirm) == ["hearing", "neuropathy", "nyha", "histology", "folate-b12"]
    assert (told.against, told.to_choose, told.is_excluded) == ((), "", False)


def test_what_is_confirmed_is_not_asked_again():
    told = offer("RG-LU1", confirmed=["hearing", "histology"])
    assert list(told.to_confirm) == ["neuropathy", "nyha", "folate-b12"]


def test_a_clearance_below_60_excludes_cisplatin_and_gives_no_dose():
    told = offer("RG-LU1", given={**GIVEN, "weight_kg": Input(Decimal(45), date=AS_OF)})
    assert told.proposal is None
    assert told.is_excluded
    assert any("AG-CIS excludes cisplatin: clearance below 60" in each for each in told.against)


def test_a_missing_weight_is_said_once_and_gives_no_dose():
    told = offer("RG-LU1", given={**GIVEN, "weight_kg": None})
    assert told.is_excluded
    assert len(told.against) == len(set(told.against))
    assert any("weight" in each for each in told.against)


def test_a_published_range_is_to_be_chosen():
    told = offer("RG-LU2")
    assert told.proposal is None
    assert "gemcitabine is published as 1000 to 1250 mg/m2" in told.to_choose
    assert not told.is_excluded
    chosen = {"dose_cisplatin": Decimal(75), "dose_gemcitabine": Decimal(1000)}
    assert offer("RG-LU2", choices=chosen).proposal is not None


def test_a_dose_out_of_bounds_is_told_and_gives_none():
    told = offer("RG-LU3", choices={"dose_docetaxel": Decimal(90)})
    assert told.proposal is None
    assert "dose_docetaxel is 90, but RG-LU3 allows 55 to 75 mg/m2." in told.to_choose


def test_a_choice_of_another_regimen_is_left_out():
    told = offer("RG-LU1", choices={"dose_cisplatin": Decimal(60), "auc": Decimal(5)})
    assert told.proposal.doses[0].level == 75


def test_of_drugs_that_stand_for_each_other_the_chosen_one_counts():
    given = {**GIVEN, "ecog": Input(Decimal(2), date=AS_OF)}
    told = offer("RG-LU6", given=given, choices={"auc": Decimal(5)})
    assert told.proposal is not None
    assert told.against == ()
    assert "hearing" not in told.to_confirm


@pytest.mark.parametrize(
    ("regimen", "drugs", "choices"),
    [
        ("RG-LU1", [], set()),
        ("RG-LU6", ["cisplatin", "carboplatin"], {"dose_cisplatin", "auc"}),
        ("RG-PO2", [], {"pump_reservoir_ml", "pump_flow_ml_per_day"}),
        ("RG-LM7", [], set()),
    ],
)
def test_what_is_to_be_chosen(regimen, drugs, choices):
    loaded = load_regimen(regimen)
    assert [each.id for each in drugs_to_choose(loaded)] == drugs
    assert choices_of(loaded) == choices


def test_a_referral_has_no_dose():
    told = offer("RG-LM6")
    assert told.proposal.doses == ()


def test_a_site_s_drug_without_a_rule_asks_for_its_statement_and_its_dose_over_a_life():
    regimen = load_regimen("RG-LI1")
    [drug] = regimen.drugs
    bare = replace(drug, exclusions=(), confirm=("hearing",), published=(Decimal(50), Decimal(50)))
    told = offer_regimen(
        replace(regimen, drugs=(bare,)),
        GIVEN,
        as_of=AS_OF,
        choices={},
        confirmed=(),
        interval_days=None,
        courses=1,
    )
    assert "hearing" in told.to_confirm
    assert told.proposal is not None
