"""Precision and boundaries of Decimals (https://cql.hl7.org/09-b-cqlreference.html#lowboundary)."""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from ivfhir.expressions.operators.arithmetic import CONTEXT

PLACES = 8


def decimal_digits(value: Decimal | int) -> int:
    """Return how many decimal places a number is written with."""
    exponent = Decimal(value).as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def decimal_boundary(value: Decimal | int, digits: int | None, *, last: bool) -> Decimal | None:
    """Return the least or greatest number with that many places that a less precise one can mean.

    Args:
        value: a number as written: 1.587 stands for all from 1.5870… to 1.5879….
        digits: decimal places of the answer; None is 8.
        last: the greatest instead of the least.
    """
    places = PLACES if digits is None else digits
    if not 0 <= places <= PLACES:
        return None
    number, step = Decimal(value), Decimal(1).scaleb(-places)
    written = decimal_digits(number)
    if places < written:
        return number.quantize(step, ROUND_CEILING if last else ROUND_FLOOR)
    ulp = Decimal(1).scaleb(-written)
    high = last != (number < 0)
    if not high or places == written:
        return number.quantize(step)
    toward = ulp - step
    return CONTEXT.add(number, toward if last else -toward).quantize(step)
