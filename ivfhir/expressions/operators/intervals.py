"""Relations of intervals (https://cql.hl7.org/09-b-cqlreference.html#interval-operators-3).

A point counts as the interval that holds only it, where CQL allows either. An open bound that is
null is not known: relations that need it are None.
"""

from decimal import Decimal

from ivfhir.expressions.operators.arithmetic import add, subtract
from ivfhir.expressions.operators.boundaries import (
    STEP,
    end_of,
    greatest_point,
    least_point,
    start_of,
    successor,
)
from ivfhir.expressions.operators.comparison import order, sort_key
from ivfhir.expressions.operators.equality import equal
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.operators.logical import Truth, and_, not_, or_
from ivfhir.expressions.values import Interval, Quantity
from ivfhir.expressions.values.value import Value

ORDERS = (-1, 0, 1)


def as_interval(value: Value) -> Interval:
    """Return an interval as it is, a point as the interval of it alone."""
    return value if isinstance(value, Interval) else Interval(value, value)


Span = tuple[Value, Value] | None
"""The least and greatest point that a bound can be; None when nothing is known."""


def start_span(interval: Interval) -> Span:
    """Return what the first point can be: an open bound that is null is anything up to the end."""
    start = start_of(interval)
    if start is not None:
        return start, start
    low, high = least_point(interval), end_of(interval)
    high = greatest_point(interval) if high is None else high
    return None if low is None or high is None else (low, high)


def end_span(interval: Interval) -> Span:
    """Return what the last point can be.

    An open bound that is null is anything from the start on.
    """
    end = end_of(interval)
    if end is not None:
        return end, end
    low, high = start_of(interval), greatest_point(interval)
    low = least_point(interval) if low is None else low
    return None if low is None or high is None else (low, high)


def ordered(a: Span, b: Span, precision: int | None, wanted: tuple[int, ...]) -> Truth:
    """Return whether the order of two points is one of those wanted.

    None when that is not known.
    """
    if a is None or b is None:
        return None
    first, last = order(a[0], b[1], precision), order(a[1], b[0], precision)
    if first is None or last is None:
        return None
    possible = [known in wanted for known in ORDERS if first <= known <= last]
    return None if True in possible and False in possible else True in possible


def span(point: Value) -> Span:
    """Return a point as what it can be: itself."""
    return None if point is None else (point, point)


def before(a: Value, b: Value, precision: int | None = None) -> Truth:
    """Return whether `a` ends before `b` starts."""
    return ordered(end_span(as_interval(a)), start_span(as_interval(b)), precision, (-1,))


def after(a: Value, b: Value, precision: int | None = None) -> Truth:
    """Return whether `a` starts after `b` ends."""
    return before(b, a, precision)


def same_or_before(a: Value, b: Value, precision: int | None = None) -> Truth:
    """Return whether `a` ends on or before the start of `b`."""
    return ordered(end_span(as_interval(a)), start_span(as_interval(b)), precision, (-1, 0))


def same_or_after(a: Value, b: Value, precision: int | None = None) -> Truth:
    """Return whether `a` starts on or after the end of `b`."""
    return same_or_before(b, a, precision)


def same(a: Value, b: Value, precision: int | None = None) -> Truth:
    """Return whether both start and end at the same points."""
    if not isinstance(a, Interval) and not isinstance(b, Interval):
        return ordered(span(a), span(b), precision, (0,))
    x, y = as_interval(a), as_interval(b)
    return and_(
        ordered(start_span(x), start_span(y), precision, (0,)),
        ordered(end_span(x), end_span(y), precision, (0,)),
    )


def holds(interval: Interval, point: Value, precision: int | None = None) -> Truth:
    """Return whether the point is in the interval."""
    return and_(
        _bound(interval.low, interval.low_closed, point, precision, 1),
        _bound(interval.high, interval.high_closed, point, precision, -1),
    )


def _bound(bound: Value, closed: bool, point: Value, precision: int | None, side: int) -> Truth:
    """Return whether the point is on the inner side of one bound.

    `side` is 1 above it, -1 below it.
    """
    if bound is None:
        return True if closed else None
    if not closed and precision is not None:
        edge = (
            Interval(bound, None, low_closed=False)
            if side == 1
            else Interval(None, bound, True, False)
        )
        bound, closed = (start_of(edge) if side == 1 else end_of(edge)), True
    known = order(point, bound, precision)
    if known is None:
        return None
    return known == side or (closed and known == 0)


def properly_holds(interval: Interval, point: Value, precision: int | None = None) -> Truth:
    """Return whether the point is in the interval and neither its start nor its end."""
    edges = or_(
        ordered(span(point), start_span(interval), precision, (0,)),
        ordered(span(point), end_span(interval), precision, (0,)),
    )
    return and_(holds(interval, point, precision), not_(edges))


def includes(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether the first starts on or before and ends on or after the second."""
    return and_(
        ordered(start_span(a), start_span(b), precision, (-1, 0)),
        ordered(end_span(a), end_span(b), precision, (0, 1)),
    )


def properly_includes(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether the first includes the second and is not the same."""
    return and_(includes(a, b, precision), not_(same(a, b, precision)))


def overlaps(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether they share a point."""
    return and_(
        ordered(start_span(a), end_span(b), precision, (-1, 0)),
        ordered(start_span(b), end_span(a), precision, (-1, 0)),
    )


def overlaps_before(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether they share a point and the first starts earlier."""
    return and_(overlaps(a, b, precision), ordered(start_span(a), start_span(b), precision, (-1,)))


def overlaps_after(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether they share a point and the first ends later."""
    return and_(overlaps(a, b, precision), ordered(end_span(a), end_span(b), precision, (1,)))


def meets_before(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether the second starts at the point after the end of the first."""
    end = end_span(a)
    if end is None:
        return None
    try:
        following = successor(end[0]), successor(end[1]) if end[0] != end[1] else None
    except CqlError:
        return False if end[0] == end[1] else None
    after_end = following[0], following[0] if following[1] is None else following[1]
    return ordered(after_end, start_span(b), precision, (0,))


def meets_after(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether the first starts at the point after the end of the second."""
    return meets_before(b, a, precision)


def meets(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether one starts at the point after the end of the other."""
    return or_(meets_before(a, b, precision), meets_after(a, b, precision))


def starts(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether both start together and the first ends no later."""
    return and_(
        ordered(start_span(a), start_span(b), precision, (0,)),
        ordered(end_span(a), end_span(b), precision, (-1, 0)),
    )


def ends(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether both end together and the first starts no earlier."""
    return and_(
        ordered(end_span(a), end_span(b), precision, (0,)),
        ordered(start_span(a), start_span(b), precision, (0, 1)),
    )


def width(interval: Interval) -> Value:
    """Return the distance from start to end, None for an unknown end.

    Raises:
        CqlError: the points are dates or times.
    """
    start, end = start_of(interval), end_of(interval)
    if start is None or end is None:
        return None
    if not isinstance(start, int | Decimal | Quantity):
        raise CqlError("width of: not an interval of numbers")
    return subtract(end, start)


def size(interval: Interval) -> Value:
    """Return the width and one step, None for an unknown end."""
    distance = width(interval)
    if distance is None:
        return None
    if isinstance(distance, Quantity):
        return add(distance, Quantity(STEP, distance.unit))
    return add(distance, 1 if isinstance(distance, int) else STEP)


def point_from(interval: Interval) -> Value:
    """Return the only point of an interval.

    Raises:
        CqlError: the interval has more points than one.
    """
    start, end = start_of(interval), end_of(interval)
    if start is None or end is None:
        return None
    if equal(start, end) is not True:
        raise CqlError("point from: the interval is not one point")
    return start


def union(a: Interval, b: Interval) -> Interval | None:
    """Return the interval of both, None when they neither overlap nor meet."""
    if or_(overlaps(a, b), meets(a, b)) is not True:
        return None
    low = a if ordered(start_span(a), start_span(b), None, (-1, 0)) else b
    high = a if ordered(end_span(a), end_span(b), None, (0, 1)) else b
    return joined(low, high)


def intersect(a: Interval, b: Interval) -> Interval | None:
    """Return what both share, None when that is nothing or not known.

    Where it is not known which of two bounds is the inner one, the bound that is not known stays.
    """
    if overlaps(a, b) is not True:
        return None
    starts_later = ordered(start_span(a), start_span(b), None, (1,))
    ends_sooner = ordered(end_span(a), end_span(b), None, (-1,))
    low = a if starts_later or (starts_later is None and a.low is None) else b
    high = a if ends_sooner or (ends_sooner is None and a.high is None) else b
    return joined(low, high)


def except_(a: Interval, b: Interval) -> Interval | None:
    """Return what only the first has, None when that is nothing or two pieces."""
    if overlaps(a, b) is False:
        return a
    if overlaps_before(a, b) is True and overlaps_after(a, b) is not True:
        return Interval(a.low, b.low, a.low_closed, not b.low_closed, a.point_type)
    if overlaps_after(a, b) is True and overlaps_before(a, b) is not True:
        return Interval(b.high, a.high, not b.high_closed, a.high_closed, a.point_type)
    return None


def joined(low: Interval, high: Interval) -> Interval:
    """Return the interval from the lower bound of one to the upper bound of the other."""
    return Interval(low.low, high.high, low.low_closed, high.high_closed, low.point_type)


def collapse(values: list[Interval | None]) -> list[Interval]:
    """Return the fewest intervals with the same points, in order."""
    known = sorted((v for v in values if v is not None), key=lambda v: sort_key(start_of(v)))
    result: list[Interval] = []
    for interval in known:
        merged = union(result[-1], interval) if result else None
        if merged is None:
            result.append(interval)
        else:
            result[-1] = merged
    return result
