"""Equality and order. Numbers and strings of one known class compare in Python directly."""

import operator
from collections.abc import Callable

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.scope import UNSET, Compiled, Frame, Node, Run, Scope
from ivfhir.expressions.operators import comparison
from ivfhir.expressions.operators.equality import equal, equivalent
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values.value import Value

FAST = frozenset({t.INTEGER, t.LONG, t.DECIMAL, t.STRING})
ORDERS: dict[str, tuple[Callable[[Value, Value], Value], Callable[[Value, Value], Truth]]] = {
    "Less": (operator.lt, comparison.less),
    "LessOrEqual": (operator.le, comparison.less_or_equal),
    "Greater": (operator.gt, comparison.greater),
    "GreaterOrEqual": (operator.ge, comparison.greater_or_equal),
}


def strict(left: Run, right: Run, function: Callable[[Value, Value], Value]) -> Run:
    """Return what applies a function to two values, null when either is null."""

    def run(f: Frame) -> Value:
        a = left(f)
        if a is None:
            return None
        b = right(f)
        return None if b is None else function(a, b)

    return run


def strict_constant(left: Run, value: Value, function: Callable[[Value, Value], Value]) -> Run:
    """Return what applies a function to a value and a constant, null when the value is null."""

    def run(f: Frame) -> Value:
        a = left(f)
        return None if a is None else function(a, value)

    return run


def two(a: Compiled, b: Compiled, function: Callable[[Value, Value], Value]) -> Run:
    """Return what applies a function to two compiled operands, null when either is null."""
    if b.constant is not UNSET and b.constant is not None:
        return strict_constant(a.run, b.constant, function)
    return strict(a.run, b.run, function)


def compile_order(scope: Scope, node: Node) -> Compiled:
    """Compile <, <=, > and >=."""
    a, b = scope.compile_all(node["operand"])
    fast, general = ORDERS[node["type"]]
    function = fast if a.type in FAST and a.type == b.type else general
    return Compiled(two(a, b, function), t.BOOLEAN)


def compile_equal(scope: Scope, node: Node) -> Compiled:
    """Compile `=`."""
    a, b = scope.compile_all(node["operand"])
    fast = (FAST | {t.BOOLEAN}) if a.type == b.type else frozenset()
    return Compiled(two(a, b, operator.eq if a.type in fast else equal), t.BOOLEAN)


def compile_not_equal(scope: Scope, node: Node) -> Compiled:
    """Compile `!=`."""
    same = compile_equal(scope, node).run

    def run(f: Frame) -> Truth:
        truth = same(f)
        return None if truth is None else not truth

    return Compiled(run, t.BOOLEAN)


def compile_equivalent(scope: Scope, node: Node) -> Compiled:
    """Compile `~`: never null."""
    a, b = (part.run for part in scope.compile_all(node["operand"]))
    return Compiled(lambda f: equivalent(a(f), b(f)), t.BOOLEAN)


NODES = {
    **dict.fromkeys(ORDERS, compile_order),
    "Equal": compile_equal,
    "NotEqual": compile_not_equal,
    "Equivalent": compile_equivalent,
}
