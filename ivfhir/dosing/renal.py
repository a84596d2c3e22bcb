"""Creatinine clearance and estimated glomerular filtration rate."""

from dataclasses import dataclass
from decimal import Decimal

from ivfhir.dosing.body import adjusted_weight_kg, bmi_kg_m2, ideal_weight_kg, sexes_meant
from ivfhir.dosing.plausible import check

OBESE_BMI_KG_M2 = 30
_FEMALE_CLEARANCE = Decimal("0.85")
_CKD_EPI = {
    "male": (Decimal("0.9"), Decimal("-0.302"), Decimal(1)),
    "female": (Decimal("0.7"), Decimal("-0.241"), Decimal("1.012")),
}
"""Sex -> kappa in mg/dL, alpha, factor."""


@dataclass(frozen=True)
class AdjustedClearance:
    """What the clearance is with the adjusted weight, for a patient with a BMI of 30 or more.

    Attributes:
        bmi_kg_m2: the body mass index.
        weight_kg: the adjusted weight by sex.
        ml_min: the clearance by sex.
    """

    bmi_kg_m2: Decimal
    weight_kg: dict[str, Decimal]
    ml_min: dict[str, Decimal]


def cockcroft_gault_ml_min(
    *, age_years: Decimal, weight_kg: Decimal, creatinine_mg_dl: Decimal, sex: str
) -> dict[str, Decimal]:
    """Return the creatinine clearance in mL/min with the actual weight, unrounded.

    Args:
        age_years: completed years, from 18.
        weight_kg: the actual weight.
        creatinine_mg_dl: serum creatinine.
        sex: male or female gives one clearance; other and unknown give both.

    Raises:
        ParameterError: an input is implausible (E-08).

    Source: CALC-03
    """
    check("age_years", age_years)
    check("weight_kg", weight_kg)
    check("creatinine_mg_dl", creatinine_mg_dl)
    male = (140 - age_years) * weight_kg / (72 * creatinine_mg_dl)
    both = {"male": male, "female": male * _FEMALE_CLEARANCE}
    return {each: both[each] for each in sexes_meant(sex)}


def adjusted_clearance(
    *,
    age_years: Decimal,
    height_cm: Decimal,
    weight_kg: Decimal,
    creatinine_mg_dl: Decimal,
    sex: str,
) -> AdjustedClearance | None:
    """Return the alternative with the adjusted weight; None where the BMI is below 30.

    Raises:
        ParameterError: an input is implausible (E-08).

    Source: CALC-03
    """
    bmi = bmi_kg_m2(height_cm=height_cm, weight_kg=weight_kg)
    if bmi < OBESE_BMI_KG_M2:
        return None
    weights = {
        each: adjusted_weight_kg(ideal_kg=ideal, actual_kg=weight_kg)
        for each, ideal in ideal_weight_kg(height_cm=height_cm, sex=sex).items()
    }
    clearances = {
        each: cockcroft_gault_ml_min(
            age_years=age_years, weight_kg=weight, creatinine_mg_dl=creatinine_mg_dl, sex=each
        )[each]
        for each, weight in weights.items()
    }
    return AdjustedClearance(bmi_kg_m2=bmi, weight_kg=weights, ml_min=clearances)


def ckd_epi_2021(*, creatinine_mg_dl: Decimal, age_years: Decimal, sex: str) -> dict[str, Decimal]:
    """Return the estimated GFR in mL/min/1.73 m2, unrounded.

    Args:
        creatinine_mg_dl: serum creatinine.
        age_years: completed years, from 18.
        sex: male or female gives one value; other and unknown give both.

    Raises:
        ParameterError: an input is implausible (E-08).

    Source: CALC-04 [R27]
    """
    check("creatinine_mg_dl", creatinine_mg_dl)
    check("age_years", age_years)
    found = {}
    for each in sexes_meant(sex):
        kappa, alpha, factor = _CKD_EPI[each]
        ratio, one = creatinine_mg_dl / kappa, Decimal(1)
        found[each] = (
            142
            * min(ratio, one) ** alpha
            * max(ratio, one) ** Decimal("-1.2")
            * Decimal("0.9938") ** age_years
            * factor
        )
    return found
