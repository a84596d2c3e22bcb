"""CALC-03 and 04, by the specification's vectors and beside what the CQL of the facts computes."""

import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ivfhir.dosing.renal import adjusted_clearance, ckd_epi_2021, cockcroft_gault_ml_min
from ivfhir.errors import ParameterError
from ivfhir.expressions.index import ResourceIndex
from ivfhir.expressions.values import DateTime
from ivfhir.knowledge.load import load_protocol
from tests.ivfhir.dosing.digits import d, four

ROUNDED_BY_CQL = Decimal("0.00001")
"""CQL rounds each power to eight places."""


@pytest.mark.parametrize(
    ("age", "kg", "creatinine", "sex", "ml_min"),
    [
        ("62", "70", "1.0", "male", "75.83"),
        ("71", "52.5", "0.8", "female", "53.46"),
        ("55", "104", "1.9", "male", "64.62"),
        ("48", "58", "0.6", "female", "105.0"),
        ("62", "68", "0.9", "male", "81.85"),
    ],
)
def test_cockcroft_gault(age, kg, creatinine, sex, ml_min):
    found = cockcroft_gault_ml_min(
        age_years=d(age), weight_kg=d(kg), creatinine_mg_dl=d(creatinine), sex=sex
    )
    assert {sex: four(found[sex])} == {sex: d(ml_min)}
    assert list(found) == [sex]


@pytest.mark.parametrize("sex", ["other", "unknown"])
def test_another_sex_has_both_clearances(sex):
    found = cockcroft_gault_ml_min(
        age_years=d("62"), weight_kg=d("70"), creatinine_mg_dl=d("1.0"), sex=sex
    )
    assert {each: four(value) for each, value in found.items()} == {
        "male": d("75.83"),
        "female": d("64.46"),
    }


def test_the_adjusted_weight_is_an_alternative_from_a_bmi_of_30():
    given = {"age_years": d("55"), "creatinine_mg_dl": d("1.9"), "sex": "male"}
    heavy = adjusted_clearance(height_cm=d("182"), weight_kg=d("104"), **given)
    assert heavy is not None
    assert four(heavy.weight_kg["male"]) == d("87.68")
    assert four(heavy.ml_min["male"]) == d("54.48")
    exactly_30 = adjusted_clearance(height_cm=d("200"), weight_kg=d("120"), **given)
    assert exactly_30 is not None
    assert adjusted_clearance(height_cm=d("200"), weight_kg=d("119.9"), **given) is None


@pytest.mark.parametrize(
    ("creatinine", "age", "sex", "egfr"),
    [
        ("1.0", "62", "male", "85.10"),
        ("0.8", "71", "female", "78.72"),
        ("1.9", "55", "male", "41.15"),
        ("0.6", "48", "female", "110.7"),
        ("0.9", "62", "male", "96.57"),
    ],
)
def test_ckd_epi(creatinine, age, sex, egfr):
    found = ckd_epi_2021(creatinine_mg_dl=d(creatinine), age_years=d(age), sex=sex)
    assert {each: four(value) for each, value in found.items()} == {sex: d(egfr)}


@pytest.mark.parametrize(
    ("name", "value"),
    [("age_years", "17"), ("age_years", "121"), ("weight_kg", "19"), ("creatinine_mg_dl", "0.09")],
)
def test_an_implausible_input_gives_no_clearance(name, value):
    given = {"age_years": d("62"), "weight_kg": d("70"), "creatinine_mg_dl": d("1.0")}
    with pytest.raises(ParameterError, match=name):
        cockcroft_gault_ml_min(**given | {name: d(value)}, sex="male")


def test_the_facts_in_cql_give_the_same_egfr_for_ten_thousand_patients():
    """The define EgfrLow of IOFacts, run here with creatinine, age and sex put in."""
    protocol = load_protocol("LUNG")
    facts, chance = protocol.facts, random.Random(20250303)
    nobody, as_of = ResourceIndex(None, []), DateTime.of(datetime(2025, 3, 3, tzinfo=UTC))
    furthest = Decimal(0)
    for _ in range(10_000):
        creatinine = Decimal(chance.randint(10, 3000)) / 100
        age = Decimal(chance.randint(18, 110))
        sex = chance.choice(["male", "female"])
        session = protocol.library.session(
            nobody,
            parameters={"AsOf": as_of},
            preset={
                (facts, "Creatinine"): {"low": creatinine, "high": creatinine},
                (facts, "Age"): {"low": age, "high": age},
                (facts, "Gender"): sex,
            },
        )
        in_cql = session.value("EgfrLow", facts)
        ours = ckd_epi_2021(creatinine_mg_dl=creatinine, age_years=age, sex=sex)[sex]
        furthest = max(furthest, abs(in_cql - ours))
    assert furthest < ROUNDED_BY_CQL
