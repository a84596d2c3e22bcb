"""Numbers (https://hl7.org/fhirpath/N1/#math)."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation

from ivfhir.expressions.fhirpath.compiled import Compiled, Invocation, of_one, single
from ivfhir.expressions.fhirpath.equality import is_number, said
from ivfhir.expressions.fhirpath.functions.function import Function, simple
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.run import Run
from ivfhir.expressions.operators import arithmetic
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.values import Quantity
from ivfhir.expressions.values.value import Value

MAX_PLACES = 28
MAX_EXPONENT = 10_000


def sqrt(number: Value) -> Value:
    """Return the square root to eight places, None below zero."""
    if number < 0:
        return None
    return arithmetic.scaled(arithmetic.CONTEXT.sqrt(Decimal(number)))


def round_(number: Value, places: int = 0) -> Value:
    """Return the nearest number of so many places; a half goes away from zero.

    None where that has more digits than are computed with.
    """
    if not 0 <= places <= MAX_PLACES:
        raise PlacedError(f"round() takes 0 to {MAX_PLACES} places")
    try:
        return arithmetic.round_(number, places)
    except InvalidOperation:
        return None


def power(number: Value, exponent: Value) -> Value:
    """Return a number to a power, None where there is none."""
    if abs(exponent) > MAX_EXPONENT:
        return None
    if number.__class__ is int and exponent.__class__ is int and exponent < 0:
        number = Decimal(number)
    return arithmetic.power(number, exponent)


def exp(number: Value) -> Value:
    """Return e to a power, None where it fits no Decimal."""
    try:
        return arithmetic.exp(number)
    except CqlError:
        return None


def of_amount(function: Callable[[Value], Value]) -> Function:
    """Return a function of a number or of a quantity's number."""

    def build(call: Invocation) -> Compiled:
        one = single(call.base, call.at)

        def result(run: Run, this: Value) -> Value:
            value = one(run, this)
            if value is None:
                return None
            if not is_number(value) and not isinstance(value, Quantity):
                raise PlacedError(f"{call.name}() takes a number, not a {said(value)}", call.at)
            return function(value)

        return of_one(result)

    return Function(build)


FUNCTIONS = {
    "abs": of_amount(arithmetic.absolute),
    "ceiling": simple(arithmetic.ceiling, "number", gives="Integer"),
    "floor": simple(arithmetic.floor, "number", gives="Integer"),
    "truncate": simple(arithmetic.truncate, "number", gives="Integer"),
    "exp": simple(exp, "number", gives="Decimal"),
    "ln": simple(arithmetic.ln, "number", gives="Decimal"),
    "log": simple(arithmetic.log, "number", "number", gives="Decimal"),
    "power": simple(power, "number", "number"),
    "round": simple(round_, "number", "integer", optional=1, gives="Decimal"),
    "sqrt": simple(sqrt, "number", gives="Decimal"),
}
