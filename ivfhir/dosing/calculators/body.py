"""Body surface area, ideal weight, and the two measures of kidney function."""

from collections.abc import Callable
from decimal import Decimal

from ivfhir.dosing import body, renal
from ivfhir.dosing.calculator import Calculator, Outcome, by_sex, four_digits
from ivfhir.dosing.carboplatin import calvert_mg, is_capped
from ivfhir.dosing.keys import WORD, Given, Key, Unit
from ivfhir.dosing.plausible import SEXES
from ivfhir.dosing.rounding import rounded_mg
from ivfhir.dosing.units import (
    CM_PER_INCH,
    CM_PER_M,
    CREATININE_UMOL_L_PER_MG_DL,
    KG_PER_POUND,
)

_HEIGHT_UNITS = (Unit("m", "m", CM_PER_M), Unit("in", "[in_i]", CM_PER_INCH))
_HEIGHT = Key("height", "height", "cm", "cm", others=_HEIGHT_UNITS)
_HEIGHT_TOO = Key("height", "height", "cm", "cm", required=False, others=_HEIGHT_UNITS)
_POUND = Unit("lb", "[lb_av]", KG_PER_POUND)
_WEIGHT = Key("weight", "actual weight", "kg", "kg", others=(_POUND,))
_AGE = Key("age", "completed years", "years", "a")
_SEX = Key("sex", "administrative gender", kind=WORD, words=SEXES)
_MOLES = Unit("umol_l", "umol/L", divisor=CREATININE_UMOL_L_PER_MG_DL)
_CREATININE = Key("creatinine", "serum creatinine", "mg_dl", "mg/dL", others=(_MOLES,))
_AUC = Key("auc", "area under the curve, mg/mL times min", unit="mg.min/mL")
_GFR = Key("gfr", "clearance by Cockcroft-Gault, not indexed", "ml_min", "mL/min")


def _area(formula: Callable[..., Decimal]) -> Callable[[Given], Outcome]:
    def compute(given: Given) -> Outcome:
        area = formula(**given.values)
        note = body.large_bsa_note(area)
        return Outcome(area, "m2", notes=(note,) if note else ())

    return compute


def _cockcroft_gault(given: Given) -> Outcome:
    values = {name: value for name, value in given.values.items() if name != "height_cm"}
    found = renal.cockcroft_gault_ml_min(**values)
    notes = ["With the actual weight; not indexed to 1.73 m2."]
    if "height_cm" in given.values:
        notes += _adjusted(renal.adjusted_clearance(**given.values))
    else:
        notes.append("Give height_cm too to see whether the adjusted weight matters (BMI >= 30).")
    return by_sex(found, "mL/min", notes)


def _adjusted(other: renal.AdjustedClearance | None) -> list[str]:
    if other is None:
        return []
    bmi = four_digits(other.bmi_kg_m2)
    several = len(other.ml_min) > 1
    return [
        f"BMI {bmi} kg/m2: with the adjusted weight of {four_digits(other.weight_kg[sex])} kg the "
        f"clearance is {four_digits(clearance)} mL/min{f' ({sex})' if several else ''}."
        for sex, clearance in other.ml_min.items()
    ]


def _ckd_epi(given: Given) -> Outcome:
    return by_sex(renal.ckd_epi_2021(**given.values), "mL/min/{1.73_m2}")


def _calvert(given: Given) -> Outcome:
    dose = calvert_mg(**given.values)
    notes = (
        ("The clearance counts as 125 mL/min.",) if is_capped(given.values["gfr_ml_min"]) else ()
    )
    return Outcome(dose, "mg", rounded=rounded_mg(dose), notes=notes)


def _ideal_weight(given: Given) -> Outcome:
    short = given.values["height_cm"] < body.DEVINE_FROM_CM
    notes = ["Below 152.4 cm the formula is extrapolated."] if short else []
    return by_sex(body.ideal_weight_kg(**given.values), "kg", notes)


BSA_MOSTELLER = Calculator(
    "bsa-mosteller",
    "body surface area by Mosteller",
    "CALC-01; Mosteller [R34] globalrph.com/bsa2.htm",
    (_HEIGHT, _WEIGHT),
    _area(body.bsa_mosteller_m2),
)
BSA_DU_BOIS = Calculator(
    "bsa-du-bois",
    "body surface area by Du Bois",
    "CALC-02; Du Bois [R34] globalrph.com/bsa2.htm",
    (_HEIGHT, _WEIGHT),
    _area(body.bsa_du_bois_m2),
)
COCKCROFT_GAULT = Calculator(
    "cockcroft-gault",
    "creatinine clearance",
    "CALC-03; Cockcroft and Gault 1976, by calculator pages; the paper was not read",
    (_AGE, _WEIGHT, _CREATININE, _SEX, _HEIGHT_TOO),
    _cockcroft_gault,
)
CKD_EPI = Calculator(
    "ckd-epi-2021",
    "estimated glomerular filtration rate",
    "CALC-04; Inker 2021 [R27] kidney.org",
    (_CREATININE, _AGE, _SEX),
    _ckd_epi,
)
CALVERT = Calculator(
    "calvert",
    "carboplatin by area under the curve",
    "CALC-05; Calvert 1989 [R28]",
    (_AUC, _GFR),
    _calvert,
)
IDEAL_WEIGHT = Calculator(
    "ideal-weight", "ideal weight by Devine", "CALC-08; Devine", (_HEIGHT, _SEX), _ideal_weight
)
