"""The order of dates and times, which their known components may leave open.

https://cql.hl7.org/09-b-cqlreference.html#less
"""

from ivfhir.expressions.values.dates import (
    DAY,
    HOUR,
    MILLISECOND,
    NANOSECONDS,
    SECOND,
    Partial,
    Parts,
)

WHOLE = (None, MILLISECOND)
"""Precisions at which all components of two values are compared."""


def compare(a: Partial, b: Partial, precision: int | None = None) -> int | None:
    """Return -1, 0 or 1 as `a` is before, at or after `b`.

    None when the known components do not tell.

    Args:
        a: a Date, DateTime or Time.
        b: another of the same class.
        precision: compare down to this component only; None compares all.
    """
    x, y = a.key, b.key
    if len(x) == len(y) == SECOND and precision in WHOLE:
        return (x > y) - (x < y)
    if (precision is not None and precision <= DAY) or (len(x) < HOUR) != (len(y) < HOUR):
        x, y = a.parts, b.parts
    if precision is None:
        return compare_parts(x, y, max(len(x), len(y)))
    if precision == SECOND:
        x, y = whole_seconds(x), whole_seconds(y)
    return compare_parts(x, y, min(precision, SECOND) - a.first + 1)


def compare_parts(x: Parts, y: Parts, wanted: int) -> int | None:
    """Return the order of two component tuples.

    None when equal before `wanted` components are seen.
    """
    known = min(len(x), len(y), wanted)
    for i, j in zip(x[:known], y[:known], strict=True):
        if i != j:
            return -1 if i < j else 1
    return 0 if known >= wanted else None


def whole_seconds(key: Parts) -> Parts:
    """Return a comparison key with its nanoseconds cut to whole seconds."""
    return (*key[:-1], key[-1] // NANOSECONDS) if len(key) in (SECOND, SECOND - HOUR + 1) else key
