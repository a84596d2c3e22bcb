"""Successor and predecessor, least and greatest values, and the ends of intervals.

https://cql.hl7.org/09-b-cqlreference.html#successor, #minimum, #start
"""

from datetime import date, timedelta
from decimal import Decimal

from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.values import Date, DateTime, Interval, Quantity, Time
from ivfhir.expressions.values.dates import (
    DAY,
    HIGHEST,
    LOWEST,
    MONTH,
    Partial,
    as_datetime,
    parts_of,
)
from ivfhir.expressions.values.value import Value

STEP = Decimal("0.00000001")
STEPS = (
    timedelta(1),
    timedelta(hours=1),
    timedelta(minutes=1),
    timedelta(seconds=1),
    timedelta(milliseconds=1),
)
"""One step of a day, hour, minute, second and millisecond."""
MAX_INTEGER = 2**31 - 1
MAX_LONG = 2**63 - 1
MAX_DECIMAL = Decimal("99999999999999999999.99999999")
LEAST: dict[str, Value] = {
    "System.Integer": -MAX_INTEGER - 1,
    "System.Long": -MAX_LONG - 1,
    "System.Decimal": -MAX_DECIMAL,
    "System.Date": Date(LOWEST[:DAY]),
    "System.DateTime": DateTime(LOWEST, 0),
    "System.Time": Time(LOWEST[DAY:]),
    "System.Quantity": Quantity(-MAX_DECIMAL),
}
GREATEST: dict[str, Value] = {
    "System.Integer": MAX_INTEGER,
    "System.Long": MAX_LONG,
    "System.Decimal": MAX_DECIMAL,
    "System.Date": Date(HIGHEST[:DAY]),
    "System.DateTime": DateTime(HIGHEST, 0),
    "System.Time": Time(HIGHEST[DAY:]),
    "System.Quantity": Quantity(MAX_DECIMAL),
}


def successor(value: Value) -> Value:
    """Return the next value of the type, one step of its precision further."""
    return neighbour(value, 1)


def predecessor(value: Value) -> Value:
    """Return the previous value of the type, one step of its precision back."""
    return neighbour(value, -1)


def neighbour(value: Value, direction: int) -> Value:
    """Return the value one step up (1) or down (-1).

    Raises:
        CqlError: there is no such value.
    """
    if isinstance(value, int):
        if abs(value + direction) > MAX_INTEGER + (direction < 0) and abs(value) <= MAX_INTEGER + 1:
            raise CqlError("there is no Integer beyond the greatest or least one")
        return value + direction
    if isinstance(value, Decimal):
        return value + STEP * direction
    if isinstance(value, Quantity) and value.value is not None:
        return Quantity(value.value + STEP * direction, value.unit)
    if isinstance(value, Time):
        moved = stepped((*LOWEST[:2], 2, *value.parts), direction)
        if moved[DAY - 1] != 2:  # noqa: PLR2004 - the day that it began on
            raise CqlError("there is no time beyond the end or start of the day")
        return Time(moved[DAY:])
    if isinstance(value, DateTime):
        return DateTime(stepped(value.parts, direction), value.offset)
    if isinstance(value, Date):
        return Date(stepped(value.parts, direction))
    raise CqlError("values of this type have no successor or predecessor")


def stepped(parts: tuple[int, ...], direction: int) -> tuple[int, ...]:
    """Return components moved by one of the finest that is known."""
    try:
        if len(parts) <= MONTH:
            months = parts[0] * 12 + (parts[1] - 1 if len(parts) == MONTH else 0)
            months += direction * (1 if len(parts) == MONTH else 12)
            date(months // 12, 1, 1)
            return (months // 12, months % 12 + 1)[: len(parts)]
        moved = as_datetime(parts) + STEPS[len(parts) - DAY] * direction
    except (ValueError, OverflowError) as error:
        raise CqlError("there is no date beyond the greatest or least one") from error
    return parts_of(moved)[: len(parts)]


def start_of(interval: Interval) -> Value:
    """Return the first point: None when the lower bound is open and not known."""
    if interval.low is None:
        return least_point(interval) if interval.low_closed else None
    return interval.low if interval.low_closed else successor(interval.low)


def end_of(interval: Interval) -> Value:
    """Return the last point: None when the upper bound is open and not known."""
    if interval.high is None:
        return greatest_point(interval) if interval.high_closed else None
    return interval.high if interval.high_closed else predecessor(interval.high)


def least_point(interval: Interval) -> Value:
    """Return the least value of the interval's point type, None when the type is not known."""
    if isinstance(interval.high, Quantity):
        return Quantity(-MAX_DECIMAL, interval.high.unit)
    return LEAST.get(point_type(interval) or "")


def greatest_point(interval: Interval) -> Value:
    """Return the greatest value of the interval's point type, None when the type is not known."""
    if isinstance(interval.low, Quantity):
        return Quantity(MAX_DECIMAL, interval.low.unit)
    return GREATEST.get(point_type(interval) or "")


def point_type(interval: Interval) -> str | None:
    """Return the CQL type of the interval's points, from its bounds or as it was written."""
    known = interval.low if interval.low is not None else interval.high
    return type_name(known) or interval.point_type


def type_name(value: Value) -> str | None:
    """Return the CQL type of a point, None for null."""
    if isinstance(value, Partial | Quantity):
        return f"System.{type(value).__name__}"
    if isinstance(value, Decimal):
        return "System.Decimal"
    return "System.Integer" if isinstance(value, int) else None
