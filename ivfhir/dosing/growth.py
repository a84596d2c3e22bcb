"""How fast a tumour grows: its volume doubling time."""

from dataclasses import dataclass
from decimal import Decimal

from ivfhir.dosing.plausible import check
from ivfhir.errors import ParameterError

GROWING, REGRESSING, NO_GROWTH = "growing", "regressing", "no growth"


@dataclass(frozen=True)
class Growth:
    """A doubling time with what it says.

    Attributes:
        days: negative where the tumour shrinks; None where it does not change.
        trend: growing, regressing or no growth.
    """

    days: Decimal | None
    trend: str


def growth_by_volume(*, first_ml: Decimal, second_ml: Decimal, interval_days: Decimal) -> Growth:
    """Return the doubling time from two volumes.

    Raises:
        ParameterError: a volume or the interval is implausible.

    Source: CALC-09
    """
    check("volume_ml", first_ml, name="first_ml")
    check("volume_ml", second_ml, name="second_ml")
    return _growth(first_ml, second_ml, interval_days, dimensions=1)


def growth_by_diameter(*, first_mm: Decimal, second_mm: Decimal, interval_days: Decimal) -> Growth:
    """Return the doubling time from two diameters.

    Raises:
        ParameterError: a diameter or the interval is implausible, or a diameter is 0.

    Source: CALC-09
    """
    for name, value in (("first_mm", first_mm), ("second_mm", second_mm)):
        if not check("diameter_mm", value, name=name):
            raise ParameterError(f"{name} is 0: a tumour that is gone has no doubling time.")
    return _growth(first_mm, second_mm, interval_days, dimensions=3)


def _growth(first: Decimal, second: Decimal, interval_days: Decimal, *, dimensions: int) -> Growth:
    check("interval_days", interval_days)
    if first == second:
        return Growth(days=None, trend=NO_GROWTH)
    days = interval_days * Decimal(2).ln() / (dimensions * (second / first).ln())
    return Growth(days=days, trend=GROWING if days > 0 else REGRESSING)
