"""Arithmetic (https://cql.hl7.org/09-b-cqlreference.html#arithmetic-operators-4).

Digits of Decimals are kept; only division, powers and logarithms, whose digits may not end, are
rounded to CQL's eight places. What overflows the type, and division by zero, is None.
"""

import math
import sys
from collections.abc import Callable
from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_UP,
    Context,
    Decimal,
    InvalidOperation,
)
from decimal import Overflow as DecimalOverflow

from ivfhir.expressions.operators.boundaries import MAX_DECIMAL, MAX_INTEGER, MAX_LONG, STEP
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.values import Quantity
from ivfhir.expressions.values.quantities import canonical_unit, convert
from ivfhir.expressions.values.ucum import parse_unit
from ivfhir.expressions.values.value import Value

CONTEXT = Context(prec=40, rounding=ROUND_HALF_UP)
ONE = Decimal(1)
PLACES = 8
DIGITS = 28
LIMIT = Decimal(10) ** DIGITS
"""Decimals of CQL have 28 digits before the point at most."""
SHORT = len("0.") + PLACES
"""A number of so many characters has no more than eight places, unless it is written with an E."""


def bounded(number: Value) -> Value:
    """Return the number, None when it does not fit its CQL type."""
    if isinstance(number, int):
        return number if -MAX_LONG - 1 <= number <= MAX_LONG else None
    return number if abs(number) < LIMIT else None


def fits(number: Decimal) -> bool:
    """Return whether a number has no more than 28 digits before the point."""
    return number.adjusted() < DIGITS or not number


def bounded_integer(number: int) -> int | None:
    """Return the number, None when it does not fit an Integer."""
    return number if -MAX_INTEGER - 1 <= number <= MAX_INTEGER else None


def fitting_integer(function: Callable[..., Value]) -> Callable[..., Value]:
    """Return a function with None for whole numbers that do not fit an Integer."""

    def run(*operands: Value) -> Value:
        result = function(*operands)
        return bounded_integer(result) if result.__class__ is int else result

    return run


def add_integers(a: Value, b: Value) -> Value:
    """Return a + b of Integers, which may be known only as a range."""
    result = a + b
    return bounded_integer(result) if result.__class__ is int else result


def subtract_integers(a: Value, b: Value) -> Value:
    """Return a - b of Integers, which may be known only as a range."""
    result = a - b
    return bounded_integer(result) if result.__class__ is int else result


def add_decimals(a: Decimal, b: Decimal) -> Decimal | None:
    """Return a + b."""
    result = CONTEXT.add(a, b)
    return result if fits(result) else None


def subtract_decimals(a: Decimal, b: Decimal) -> Decimal | None:
    """Return a - b."""
    result = CONTEXT.subtract(a, b)
    return result if fits(result) else None


def multiply_decimals(a: Decimal, b: Decimal) -> Decimal | None:
    """Return a * b to eight places."""
    result = scaled(CONTEXT.multiply(a, b))
    return result if fits(result) else None


def divide_decimals(a: Decimal, b: Decimal) -> Decimal | None:
    """Return a ÷ b to eight places, None for b = 0."""
    if not b:
        return None
    result = scaled(CONTEXT.divide(a, b))
    return result if fits(result) else None


def multiply_integers(a: Value, b: Value) -> Value:
    """Return a * b of Integers, which may be known only as a range."""
    result = a * b
    return bounded_integer(result) if result.__class__ is int else result


def scaled(number: Decimal) -> Decimal:
    """Return the number rounded to eight places, without more digits than it has."""
    text = str(number)
    if len(text) <= SHORT and "E" not in text:
        return number
    exponent = number.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -PLACES:
        number = number.quantize(STEP, ROUND_HALF_UP, CONTEXT)
        return number.normalize(CONTEXT).quantize(ONE) if number == number.to_integral() else number
    return number


def add(a: Value, b: Value) -> Value:
    """Return a + b."""
    if isinstance(a, Quantity):
        return combined(a, b, CONTEXT.add)
    return bounded(a + b if isinstance(a, int) and isinstance(b, int) else CONTEXT.add(a, b))


def subtract(a: Value, b: Value) -> Value:
    """Return a - b."""
    if isinstance(a, Quantity):
        return combined(a, b, CONTEXT.subtract)
    return bounded(a - b if isinstance(a, int) and isinstance(b, int) else CONTEXT.subtract(a, b))


def combined(
    a: Quantity, b: Quantity, operation: Callable[[Value, Value], Decimal]
) -> Quantity | None:
    """Return the sum or difference of two quantities in the unit of the first.

    None across dimensions.
    """
    other = convert(b, a.unit)
    if a.value is None or other is None or other.value is None:
        return None
    return Quantity(operation(a.value, other.value), a.unit)


def multiply(a: Value, b: Value) -> Value:
    """Return a * b, to eight places; of quantities the product of numbers and of units."""
    if isinstance(a, Quantity) or isinstance(b, Quantity):
        x, y = as_quantity(a), as_quantity(b)
        if x.value is None or y.value is None:
            return None
        return Quantity(CONTEXT.multiply(x.value, y.value), joined(x.unit, y.unit, "."))
    if isinstance(a, int) and isinstance(b, int):
        return bounded(a * b)
    return bounded(scaled(CONTEXT.multiply(a, b)))


def divide(a: Value, b: Value) -> Value:
    """Return a ÷ b to eight places, None for b = 0."""
    if isinstance(a, Quantity) or isinstance(b, Quantity):
        x, y = as_quantity(a), as_quantity(b)
        same = convert(y, x.unit) if y.unit != "1" else None
        unit = "1" if same else joined(x.unit, y.unit, "/")
        value = None
        if x.value is not None and y.value is not None:
            value = divide(x.value, same.value if same else y.value)
        return None if value is None else Quantity(value, unit)
    if b == 0:
        return None
    return bounded(scaled(CONTEXT.divide(Decimal(a), Decimal(b))))


def as_quantity(value: Value) -> Quantity:
    """Return a number as a quantity of unit 1."""
    return value if isinstance(value, Quantity) else Quantity(Decimal(value))


def joined(a: str, b: str, sign: str) -> str:
    """Return the unit of a product or quotient."""
    x, y = canonical_unit(a), canonical_unit(b)
    if y == "1":
        return a
    if x == y and sign == "." and x.isalpha():
        return f"{x}2"
    return (
        y if x == "1" and sign == "." else f"{x}{sign}{y}" if parse_unit(y) else f"{x}{sign}({y})"
    )


def in_unit_of(a: Quantity, b: Quantity, operation: Callable[[Value, Value], Value]) -> Value:
    """Return an operation on two numbers applied to quantities, in the unit of the first."""
    other = convert(b, a.unit)
    if a.value is None or other is None or other.value is None:
        return None
    result = operation(a.value, other.value)
    return None if result is None else Quantity(result, a.unit)


def truncated_divide(a: Value, b: Value) -> Value:
    """Return the whole part of a ÷ b, None for b = 0."""
    if isinstance(a, Quantity):
        return in_unit_of(a, b, truncated_divide)
    if b == 0:
        return None
    if isinstance(a, int) and isinstance(b, int):
        whole = abs(a) // abs(b)
        return bounded(whole if (a < 0) == (b < 0) else -whole)
    return bounded(CONTEXT.divide(Decimal(a), Decimal(b)).to_integral_value(ROUND_DOWN))


def modulo(a: Value, b: Value) -> Value:
    """Return the rest of a ÷ b with the sign of a; None for b = 0, or a quotient too long."""
    if isinstance(a, Quantity):
        return in_unit_of(a, b, modulo)
    if b == 0:
        return None
    if isinstance(a, int) and isinstance(b, int):
        rest = abs(a) % abs(b)
        return -rest if a < 0 else rest
    try:
        return CONTEXT.remainder(Decimal(a), Decimal(b))
    except InvalidOperation:
        return None


def negate(a: Value) -> Value:
    """Return -a."""
    if isinstance(a, Quantity):
        return None if a.value is None else Quantity(-a.value, a.unit)
    return bounded(-a)


def absolute(a: Value) -> Value:
    """Return |a|."""
    if isinstance(a, Quantity):
        return None if a.value is None else Quantity(abs(a.value), a.unit)
    return bounded(abs(a))


def ceiling(a: Value) -> int | None:
    """Return the least whole number that is not less."""
    return bounded_integer(int(Decimal(a).to_integral_value(ROUND_CEILING)))


def floor(a: Value) -> int | None:
    """Return the greatest whole number that is not greater."""
    return bounded_integer(int(Decimal(a).to_integral_value(ROUND_FLOOR)))


def truncate(a: Value) -> int | None:
    """Return the whole part."""
    return bounded_integer(int(a))


def round_(a: Value, places: int | None = None) -> Decimal:
    """Return the nearest number with that many places; a half goes away from zero."""
    return Decimal(a).quantize(ONE.scaleb(-(places or 0)), ROUND_HALF_UP, CONTEXT)


def power(a: Value, b: Value) -> Value:
    """Return a to the power b, to eight places unless both are whole."""
    try:
        if isinstance(a, int) and isinstance(b, int) and b >= 0:
            return bounded(int(CONTEXT.power(Decimal(a), Decimal(b)))) if b else 1
        quick = power_by_float(a, b)
        result = CONTEXT.power(Decimal(a), Decimal(b)) if quick is None else quick
    except (ArithmeticError, ValueError):
        return None
    return bounded(scaled(result))


def power_by_float(a: Value, b: Value) -> Decimal | None:
    """Return a to the power b rounded to eight places, None where a float cannot tell the last one.

    A float is fast. The bound of its error counts the rounding of both operands and of the result;
    where every number within it rounds to the same, that is the answer.
    """
    base, exponent = float(a), float(b)
    if base <= 0 or exponent.is_integer():
        return None
    result = base**exponent
    bound = result * (abs(exponent) * (1 + abs(math.log(base))) + 2) * sys.float_info.epsilon
    low, high = (
        Decimal(end).quantize(STEP, ROUND_HALF_UP, CONTEXT)
        for end in (result - bound, result + bound)
    )
    return low if low == high and low != low.to_integral_value() else None


def ln(a: Value) -> Decimal | None:
    """Return the natural logarithm to eight places, None at or below zero."""
    return scaled(CONTEXT.ln(Decimal(a))) if a > 0 else None


def log(a: Value, base: Value) -> Decimal | None:
    """Return the logarithm to a base, to eight places, None where there is none."""
    if a <= 0 or base <= 0 or base == 1:
        return None
    return scaled(CONTEXT.divide(CONTEXT.ln(Decimal(a)), CONTEXT.ln(Decimal(base))))


def exp(a: Value) -> Decimal | None:
    """Return e to the power a, to eight places.

    Raises:
        CqlError: the result fits no Decimal.
    """
    try:
        result = CONTEXT.exp(Decimal(a))
    except DecimalOverflow as error:
        raise CqlError("Exp: the result fits no Decimal") from error
    if result > MAX_DECIMAL:
        raise CqlError("Exp: the result fits no Decimal")
    return scaled(result)
