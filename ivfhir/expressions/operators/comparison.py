"""Order (https://cql.hl7.org/09-b-cqlreference.html#less), with None where it is not known."""

from collections.abc import Callable
from decimal import Decimal
from functools import cmp_to_key

from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values import Quantity, Uncertain
from ivfhir.expressions.values.dates import Partial
from ivfhir.expressions.values.order import compare
from ivfhir.expressions.values.quantities import compare_quantities
from ivfhir.expressions.values.value import Value

Comparison = Callable[[Value, Value], Truth]


def order(a: Value, b: Value, precision: int | None = None) -> int | None:
    """Return -1, 0 or 1 as `a` is less, equal or greater; None when not known.

    Args:
        a: a value that is not null.
        b: another of the same type.
        precision: for dates and times: compare down to this component.

    Raises:
        CqlError: the values have no order.
    """
    if isinstance(a, Partial) and type(a) is type(b):
        return compare(a, b, precision)
    if isinstance(a, Quantity) and isinstance(b, Quantity):
        return compare_quantities(a, b)
    if isinstance(a, Uncertain) or isinstance(b, Uncertain):
        return -1 if (a < b) is True else 1 if (a > b) is True else None
    if isinstance(a, str) and isinstance(b, str):
        return (a > b) - (a < b)
    if isinstance(a, int | Decimal) and isinstance(b, int | Decimal):
        return (a > b) - (a < b)
    raise CqlError("values of these types cannot be compared")


def less(a: Value, b: Value) -> Truth:
    """Return a < b."""
    if isinstance(a, Uncertain) or isinstance(b, Uncertain):
        return a < b  # type: ignore[no-any-return]  # three-valued comparison of Uncertain
    known = order(a, b)
    return None if known is None else known < 0


def greater(a: Value, b: Value) -> Truth:
    """Return a > b."""
    return less(b, a)


def less_or_equal(a: Value, b: Value) -> Truth:
    """Return a <= b."""
    if isinstance(a, Uncertain) or isinstance(b, Uncertain):
        return a <= b  # type: ignore[no-any-return]  # three-valued comparison of Uncertain
    known = order(a, b)
    return None if known is None else known <= 0


def greater_or_equal(a: Value, b: Value) -> Truth:
    """Return a >= b."""
    return less_or_equal(b, a)


def sorting(a: Value, b: Value) -> int:
    """Return the order for sorting: null first, and what ends sooner before what it may be.

    Values with no known order otherwise count as equal.
    """
    if a is None or b is None:
        return int(a is not None) - int(b is not None)
    known = order(a, b)
    if known is None and isinstance(a, Partial):
        finer: int = a.precision - b.precision
        return finer
    return known or 0


sort_key = cmp_to_key(sorting)
"""A key for `sorted` from a value that may be null."""
