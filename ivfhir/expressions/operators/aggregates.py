"""Aggregates (https://cql.hl7.org/09-b-cqlreference.html#aggregate-functions).

Nulls are passed over.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import reduce

from ivfhir.expressions.operators.arithmetic import (
    CONTEXT,
    add,
    divide,
    ln,
    multiply,
    power,
    scaled,
    subtract,
)
from ivfhir.expressions.operators.comparison import order, sort_key
from ivfhir.expressions.operators.equality import set_key
from ivfhir.expressions.values import Quantity
from ivfhir.expressions.values.value import Value

Values = list[Value]


def known(values: Values) -> Values:
    """Return the elements that are not null."""
    return [value for value in values if value is not None]


def count(values: Values | None) -> int:
    """Return how many elements are not null; 0 for null."""
    if not values:
        return 0
    return len(known(values)) if len(values) > 1 else int(values[0] is not None)


def total(values: Values) -> Value:
    """Return the sum, None of nothing."""
    some = known(values)
    return reduce(lambda a, b: None if a is None else add(a, b), some) if some else None


def product(values: Values) -> Value:
    """Return the product, None of nothing."""
    some = known(values)
    return reduce(lambda a, b: None if a is None else multiply(a, b), some) if some else None


def extreme(values: Values, sign: int) -> Value:
    """Return the least (-1) or greatest (1) element.

    None of nothing, or when it is not known which.

    Dates of different precision may have no known order: then there is no answer rather than a
    guess.
    """
    if len(values) <= 1:
        return values[0] if values else None
    some = known(values)
    if len(some) <= 1:
        return some[0] if some else None
    if all(value.__class__ is Decimal for value in some):
        return min(some) if sign < 0 else max(some)
    best: Values = []
    for value in some:
        orders = [order(value, other) for other in best]
        if any(o == -sign for o in orders):
            continue
        if any(o is None for o in orders):
            best = [other for other, o in zip(best, orders, strict=True) if o != sign] + [value]
        elif not best or orders[0] == sign:
            best = [value]
    return best[0] if len(best) == 1 else None


def least(values: Values) -> Value:
    """Return the least element."""
    return extreme(values, -1)


def greatest(values: Values) -> Value:
    """Return the greatest element."""
    return extreme(values, 1)


def average(values: Values) -> Value:
    """Return the mean, None of nothing."""
    some = known(values)
    return divide(total(some), Decimal(len(some))) if some else None


def median(values: Values) -> Value:
    """Return the middle element, or the mean of the two middle ones; None of nothing."""
    some = sorted(known(values), key=sort_key)
    if not some:
        return None
    middle = len(some) // 2
    return some[middle] if len(some) % 2 else average(some[middle - 1 : middle + 1])


def mode(values: Values) -> Value:
    """Return the most frequent element, the first of several; None of nothing."""
    counts: dict[Value, list[Value]] = {}
    for value in known(values):
        counts.setdefault(set_key(value), []).append(value)
    return max(counts.values(), key=len)[0] if counts else None


def geometric_mean(values: Values) -> Value:
    """Return the geometric mean, None of nothing or beside a number that is not positive."""
    some = known(values)
    logarithms = [ln(value) for value in some]
    if not some or None in logarithms:
        return None
    return scaled(CONTEXT.exp(sum(map(CONTEXT.ln, map(Decimal, some)), Decimal(0)) / len(some)))


def variance(values: Values, lost: int) -> Value:
    """Return the variance; `lost` degrees of freedom are 1 for a sample, 0 for a population."""
    some = known(values)
    if len(some) <= lost:
        return None
    mean = average(some)
    squares = [multiply(d, d) for d in (subtract(value, mean) for value in some)]
    return divide(total(squares), Decimal(len(some) - lost))


def deviation(values: Values, lost: int) -> Value:
    """Return the standard deviation; `lost` as for `variance`."""
    squared = variance(values, lost)
    if squared is None:
        return None
    if isinstance(squared, Quantity):
        first = next(value for value in values if value is not None)
        return Quantity(power(squared.value, Decimal("0.5")), first.unit)
    return power(squared, Decimal("0.5"))


AGGREGATES: dict[str, Callable[[Values], Value]] = {
    "Sum": total,
    "Product": product,
    "Min": least,
    "Max": greatest,
    "Avg": average,
    "Median": median,
    "Mode": mode,
    "GeometricMean": geometric_mean,
    "Variance": lambda values: variance(values, 1),
    "PopulationVariance": lambda values: variance(values, 0),
    "StdDev": lambda values: deviation(values, 1),
    "PopulationStdDev": lambda values: deviation(values, 0),
}
"""ELM's name of each aggregate of a list that is not null."""
