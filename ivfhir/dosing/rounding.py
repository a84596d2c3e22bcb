"""A dose as it is drawn up."""

from decimal import ROUND_HALF_DOWN, Decimal

_COARSE_FROM_MG = 50
_COARSE_MG, _FINE_MG = Decimal(5), Decimal(1)


def rounded_mg(dose_mg: Decimal) -> Decimal:
    """Return the dose rounded to 5 mg, below 50 mg to 1 mg.

    Args:
        dose_mg: unrounded, after all caps. Half-way it goes down: the lower dose is the safer one.

    Source: D.2, "Dose rounding"
    """
    step = _FINE_MG if dose_mg < _COARSE_FROM_MG else _COARSE_MG
    return (dose_mg / step).quantize(Decimal(1), ROUND_HALF_DOWN) * step
