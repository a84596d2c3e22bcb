"""Operators over intervals and lists.

In, Contains, Includes, Overlaps, Before, Union and their like.
"""

from collections.abc import Callable

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import lenient, strict
from ivfhir.expressions.elm.fusion import Fusion
from ivfhir.expressions.elm.nodes.literals import coerced
from ivfhir.expressions.elm.scope import UNSET, Compiled, Node, Scope
from ivfhir.expressions.operators import boundaries, intervals, lists
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values import Interval
from ivfhir.expressions.values.dates import PRECISIONS
from ivfhir.expressions.values.order import compare
from ivfhir.expressions.values.value import Value

Relation = Callable[[Value, Value, int | None], Truth]

RELATIONS: dict[str, Relation] = {
    "Before": intervals.before,
    "After": intervals.after,
    "SameAs": intervals.same,
    "SameOrBefore": intervals.same_or_before,
    "SameOrAfter": intervals.same_or_after,
    "Overlaps": intervals.overlaps,
    "OverlapsBefore": intervals.overlaps_before,
    "OverlapsAfter": intervals.overlaps_after,
    "Meets": intervals.meets,
    "MeetsBefore": intervals.meets_before,
    "MeetsAfter": intervals.meets_after,
    "Starts": intervals.starts,
    "Ends": intervals.ends,
}
PARTIAL = frozenset({t.DATE, t.DATE_TIME, t.TIME})
WANTED = {
    "Before": (-1,),
    "After": (1,),
    "SameAs": (0,),
    "SameOrBefore": (-1, 0),
    "SameOrAfter": (0, 1),
}
"""The order of two points that makes a relation true."""
PARTS: dict[str, Callable[[Value], Value]] = {
    "Start": boundaries.start_of,
    "End": boundaries.end_of,
    "Width": intervals.width,
    "Size": intervals.size,
    "PointFrom": intervals.point_from,
}


def precision_of(node: Node) -> int | None:
    """Return the precision that a node compares with."""
    return PRECISIONS.get(node.get("precision", ""))


def relation(function: Relation, precision: int | None, a: Compiled, b: Compiled) -> Compiled:
    """Return a relation of two values that is null when either is null."""
    return strict(lambda x, y: function(x, y, precision), t.BOOLEAN, a, b)


def compile_relation(scope: Scope, node: Node) -> Compiled:
    """Compile a relation of intervals, points or dates."""
    a, b = scope.compile_all(node["operand"])
    precision = precision_of(node)
    if a.type in PARTIAL and a.type == b.type and node["type"] in WANTED:
        return relation(ordering(WANTED[node["type"]]), precision, a, b)
    return relation(RELATIONS[node["type"]], precision, a, b)


def ordering(wanted: tuple[int, ...]) -> Relation:
    """Return whether the order of two dates or times is one of those wanted."""

    def related(x: Value, y: Value, precision: int | None) -> Truth:
        order = compare(x, y, precision)
        return None if order is None else order in wanted

    return related


def compile_in(scope: Scope, node: Node) -> Compiled:
    """Compile `x in y` and `during` with a point."""
    point, container = scope.compile_all(node["operand"])
    return membership(point, container, node)


def compile_contains(scope: Scope, node: Node) -> Compiled:
    """Compile `y contains x`."""
    container, point = scope.compile_all(node["operand"])
    return membership(point, container, node)


def membership(point: Compiled, container: Compiled, node: Node) -> Compiled:
    """Return whether a point is in a list or interval.

    Nothing is in a null container: False. Null is in a list that has a null; of an interval it is
    not known whether it holds a null.
    """
    proper = node["type"].startswith("Proper")
    if container.constant.__class__ is list and point.type == t.STRING and not proper:
        return in_constant(point, frozenset(container.constant))
    precision = precision_of(node)
    inside: Relation = intervals.properly_holds if proper else intervals.holds

    def member(value: Value, holder: Value) -> Truth:
        if holder is None:
            return False
        if isinstance(holder, Interval):
            return None if value is None else inside(holder, value, precision)
        return (lists.properly_contains if proper else lists.contains)(holder, value)

    return lenient(member, t.BOOLEAN, point, container)


def in_constant(point: Compiled, strings: frozenset[Value]) -> Compiled:
    """Return whether a string is one of some that are known when compiling."""
    run = point.run

    def emit(m: Fusion) -> str:
        return f"({m.value(point)} in {m.name(strings)})"

    return Compiled(lambda f: run(f) in strings, t.BOOLEAN, emit=emit, truth=emit)


def compile_includes(scope: Scope, node: Node) -> Compiled:
    """Compile Includes and IncludedIn, proper or not, over lists or intervals.

    A point counts as `in`.
    """
    a, b = scope.compile_all(node["operand"])
    kind = node["type"]
    if "IncludedIn" in kind:
        a, b = b, a
    proper = kind.startswith("Proper")
    precision = precision_of(node)
    if isinstance(a.type, t.IntervalOf | t.ListOf) and not isinstance(
        b.type, t.IntervalOf | t.ListOf
    ):
        return membership(b, a, node)
    of_intervals: Relation = intervals.properly_includes if proper else intervals.includes
    of_lists = lists.properly_includes if proper else lists.includes

    def either(x: Value, y: Value, at: int | None) -> Truth:
        return of_intervals(x, y, at) if isinstance(x, Interval) else of_lists(x, y)

    return relation(either, precision, a, b)


def compile_part(scope: Scope, node: Node) -> Compiled:
    """Compile `start of`, `end of`, `width of`, `Size` and `point from`."""
    operand = scope.compile(node["operand"])
    return strict(PARTS[node["type"]], t.point_of(operand.type), operand)


def compile_union(scope: Scope, node: Node) -> Compiled:
    """Compile `union`: of lists, where null is empty, or of two intervals."""
    parts = scope.compile_all(node["operand"])
    if any(isinstance(part.type, t.IntervalOf) for part in parts):
        return strict(intervals.union, parts[0].type, *parts)
    type_ = t.ListOf(t.choice(t.element_of(p.type) for p in parts if p.type != t.NULL))
    return lenient(lists.union, type_, *(coerced(part, type_) for part in parts))


def compile_intersect(scope: Scope, node: Node) -> Compiled:
    """Compile `intersect` of lists or intervals."""
    return set_operation(scope, node, intervals.intersect, lists.intersect)


def compile_except(scope: Scope, node: Node) -> Compiled:
    """Compile `except` of lists or intervals.

    Nothing is taken away when the second list is null.
    """
    return set_operation(scope, node, intervals.except_, lists.except_)


def set_operation(
    scope: Scope,
    node: Node,
    of_intervals: Callable[[Value, Value], Value],
    of_lists: Callable[[Value, Value], Value],
) -> Compiled:
    """Compile an operation on two lists or two intervals."""
    a, b = scope.compile_all(node["operand"])
    keep = node["type"] == "Except" and isinstance(a.type, t.ListOf)

    def operate(x: Value, y: Value) -> Value:
        if x is None or (y is None and not keep):
            return None
        return of_intervals(x, y) if isinstance(x, Interval) else of_lists(x, y)

    return lenient(operate, a.type, a, b)


def compile_collapse(scope: Scope, node: Node) -> Compiled:
    """Compile `collapse` of a list of intervals, without a `per`."""
    source, *rest = scope.compile_all(node["operand"])
    if rest and rest[0].constant not in (None, UNSET):
        scope.refuse(node, "collapse with per is not supported")
    return strict(intervals.collapse, source.type, source)


NODES = {
    **dict.fromkeys(RELATIONS, compile_relation),
    **dict.fromkeys(PARTS, compile_part),
    "In": compile_in,
    "ProperIn": compile_in,
    "Contains": compile_contains,
    "ProperContains": compile_contains,
    **dict.fromkeys(
        ("Includes", "IncludedIn", "ProperIncludes", "ProperIncludedIn"), compile_includes
    ),
    "Union": compile_union,
    "Intersect": compile_intersect,
    "Except": compile_except,
    "Collapse": compile_collapse,
}
