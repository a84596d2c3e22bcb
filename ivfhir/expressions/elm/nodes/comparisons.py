"""Equality and order. Numbers and strings of one known class compare in Python directly."""

import operator
from collections.abc import Callable

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import lenient, strict_run
from ivfhir.expressions.elm.fusion import Fusion, strict_truth
from ivfhir.expressions.elm.fusion import strict as strict_text
from ivfhir.expressions.elm.scope import Compiled, Frame, Node, Scope
from ivfhir.expressions.operators import comparison
from ivfhir.expressions.operators.equality import equal, equal_dates, equivalent
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values.value import Value

FAST = frozenset({t.INTEGER, t.LONG, t.DECIMAL, t.STRING})
Binary = Callable[[Value, Value], Value]
ORDERS: dict[str, tuple[Binary, str, Binary]] = {
    "Less": (operator.lt, "<", comparison.less),
    "LessOrEqual": (operator.le, "<=", comparison.less_or_equal),
    "Greater": (operator.gt, ">", comparison.greater),
    "GreaterOrEqual": (operator.ge, ">=", comparison.greater_or_equal),
}


def compile_order(scope: Scope, node: Node) -> Compiled:
    """Compile <, <=, > and >=."""
    a, b = scope.compile_all(node["operand"])
    fast, symbol, general = ORDERS[node["type"]]
    if a.type in FAST and a.type == b.type:
        return test(a, b, fast, lambda _, v: f"{v[0]} {symbol} {v[1]}")
    return test(a, b, general, lambda m, v: f"{m.name(general)}({v[0]}, {v[1]})")


def test(
    a: Compiled, b: Compiled, function: Binary, body: Callable[[Fusion, list[str]], str]
) -> Compiled:
    """Return a comparison of two values."""
    run = strict_run(function, (a, b))
    return Compiled(run, t.BOOLEAN, emit=strict_text(body, a, b), truth=strict_truth(body, a, b))


def compile_equal(scope: Scope, node: Node) -> Compiled:
    """Compile `=`."""
    a, b = scope.compile_all(node["operand"])
    if a.type == b.type and (a.type in FAST or a.type == t.BOOLEAN):
        return test(a, b, operator.eq, lambda _, v: f"{v[0]} == {v[1]}")
    if a.type == b.type == t.DATE:
        return test(a, b, equal_dates, lambda m, v: f"{m.name(equal_dates)}({v[0]}, {v[1]})")
    return test(a, b, equal, lambda m, v: f"{m.name(equal)}({v[0]}, {v[1]})")


def compile_not_equal(scope: Scope, node: Node) -> Compiled:
    """Compile `!=`."""
    same = compile_equal(scope, node)
    run = same.run

    def differs(f: Frame) -> Truth:
        truth = run(f)
        return None if truth is None else not truth

    return Compiled(differs, t.BOOLEAN, emit=strict_text(lambda _, v: f"not {v[0]}", same))


def compile_equivalent(scope: Scope, node: Node) -> Compiled:
    """Compile `~`: never null."""
    return lenient(equivalent, t.BOOLEAN, *scope.compile_all(node["operand"]))


NODES = {
    **dict.fromkeys(ORDERS, compile_order),
    "Equal": compile_equal,
    "NotEqual": compile_not_equal,
    "Equivalent": compile_equivalent,
}
