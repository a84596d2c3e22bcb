"""Equality and order. Numbers and strings of one known class compare in Python directly."""

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import Function, called, of_all, strict_test
from ivfhir.expressions.elm.code import Expression
from ivfhir.expressions.elm.nodes.logic import negated
from ivfhir.expressions.operators.equality import equal, equal_dates

FAST = frozenset({t.INTEGER, t.LONG, t.DECIMAL, t.STRING})


def order(symbol: str, general: Function, a: Expression, b: Expression) -> Expression:
    """Return <, <=, > or >=."""
    if a.type in FAST and a.type == b.type:
        return symbolic(symbol, a, b)
    return strict_test(called(general), t.BOOLEAN, a, b)


def symbolic(symbol: str, a: Expression, b: Expression) -> Expression:
    """Return a comparison that is Python's own."""
    return strict_test(lambda _, v: f"{v[0]} {symbol} {v[1]}", t.BOOLEAN, a, b, shape=of_all(a, b))


def equality(a: Expression, b: Expression) -> Expression:
    """Return `=`."""
    if a.type == b.type and (a.type in FAST or a.type == t.BOOLEAN):
        return symbolic("==", a, b)
    general = equal_dates if a.type == b.type == t.DATE else equal
    return strict_test(called(general), t.BOOLEAN, a, b)


def inequality(a: Expression, b: Expression) -> Expression:
    """Return `!=`."""
    return negated(equality(a, b))
