"""Carboplatin by area under the curve."""

from decimal import Decimal

from ivfhir.dosing.plausible import check

GFR_CAP_ML_MIN = Decimal(125)
_NON_RENAL_ML_MIN = 25


def calvert_mg(*, auc: Decimal, gfr_ml_min: Decimal) -> Decimal:
    """Return the dose of carboplatin in mg, unrounded.

    Args:
        auc: target in mg/mL times min.
        gfr_ml_min: the clearance by Cockcroft-Gault, not indexed to 1.73 m2; above 125 it counts
            as 125.

    Raises:
        ParameterError: an input is implausible.

    Source: CALC-05 [R28]
    """
    check("auc", auc)
    check("gfr_ml_min", gfr_ml_min)
    return auc * (min(gfr_ml_min, GFR_CAP_ML_MIN) + _NON_RENAL_ML_MIN)


def is_capped(gfr_ml_min: Decimal) -> bool:
    """Return whether the clearance counts as 125 mL/min only."""
    return gfr_ml_min > GFR_CAP_ML_MIN
