"""Quantities and ratios (https://cql.hl7.org/09-b-cqlreference.html#quantity).

Two quantities are compared in one unit. Calendar words (`days`) and their UCUM codes (`d`) are one
unit up to weeks; months and years of UCUM are not calendar months and years. Where the units have
no common dimension, or `ucum` does not know one, the answer is None.
"""

from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

from ivfhir.expressions.values.ucum import Unit, parse_unit

EXACT = Context(prec=40)
CALENDAR = {
    f"{word}{plural}": word
    for word in ("year", "month", "week", "day", "hour", "minute", "second", "millisecond")
    for plural in ("", "s")
}
UCUM_OF_WORD = {
    "week": "wk",
    "day": "d",
    "hour": "h",
    "minute": "min",
    "second": "s",
    "millisecond": "ms",
}


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with its unit.

    Args:
        value: the number; its digits are kept.
        unit: UCUM code or calendar word; `1` for none.
    """

    value: Decimal | None
    unit: str = "1"

    def __str__(self) -> str:
        """Return the number and the quoted unit, as CQL writes it."""
        number = "" if self.value is None else format(self.value, "f")
        return f"{number} '{self.unit}'"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A quantity for each other quantity."""

    numerator: Quantity | None
    denominator: Quantity | None

    def __str__(self) -> str:
        """Return both quantities with a colon between."""
        return f"{self.numerator}:{self.denominator}"


def canonical_unit(unit: str | None) -> str:
    """Return one spelling for each unit.

    Singular calendar words, UCUM codes for weeks and below.
    """
    word = CALENDAR.get(unit or "1", unit or "1")
    return UCUM_OF_WORD.get(word, word)


def in_base(quantity: Quantity) -> tuple[Fraction, Unit] | None:
    """Return the amount in base units with its dimensions, None where the unit is not known."""
    unit = parse_unit(canonical_unit(quantity.unit))
    if unit is None or quantity.value is None:
        return None
    return Fraction(quantity.value) * unit.factor, unit


def compare_quantities(a: Quantity, b: Quantity) -> int | None:
    """Return -1, 0 or 1 as `a` is less, equal or greater; None when they cannot be compared."""
    if a.value is None or b.value is None:
        return None
    if canonical_unit(a.unit) == canonical_unit(b.unit):
        return (a.value > b.value) - (a.value < b.value)
    x, y = in_base(a), in_base(b)
    if x is None or y is None or x[1].dimensions != y[1].dimensions:
        return None
    return (x[0] > y[0]) - (x[0] < y[0])


CALENDAR_UNITS = {"a": "year", "mo": "month"}
DAYS = {"year": 365, "month": 30}


def equivalent_quantities(a: Quantity, b: Quantity) -> bool:
    """Return whether quantities are equal when a year is 365 days or one of UCUM.

    A month 30 days.
    """
    x, y = in_calendar_units(a), in_calendar_units(b)
    known = compare_quantities(x, y)
    return (compare_quantities(in_days(x), in_days(y)) if known is None else known) == 0


def in_calendar_units(quantity: Quantity) -> Quantity:
    """Return a quantity with a calendar word for UCUM's year or month."""
    unit = canonical_unit(quantity.unit)
    return Quantity(quantity.value, CALENDAR_UNITS.get(unit, unit))


def in_days(quantity: Quantity) -> Quantity:
    """Return calendar years and months as days, other quantities as they are."""
    if quantity.unit not in DAYS or quantity.value is None:
        return quantity
    return Quantity(quantity.value * DAYS[quantity.unit], "d")


def convert(quantity: Quantity, unit: str) -> Quantity | None:
    """Return the quantity in another unit, None when there is no way from one to the other."""
    if quantity.value is None:
        return None
    if canonical_unit(quantity.unit) == canonical_unit(unit):
        return Quantity(quantity.value, unit)
    base, target = in_base(quantity), parse_unit(canonical_unit(unit))
    if base is None or target is None or base[1].dimensions != target.dimensions:
        return None
    return Quantity(to_decimal(base[0] / target.factor), unit)


def to_decimal(number: Fraction) -> Decimal:
    """Return a fraction as a Decimal of at most 40 digits, exact where that is possible."""
    return EXACT.divide(Decimal(number.numerator), Decimal(number.denominator))
