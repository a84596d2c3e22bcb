"""What a value of limited precision can mean (https://hl7.org/fhirpath/#lowboundary)."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation

from ivfhir.expressions.fhirpath.compiled import Compiled, Invocation, of_one, single
from ivfhir.expressions.fhirpath.equality import (
    FURTHEST_EAST,
    FURTHEST_WEST,
    is_number,
    said,
)
from ivfhir.expressions.fhirpath.functions.function import Function, integer, simple
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.run import Run
from ivfhir.expressions.operators.arithmetic import CONTEXT
from ivfhir.expressions.operators.dates import boundary, digits_of
from ivfhir.expressions.operators.numbers import decimal_digits
from ivfhir.expressions.values import Date, DateTime, Quantity
from ivfhir.expressions.values.dates import DAY, HOUR, Partial
from ivfhir.expressions.values.quantities import in_base
from ivfhir.expressions.values.value import Value

PLACES = 8
MOST_PLACES = 28


def decimal_boundary(number: Value, digits: int | None, *, last: bool) -> Decimal | None:
    """Return the least or greatest number that is rounded to this one, to so many places.

    None where that has more digits than are computed with.

    Args:
        number: as written: 1.587 stands for all from 1.5865 to 1.5875.
        digits: places of the answer; None is 8.
        last: the greatest instead of the least.
    """
    places = PLACES if digits is None else digits
    if not 0 <= places <= MOST_PLACES:
        return None
    half = Decimal(5).scaleb(-decimal_digits(number) - 1)
    end = CONTEXT.add(Decimal(number), half if last else -half)
    rounding = ROUND_CEILING if last else ROUND_FLOOR
    try:
        return end.quantize(Decimal(1).scaleb(-places), rounding, CONTEXT)
    except InvalidOperation:
        return None


def date_boundary(value: Partial, digits: int | None, *, last: bool) -> Partial | None:
    """Return the first or last moment that a date or time can mean.

    A moment without an offset can be that of any offset.
    """
    if isinstance(value, DateTime) and digits is not None and digits <= 2 * DAY + 2:
        return boundary(Date(value.parts[:DAY]), digits, last=last)
    found = boundary(value, digits, last=last)
    if isinstance(found, DateTime) and found.offset is None and len(found.parts) >= HOUR:
        return found.at_offset(FURTHEST_WEST if last else FURTHEST_EAST)
    return found


def _boundary(*, last: bool) -> Function:
    def build(call: Invocation) -> Compiled:
        one = single(call.base, call.at)
        digits = integer(call.one(0), call.name, call.at) if call.arguments else None

        def found(run: Run, this: Value) -> Value:
            value = one(run, this)
            places = digits(run, this) if digits is not None else None
            if value is None:
                return None
            if is_number(value):
                return decimal_boundary(value, places, last=last)
            if isinstance(value, Quantity):
                number = decimal_boundary(value.value, places, last=last)
                return None if number is None else Quantity(number, value.unit)
            if isinstance(value, Partial):
                return date_boundary(value, places, last=last)
            raise PlacedError(
                f"{call.name}() takes a number, a date or a time, not a {said(value)}", call.at
            )

        return of_one(found)

    return Function(build, 0, 1)


def precision(value: Value) -> int | None:
    """Return how many digits a number's fraction, or a date or time, has.

    Raises:
        PlacedError: it is none of them.
    """
    if is_number(value):
        return decimal_digits(value)
    if isinstance(value, Partial):
        return digits_of(value)
    raise PlacedError(f"precision() takes a number, a date or a time, not a {said(value)}")


def comparable(a: Value, b: Value) -> bool:
    """Return whether two quantities can be brought to one unit.

    With a unit that UCUM does not have nothing can, as the official suite has it, but itself.
    """
    if not isinstance(a, Quantity) or not isinstance(b, Quantity):
        return False
    x, y = in_base(a), in_base(b)
    if x is None or y is None:
        return a.unit == b.unit
    return x[1].dimensions == y[1].dimensions


FUNCTIONS = {
    "lowBoundary": _boundary(last=False),
    "highBoundary": _boundary(last=True),
    "precision": simple(precision, "any", gives="Integer"),
    "comparable": simple(comparable, "any", "any", gives="Boolean"),
}
