"""Operators over intervals and lists: whether one is in the other, or how they lie in time."""

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import Function, coerced, lenient, strict
from ivfhir.expressions.elm.code import UNSET, Expression, RefusedError, Writer, constant
from ivfhir.expressions.elm.nodes.literals import elements_of_list
from ivfhir.expressions.elm.shapes import KNOWN, any_of, element_of, listed
from ivfhir.expressions.operators import intervals, lists
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values import Interval
from ivfhir.expressions.values.dates import PRECISIONS
from ivfhir.expressions.values.order import compare
from ivfhir.expressions.values.value import Value

PARTIAL = frozenset({t.DATE, t.DATE_TIME, t.TIME})


def related(
    relation: Function, a: Expression, b: Expression, precision: str | None = None
) -> Expression:
    """Return a relation of intervals or points at a precision; null when either is null."""
    return strict(at_precision(relation, precision), t.BOOLEAN, a, b)


def at_precision(relation: Function, precision: str | None) -> Function:
    """Return a relation of two values at a precision."""
    level = PRECISIONS.get(precision or "")
    return relation if level is None else lambda x, y: relation(x, y, level)


def in_order(
    relation: Function,
    wanted: tuple[int, ...],
    a: Expression,
    b: Expression,
    precision: str | None = None,
) -> Expression:
    """Return a relation that, of two points, is one of the wanted orders: -1, 0, 1."""
    if a.type not in PARTIAL or a.type != b.type:
        return related(relation, a, b, precision)

    def ordered(x: Value, y: Value, level: int | None = None) -> Truth:
        order = compare(x, y, level)
        return None if order is None else order in wanted

    return related(ordered, a, b, precision)


def is_in(point: Expression, container: Expression, precision: str | None = None) -> Expression:
    """Return whether a point is in a list or interval.

    Nothing is in a null container: False. Null is in a list that has a null; of an interval it is
    not known whether it holds a null.
    """
    if container.constant.__class__ is list and point.type == t.STRING:
        return in_constant(point, frozenset(container.constant))
    if point.type == t.STRING and container.type == t.ListOf(t.STRING):
        return in_strings(point, container)
    return membership(intervals.holds, lists.contains, point, container, precision)


def is_properly_in(
    point: Expression, container: Expression, precision: str | None = None
) -> Expression:
    """Return whether a point and something else is in a list or interval."""
    inside, among = intervals.properly_holds, lists.properly_contains
    return membership(inside, among, point, container, precision)


def membership(
    inside: Function,
    among: Function,
    point: Expression,
    container: Expression,
    precision: str | None,
) -> Expression:
    """Return whether a point is inside an interval or among the elements of a list."""
    holds = at_precision(inside, precision)

    def member(value: Value, holder: Value) -> Truth:
        if holder is None:
            return False
        if isinstance(holder, Interval):
            return None if value is None else holds(holder, value)
        found: Truth = among(holder, value)
        return found

    return lenient(member, t.BOOLEAN, point, container)


def in_strings(point: Expression, container: Expression) -> Expression:
    """Return whether a string, or null, is in a list of strings; nothing is in null."""

    def text(m: Writer) -> str:
        return f"({m.value(point)} in {elements_of_list(m, container)})"

    return Expression(t.BOOLEAN, text, truth=text, shape=KNOWN)


def in_constant(point: Expression, strings: frozenset[Value]) -> Expression:
    """Return whether a string is one of some that are known when compiling."""
    if point.constant is not UNSET:
        return constant(point.constant in strings, t.BOOLEAN)

    def text(m: Writer) -> str:
        return f"({m.value(point)} in {m.name(strings)})"

    return Expression(t.BOOLEAN, text, truth=text, shape=KNOWN)


def includes(a: Expression, b: Expression, precision: str | None = None) -> Expression:
    """Return whether one list or interval includes another, or a point."""
    if takes_point(a, b):
        return is_in(b, a, precision)
    return related(either(intervals.includes, lists.includes), a, b, precision)


def properly_includes(a: Expression, b: Expression, precision: str | None = None) -> Expression:
    """Return whether one list or interval includes another, or a point, and more."""
    if takes_point(a, b):
        return is_properly_in(b, a, precision)
    return related(either(intervals.properly_includes, lists.properly_includes), a, b, precision)


def takes_point(a: Expression, b: Expression) -> bool:
    """Return whether the first is a list or interval and the second is neither."""
    plural = t.IntervalOf | t.ListOf
    return isinstance(a.type, plural) and not isinstance(b.type, plural)


def either(of_intervals: Function, of_lists: Function) -> Function:
    """Return an operator of two intervals, perhaps at a precision, or of two lists."""

    def operate(x: Value, y: Value, *precision: int) -> Value:
        return of_intervals(x, y, *precision) if isinstance(x, Interval) else of_lists(x, y)

    return operate


def union(*parts: Expression) -> Expression:
    """Return `union`: of lists, where null is empty, or of two intervals."""
    if any(isinstance(part.type, t.IntervalOf) for part in parts):
        return strict(intervals.union, parts[0].type, *parts)
    type_ = t.ListOf(t.choice(t.element_of(p.type) for p in parts if p.type != t.NULL))
    same = [coerced(part, type_) for part in parts]
    shape = listed(any_of(element_of(part.shape) for part in same))
    return lenient(lists.union, type_, *same, shape=shape)


def intersection(a: Expression, b: Expression) -> Expression:
    """Return `intersect` of lists or intervals."""
    return strict(either(intervals.intersect, lists.intersect), a.type, a, b)


def difference(a: Expression, b: Expression) -> Expression:
    """Return `except` of lists or intervals.

    Nothing is taken away when the second list is null.
    """
    operate = either(intervals.except_, lists.except_)
    if isinstance(a.type, t.ListOf):
        return lenient(lambda x, y: None if x is None else operate(x, y), a.type, a, b)
    return strict(operate, a.type, a, b)


def collapse(source: Expression, per: Expression | None = None) -> Expression:
    """Return `collapse` of a list of intervals, without a `per`."""
    if per is not None and per.constant not in (None, UNSET):
        raise RefusedError("collapse with per is not supported")
    return strict(intervals.collapse, source.type, source)
