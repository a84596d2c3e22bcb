"""The ALBI score of liver function."""

from dataclasses import dataclass
from decimal import Decimal

from ivfhir.dosing.plausible import check
from ivfhir.dosing.units import ALBUMIN_G_L_PER_G_DL, BILIRUBIN_UMOL_L_PER_MG_DL

_GRADE_1_TO, _GRADE_2_TO = Decimal("-2.60"), Decimal("-1.39")


@dataclass(frozen=True)
class Albi:
    """The score and its grade, 1 (best) to 3."""

    score: Decimal
    grade: int


def albi(*, bilirubin_umol_l: Decimal, albumin_g_l: Decimal) -> Albi:
    """Return the ALBI score, unrounded, and the grade of that very number.

    Args:
        bilirubin_umol_l: total bilirubin.
        albumin_g_l: serum albumin.

    Raises:
        ParameterError: a value is implausible (E-08).

    Source: CALC-07 [R29]
    """
    check(
        "bilirubin_mg_dl",
        bilirubin_umol_l / BILIRUBIN_UMOL_L_PER_MG_DL,
        name="bilirubin (as mg/dL)",
    )
    check("albumin_g_dl", albumin_g_l / ALBUMIN_G_L_PER_G_DL, name="albumin (as g/dL)")
    score = Decimal("0.66") * bilirubin_umol_l.log10() - Decimal("0.085") * albumin_g_l
    grade = 1 if score <= _GRADE_1_TO else 2 if score <= _GRADE_2_TO else 3
    return Albi(score=score, grade=grade)
