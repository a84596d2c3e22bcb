"""Conversions (https://cql.hl7.org/09-b-cqlreference.html#convert).

What cannot be converted is None.
"""

import re
from decimal import Decimal

from ivfhir.expressions.operators.boundaries import MAX_DECIMAL, MAX_INTEGER, MAX_LONG
from ivfhir.expressions.values import Code, Concept, Date, DateTime, Quantity, Ratio, Time
from ivfhir.expressions.values.dates import (
    DAY,
    Partial,
    format_offset,
    format_parts,
    parse_date,
    parse_date_time,
    parse_time,
)
from ivfhir.expressions.values.value import Value

TRUE_WORDS = frozenset({"true", "t", "yes", "y", "1"})
FALSE_WORDS = frozenset({"false", "f", "no", "n", "0"})
_INTEGER = re.compile(r"[+-]?\d+")
_DECIMAL = re.compile(r"[+-]?\d+(\.\d+)?")
_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(?:'([^']*)'|([a-z]+))?")


def to_string(value: Value) -> str | None:
    """Return the value as CQL writes it.

    DateTimes are written anew, not as their source wrote them.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, DateTime):
        text = format_parts(value.parts)
        return text + format_offset(value.offset) if len(value.parts) > DAY else text
    if isinstance(value, str | int | Partial | Quantity | Ratio):
        return str(value)
    return None


def to_boolean(value: Value) -> bool | None:
    """Return the truth that a word, 1 or 0 stands for."""
    if isinstance(value, bool):
        return value
    if isinstance(value, int | Decimal):
        return bool(value) if value in (0, 1) else None
    word = value.lower() if isinstance(value, str) else ""
    return True if word in TRUE_WORDS else False if word in FALSE_WORDS else None


def to_integer(value: Value) -> int | None:
    """Return a whole number that fits an Integer."""
    return whole_number(value, MAX_INTEGER)


def to_long(value: Value) -> int | None:
    """Return a whole number that fits a Long."""
    return whole_number(value, MAX_LONG)


def whole_number(value: Value, greatest: int) -> int | None:
    """Return a whole number between -greatest - 1 and greatest."""
    if isinstance(value, str) and _INTEGER.fullmatch(value):
        value = int(value)
    if not isinstance(value, int):
        return None
    return int(value) if -greatest - 1 <= value <= greatest else None


def to_decimal(value: Value) -> Decimal | None:
    """Return a Decimal; a string may have digits and one point."""
    if isinstance(value, Decimal):
        return value
    if isinstance(value, int) or (isinstance(value, str) and _DECIMAL.fullmatch(value)):
        number = Decimal(int(value) if isinstance(value, int) else value)
        return number if abs(number) <= MAX_DECIMAL else None
    return None


def to_date(value: Value) -> Date | None:
    """Return the calendar date of a string or DateTime."""
    if isinstance(value, str):
        moment = parse_date(value) or parse_date_time(value)
        value = moment and (
            Date(moment.parts[:DAY], moment.text) if isinstance(moment, Date) else moment
        )
    if isinstance(value, DateTime):
        return Date(value.parts[:DAY])
    return value if isinstance(value, Date) else None


def to_date_time(value: Value, offset: int) -> DateTime | None:
    """Return the DateTime of a string or Date.

    `offset` is that of the evaluation, used where none is given.
    """
    if isinstance(value, str):
        value = parse_date_time(value)
    if isinstance(value, Date):
        return DateTime(value.parts, offset, value.text)
    if isinstance(value, DateTime):
        return value if value.offset is not None else value.at_offset(offset)
    return None


def to_time(value: Value) -> Time | None:
    """Return the time of day of a string."""
    if isinstance(value, str):
        return parse_time(value)
    return value if isinstance(value, Time) else None


def to_quantity(value: Value) -> Quantity | None:
    """Return a quantity: a number has unit 1, a string is `5.4 'mg'` or `3 days`."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return Quantity(Decimal(value))
    match = _QUANTITY.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        return None
    return Quantity(Decimal(match.group(1)), match.group(2) or match.group(3) or "1")


def to_ratio(value: Value) -> Ratio | None:
    """Return the ratio of a string such as `1 'mg':128 'mL'`."""
    if not isinstance(value, str):
        return value if isinstance(value, Ratio) else None
    left, colon, right = value.partition(":")
    numerator, denominator = to_quantity(left), to_quantity(right)
    return Ratio(numerator, denominator) if colon and numerator and denominator else None


def to_concept(value: Value) -> Concept | None:
    """Return a Concept of one code or of a list of codes."""
    if isinstance(value, Code):
        return Concept((value,), value.display)
    if isinstance(value, list):
        return Concept(tuple(code for code in value if isinstance(code, Code)))
    return value if isinstance(value, Concept) else None
