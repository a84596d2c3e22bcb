"""Arithmetic of dates (https://cql.hl7.org/09-b-cqlreference.html#date-and-time-operators-2).

Durations between partial dates are an `Uncertain` range of what the unknown components allow.
"""

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.values import Date, DateTime, Quantity, Time, Uncertain
from ivfhir.expressions.values.dates import (
    DAY,
    HIGHEST,
    HOUR,
    LOWEST,
    MILLISECOND,
    MINUTE,
    MONTH,
    PRECISIONS,
    SECOND,
    YEAR,
    Partial,
    Parts,
    parts_of,
    shifted,
    valid_parts,
)
from ivfhir.expressions.values.quantities import CALENDAR
from ivfhir.expressions.values.value import Value

UCUM_WORDS = {
    "a": "year",
    "mo": "month",
    "wk": "week",
    "d": "day",
    "h": "hour",
    "min": "minute",
    "s": "second",
    "ms": "millisecond",
}
LEVELS = {name.lower(): level for name, level in PRECISIONS.items()}
COARSER = {MONTH: 12, DAY: 30, HOUR: 24, MINUTE: 60, SECOND: 60, MILLISECOND: 1000}
"""How many of a unit make one of the next coarser unit, where a quantity is finer than the date."""
DAYS_A_YEAR = 365
MONTHS = 12
WEEK = 7
EPOCH = datetime(1, 1, 1, tzinfo=UTC)
MILLI = timedelta(milliseconds=1)
MS = {DAY: 86_400_000, HOUR: 3_600_000, MINUTE: 60_000, SECOND: 1000, MILLISECOND: 1}


def plus(value: Partial, quantity: Quantity, sign: int = 1) -> Partial | None:
    """Return the date moved by a quantity of time, None when the calendar has no such date.

    A quantity finer than the date is cut to the date's precision; decimals count for seconds only.

    Args:
        value: Date, DateTime or Time.
        quantity: an amount of years to milliseconds, as calendar word or UCUM code.
        sign: -1 moves back.

    Raises:
        CqlError: the unit is not one of time.
    """
    word = CALENDAR.get(quantity.unit) or UCUM_WORDS.get(quantity.unit)
    if word is None:
        raise CqlError("only a quantity of time can be added to a date")
    if quantity.value is None:
        return None
    level = LEVELS[word]
    amount, level = milliseconds(quantity.value, level)
    if word == "week":
        amount *= WEEK
    finest = value.precision
    while level > finest:
        if level == DAY and finest == YEAR:
            amount, level = cut(amount, DAYS_A_YEAR), YEAR
        else:
            amount, level = cut(amount, COARSER[level]), level - 1
    return moved(value, amount * sign, level)


def milliseconds(value: Decimal, level: int) -> tuple[int, int]:
    """Return a whole amount and its level; seconds with decimals become milliseconds."""
    if level == SECOND and value != value.to_integral_value():
        return int(value * 1000), MILLISECOND
    return int(value), level


def cut(amount: int, divisor: int) -> int:
    """Return the quotient without its fraction."""
    return abs(amount) // divisor * (1 if amount >= 0 else -1)


def moved(value: Partial, amount: int, level: int) -> Partial | None:
    """Return the date moved by a whole amount of a component that it has."""
    if isinstance(value, Time):
        total = as_milliseconds((*LOWEST[:DAY], *value.parts)) + amount * MS[level]
        parts = from_milliseconds(total % MS[DAY], len(value.parts) + DAY)
        return Time(parts[DAY:])
    try:
        if level <= MONTH:
            parts = moved_months(value.parts, amount * (MONTHS if level == YEAR else 1))
        else:
            total = as_milliseconds(value.parts) + amount * MS[level]
            parts = from_milliseconds(total, len(value.parts))
    except (OverflowError, ValueError):
        return None
    return DateTime(parts, value.offset) if isinstance(value, DateTime) else Date(parts)


def moved_months(parts: Parts, months: int) -> Parts:
    """Return components moved by months; the day is cut to the month's last."""
    month = parts[1] if len(parts) >= MONTH else 1
    count = parts[0] * MONTHS + month - 1 + months
    year, month = count // MONTHS, count % MONTHS + 1
    if not YEAR <= year <= HIGHEST[0]:
        raise OverflowError
    if len(parts) < DAY:
        return (year, month)[: len(parts)]
    return (year, month, min(parts[2], monthrange(year, month)[1]), *parts[DAY:])


def as_milliseconds(parts: Parts) -> int:
    """Return milliseconds since the first day of year 1; missing components are the least."""
    year, month, day, hour, minute, second, milli = parts + LOWEST[len(parts) :]
    days = date(year, month, day).toordinal() - 1
    return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + milli


def from_milliseconds(total: int, length: int) -> Parts:
    """Return the first `length` components of a number of milliseconds since year 1."""
    return parts_of(EPOCH + MILLI * total)[:length]


def duration_between(a: Partial, b: Partial, precision: str) -> int | Uncertain:
    """Return the whole periods from `a` to `b`, a range when components are missing.

    Missing are those down to the day, or to the component asked for where that is finer; finer ones
    that are missing count as their first. A year from 29 February ends on 1 March of a year that
    has no 29 February (CQL 1.5.3, Appendix H).
    """
    level = PRECISIONS[precision]
    divisor = WEEK if precision == "Week" else 1
    x, y = aligned(a, b, level)
    length = max(level, DAY)
    low = whole_periods(filled(x, length, last=True), filled(y, length, last=False), level)
    high = whole_periods(filled(x, length, last=False), filled(y, length, last=True), level)
    return ranged(cut(low, divisor), cut(high, divisor))


def days_between(a: Date, b: Date) -> int | Uncertain:
    """Return the days from one date to another, a range when components are missing."""
    if len(a.parts) == len(b.parts) == DAY:
        return b.ordinal - a.ordinal
    return difference_between(a, b, "Day")


def difference_between(a: Partial, b: Partial, precision: str) -> int | Uncertain:
    """Return how many boundaries of a component lie between `a` and `b`.

    A range when components are missing.
    """
    level = PRECISIONS[precision]
    x, y = aligned(a, b, level)
    if len(x) >= level <= len(y) and precision != "Week":
        return boundaries(x, y, level)
    x, y = x[:level], y[:level]
    if precision == "Week":
        low = weeks(filled(x, DAY, last=True), filled(y, DAY, last=False))
        return ranged(low, weeks(filled(x, DAY, last=False), filled(y, DAY, last=True)))
    low = boundaries(filled(x, level, last=True), filled(y, level, last=False), level)
    return ranged(low, boundaries(filled(x, level, last=False), filled(y, level, last=True), level))


def aligned(a: Partial, b: Partial, level: int) -> tuple[Parts, Parts]:
    """Return the components of both in one time zone, where hours or finer are asked for."""
    x, y = a.parts, b.parts
    if isinstance(a, Time):
        return (*LOWEST[:DAY], *x), (*LOWEST[:DAY], *y)
    if level >= HOUR or (len(x) >= HOUR and len(y) >= HOUR):
        left, right = getattr(a, "offset", None), getattr(b, "offset", None)
        if left is not None and right is not None and left != right and level >= HOUR:
            return shifted(x, -left), shifted(y, -right)
    return x, y


def filled(parts: Parts, length: int, *, last: bool) -> Parts:
    """Return the components with the missing ones, up to `length`, first or last of their kind."""
    if len(parts) >= length:
        return parts
    missing = list((HIGHEST if last else LOWEST)[len(parts) : length])
    if last and length >= DAY > len(parts):
        month = parts[1] if len(parts) >= MONTH else MONTHS
        missing[DAY - 1 - len(parts)] = monthrange(parts[0], month)[1]
    return (*parts, *missing)


def whole_periods(x: Parts, y: Parts, level: int) -> int:
    """Return the whole periods between two moments of known components."""
    if x > y:
        return -whole_periods(y, x, level)
    if level >= DAY:
        return (as_milliseconds(y) - as_milliseconds(x)) // MS[level]
    x, y = x + LOWEST[len(x) :], y + LOWEST[len(y) :]
    months = (y[0] - x[0]) * MONTHS + y[1] - x[1]
    if y[DAY - 1 :] < x[DAY - 1 :]:
        months -= 1
    return months // MONTHS if level == YEAR else months


def boundaries(x: Parts, y: Parts, level: int) -> int:
    """Return how many starts of a component are between two moments."""
    if level == YEAR:
        return y[0] - x[0]
    if level == MONTH:
        return (y[0] - x[0]) * MONTHS + y[1] - x[1]
    if level == DAY:
        return date(*y[:DAY]).toordinal() - date(*x[:DAY]).toordinal()
    return as_milliseconds(y[:level]) // MS[level] - as_milliseconds(x[:level]) // MS[level]


def weeks(x: Parts, y: Parts) -> int:
    """Return how many Sundays are crossed between two days."""
    first, second = (as_milliseconds(p[:DAY]) // MS[DAY] + 1 for p in (x, y))
    return second // WEEK - first // WEEK


def ranged(low: int, high: int) -> int | Uncertain:
    """Return a number, or the range when the ends differ."""
    return low if low == high else Uncertain(min(low, high), max(low, high))


def date_from(value: Value) -> Date:
    """Return the calendar date of a DateTime in its own offset."""
    found: Date = value if isinstance(value, Date) else value.date()
    return found


def time_from(value: DateTime) -> Time | None:
    """Return the time of day of a DateTime, None when it has none."""
    return Time(value.parts[DAY:]) if len(value.parts) >= HOUR else None


def offset_from(value: DateTime) -> Decimal | None:
    """Return the offset in hours."""
    return None if value.offset is None else Decimal(value.offset) / 60


def build(parts: list[int | None], what: str) -> Parts | None:
    """Return components up to the first null, None when there is none.

    Raises:
        CqlError: a component follows a null, or the calendar has no such date.
    """
    known = []
    for number, part in enumerate(parts):
        if part is None:
            if any(p is not None for p in parts[number:]):
                raise CqlError(f"{what}: a component follows a missing one")
            break
        known.append(part)
    if not known:
        return None
    valid = valid_parts(tuple(known))
    if valid is None:
        raise CqlError(f"{what}: the calendar has no such date or time")
    return valid


def boundary(value: Partial, digits: int | None, *, last: bool) -> Partial | None:
    """Return the first or last value of a finer precision that the value can mean.

    Args:
        value: Date, DateTime or Time.
        digits: CQL's precision: 4 year, 6 month, 8 day, 10 hour, 12 minute, 14 second, 17
            millisecond (for a Time 2, 4, 6, 9); None is the finest of the type.
        last: the last value instead of the first.
    """
    lengths = {2: 1, 4: 2, 6: 3, 9: 4} if isinstance(value, Time) else dict(_DIGITS)
    if digits == DAY_DIGITS and isinstance(value, Date) and len(value.parts) == DAY:
        return value
    finest = {Date: DAY, Time: 4}.get(type(value), MILLISECOND)
    length = finest if digits is None else lengths.get(digits)
    if length is None or length > finest:
        return None
    if isinstance(value, Time):
        limits = (HIGHEST if last else LOWEST)[DAY:]
        return Time((*value.parts, *limits[len(value.parts) :])[:length])
    parts = filled(value.parts, length, last=last)[:length]
    return DateTime(parts, value.offset) if isinstance(value, DateTime) else Date(parts)


DAY_DIGITS = 8
_DIGITS = {4: YEAR, 6: MONTH, 8: DAY, 10: HOUR, 12: MINUTE, 14: SECOND, 17: MILLISECOND}


def digits_of(value: Partial) -> int:
    """Return CQL's precision of a date or time: how many digits its known components have."""
    if isinstance(value, Time):
        return {1: 2, 2: 4, 3: 6, 4: 9}[len(value.parts)]
    return {length: digits for digits, length in _DIGITS.items()}[len(value.parts)]
