"""Relations of intervals (https://cql.hl7.org/09-b-cqlreference.html#interval-operators-3).

A point counts as the interval that holds only it, where CQL allows either. An open bound that is
null is not known: relations that need it are None.
"""

from decimal import Decimal

from ivfhir.expressions.operators.arithmetic import add, subtract
from ivfhir.expressions.operators.boundaries import STEP, end_of, start_of, successor
from ivfhir.expressions.operators.comparison import order, sort_key
from ivfhir.expressions.operators.equality import equal
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.operators.logical import Truth, and_, not_, or_
from ivfhir.expressions.values import Interval, Quantity
from ivfhir.expressions.values.value import Value


def as_interval(value: Value) -> Interval:
    """Return an interval as it is, a point as the interval of it alone."""
    return value if isinstance(value, Interval) else Interval(value, value)


def ordered(a: Value, b: Value, precision: int | None, wanted: tuple[int, ...]) -> Truth:
    """Return whether the order of two points is one of those wanted; None if a point is None."""
    if a is None or b is None:
        return None
    known = order(a, b, precision)
    if known is None and wanted in ((-1, 0), (0, 1)):
        return None
    return None if known is None else known in wanted


def before(a: Value, b: Value, precision: int | None = None) -> Truth:
    """Return whether `a` ends before `b` starts."""
    return ordered(end_of(as_interval(a)), start_of(as_interval(b)), precision, (-1,))


def after(a: Value, b: Value, precision: int | None = None) -> Truth:
    """Return whether `a` starts after `b` ends."""
    return before(b, a, precision)


def same_or_before(a: Value, b: Value, precision: int | None = None) -> Truth:
    """Return whether `a` ends on or before the start of `b`."""
    return ordered(end_of(as_interval(a)), start_of(as_interval(b)), precision, (-1, 0))


def same_or_after(a: Value, b: Value, precision: int | None = None) -> Truth:
    """Return whether `a` starts on or after the end of `b`."""
    return same_or_before(b, a, precision)


def same(a: Value, b: Value, precision: int | None = None) -> Truth:
    """Return whether both start and end at the same points."""
    if not isinstance(a, Interval) and not isinstance(b, Interval):
        return ordered(a, b, precision, (0,))
    x, y = as_interval(a), as_interval(b)
    return and_(
        ordered(start_of(x), start_of(y), precision, (0,)),
        ordered(end_of(x), end_of(y), precision, (0,)),
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
        ordered(point, start_of(interval), precision, (0,)),
        ordered(point, end_of(interval), precision, (0,)),
    )
    return and_(holds(interval, point, precision), not_(edges))


def includes(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether the first starts on or before and ends on or after the second."""
    return and_(
        ordered(start_of(a), start_of(b), precision, (-1, 0)),
        ordered(end_of(a), end_of(b), precision, (0, 1)),
    )


def properly_includes(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether the first includes the second and is not the same."""
    return and_(includes(a, b, precision), not_(same(a, b, precision)))


def overlaps(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether they share a point."""
    return and_(
        ordered(start_of(a), end_of(b), precision, (-1, 0)),
        ordered(start_of(b), end_of(a), precision, (-1, 0)),
    )


def overlaps_before(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether they share a point and the first starts earlier."""
    return and_(overlaps(a, b, precision), ordered(start_of(a), start_of(b), precision, (-1,)))


def overlaps_after(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether they share a point and the first ends later."""
    return and_(overlaps(a, b, precision), ordered(end_of(a), end_of(b), precision, (1,)))


def meets_before(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether the second starts at the point after the end of the first."""
    end = end_of(a)
    start = start_of(b)
    if end is None or start is None:
        return None
    try:
        return ordered(successor(end), start, precision, (0,))
    except CqlError:
        return False


def meets_after(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether the first starts at the point after the end of the second."""
    return meets_before(b, a, precision)


def meets(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether one starts at the point after the end of the other."""
    return or_(meets_before(a, b, precision), meets_after(a, b, precision))


def starts(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether both start together and the first ends no later."""
    return and_(
        ordered(start_of(a), start_of(b), precision, (0,)),
        ordered(end_of(a), end_of(b), precision, (-1, 0)),
    )


def ends(a: Interval, b: Interval, precision: int | None = None) -> Truth:
    """Return whether both end together and the first starts no earlier."""
    return and_(
        ordered(end_of(a), end_of(b), precision, (0,)),
        ordered(start_of(a), start_of(b), precision, (0, 1)),
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
    if start is None or end is None or equal(start, end) is not True:
        raise CqlError("point from: the interval is not one point")
    return start


def union(a: Interval, b: Interval) -> Interval | None:
    """Return the interval of both, None when they neither overlap nor meet."""
    if or_(overlaps(a, b), meets(a, b)) is not True:
        return None
    low = a if ordered(start_of(a), start_of(b), None, (-1, 0)) else b
    high = a if ordered(end_of(a), end_of(b), None, (0, 1)) else b
    return joined(low, high)


def intersect(a: Interval, b: Interval) -> Interval | None:
    """Return what both share, None when that is nothing or not known."""
    if overlaps(a, b) is not True:
        return None
    low = b if ordered(start_of(a), start_of(b), None, (-1, 0)) else a
    high = b if ordered(end_of(a), end_of(b), None, (0, 1)) else a
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
