"""Dose intensity: dose a week, and as a share of what was planned or published."""

from collections.abc import Sequence
from decimal import Decimal

from ivfhir.dosing.plausible import check
from ivfhir.errors import ParameterError

DAYS_A_WEEK = 7


def dose_intensity(doses: Sequence[Decimal], *, days: Decimal) -> Decimal:
    """Return the dose a week, in the unit of the doses.

    Args:
        doses: one dose, or all that were given, in one unit such as mg/m2; none below 0, and one
            above it.
        days: the interval after one dose; for several the days from the first dose to the end of
            the last interval.

    Raises:
        ParameterError: there is no dose, one is negative, or the days are implausible.

    Source: CALC-15 [R35]
    """
    check("interval_days", days)
    if not doses or any(not each.is_finite() or each < 0 for each in doses) or not sum(doses):
        raise ParameterError("A dose intensity needs doses; give one or more, none below 0.")
    return sum(doses, Decimal(0)) * DAYS_A_WEEK / days


def relative_intensity(given: Decimal, reference: Decimal) -> Decimal:
    """Return a dose intensity as a share of another: 1 is the same, 0.75 is 75 %.

    Raises:
        ParameterError: the reference is not above 0.
    """
    if reference <= 0:
        raise ParameterError("The reference dose must be above 0.")
    return given / reference
