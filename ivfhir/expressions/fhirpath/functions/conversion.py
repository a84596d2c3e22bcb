"""Conversions (https://hl7.org/fhirpath/N1/#conversion): what cannot be converted gives nothing."""

import re
from collections.abc import Callable
from decimal import Decimal

from ivfhir.expressions.fhirpath.compiled import Compiled, Invocation, One, of_one, of_truth, single
from ivfhir.expressions.fhirpath.equality import is_number
from ivfhir.expressions.fhirpath.functions.function import Function, checked
from ivfhir.expressions.fhirpath.run import Run
from ivfhir.expressions.fhirpath.types import SYSTEM
from ivfhir.expressions.operators import conversion
from ivfhir.expressions.values import Date, DateTime, Quantity, Time
from ivfhir.expressions.values.dates import (
    DAY,
    HOUR,
    Partial,
    parse_date,
    parse_date_time,
    parse_time,
)
from ivfhir.expressions.values.quantities import CALENDAR, convert
from ivfhir.expressions.values.value import Value

_QUANTITY = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*(?:'([^']+)'|([a-zA-Z]+))?")
_NO_UNIT = "1"


def to_integer(value: Value) -> Value:
    """Return a whole number."""
    return int(value) if isinstance(value, bool) else conversion.to_integer(value)


def to_decimal(value: Value) -> Value:
    """Return a Decimal."""
    return conversion.to_decimal(int(value) if isinstance(value, bool) else value)


def to_text(value: Value) -> Value:
    """Return the value as FHIRPath writes it."""
    if isinstance(value, Quantity):
        return quantity_text(value)
    if isinstance(value, Partial):
        return str(value)
    return conversion.to_string(value)


def quantity_text(quantity: Quantity) -> str | None:
    """Return a quantity with its unit: a calendar word bare, a UCUM code in quotes."""
    if quantity.value is None:
        return None
    number = format(quantity.value, "f")
    return (
        f"{number} {quantity.unit}" if quantity.unit in CALENDAR else f"{number} '{quantity.unit}'"
    )


def to_date(value: Value) -> Value:
    """Return the day of a text or a DateTime."""
    if isinstance(value, str):
        value = parse_date(value) or parse_date_time(value)
    if isinstance(value, DateTime):
        return Date(value.parts[:DAY])
    return value if isinstance(value, Date) else None


def to_date_time(value: Value) -> Value:
    """Return the moment of a text or a Date."""
    if isinstance(value, str):
        return parse_date_time(value)
    if isinstance(value, Date):
        return DateTime(value.parts, None, value.text)
    return value if isinstance(value, DateTime) else None


def to_time(value: Value) -> Value:
    """Return the time of day of a text."""
    return (
        parse_time(value) if isinstance(value, str) else value if isinstance(value, Time) else None
    )


def to_quantity(value: Value) -> Value:
    """Return a quantity of a number, a Boolean, or a text such as `4 days` or `5 'mg'`."""
    if isinstance(value, Quantity):
        return value
    if isinstance(value, bool) or is_number(value):
        return Quantity(Decimal(value), _NO_UNIT)
    match = _QUANTITY.fullmatch(value) if isinstance(value, str) else None
    if match is None or (match[3] is not None and match[3] not in CALENDAR):
        return None
    return Quantity(Decimal(match[1]), match[2] or match[3] or _NO_UNIT)


def _time_of(value: Value) -> Value:
    if isinstance(value, DateTime):
        return Time(value.parts[DAY:]) if len(value.parts) >= HOUR else None
    return to_time(value)


def _converter(function: Callable[[Value], Value], gives: str) -> tuple[Function, Function]:
    """Return `toX()` and `convertsToX()`."""

    def to(call: Invocation) -> Compiled:
        one = single(call.base, call.at)

        def converted(run: Run, this: Value) -> Value:
            value = one(run, this)
            return None if value is None else function(value)

        return of_one(converted, SYSTEM[gives])

    def converts(call: Invocation) -> Compiled:
        one = single(call.base, call.at)

        def truth(run: Run, this: Value) -> Value:
            value = one(run, this)
            return None if value is None else function(value) is not None

        return of_truth(truth)

    return Function(to), Function(converts)


def _quantities() -> tuple[Function, Function]:
    """Return `toQuantity([unit])` and `convertsToQuantity([unit])`."""

    def in_unit(call: Invocation) -> One:
        one = single(call.base, call.at)
        unit = checked(call.one(0), "text", call.name, call.at) if call.arguments else None

        def converted(run: Run, this: Value) -> Value:
            value = to_quantity(one(run, this))
            wanted = unit(run, this) if unit is not None else None
            return value if value is None or wanted is None else convert(value, wanted)

        return converted

    def to(call: Invocation) -> Compiled:
        return of_one(in_unit(call), SYSTEM["Quantity"])

    def converts(call: Invocation) -> Compiled:
        one, converted = single(call.base, call.at), in_unit(call)
        return of_truth(
            lambda run, this: None if one(run, this) is None else converted(run, this) is not None
        )

    return Function(to, 0, 1), Function(converts, 0, 1)


_PAIRS = {
    "Boolean": _converter(conversion.to_boolean, "Boolean"),
    "Integer": _converter(to_integer, "Integer"),
    "Decimal": _converter(to_decimal, "Decimal"),
    "String": _converter(to_text, "String"),
    "Date": _converter(to_date, "Date"),
    "DateTime": _converter(to_date_time, "DateTime"),
    "Time": _converter(_time_of, "Time"),
    "Quantity": _quantities(),
}
FUNCTIONS = {
    f"{prefix}{name}": pair[number]
    for name, pair in _PAIRS.items()
    for number, prefix in enumerate(("to", "convertsTo"))
}
