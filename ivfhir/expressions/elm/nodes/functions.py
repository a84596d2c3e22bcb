"""Operators that are one function of their operands, and what type their value has."""

from collections.abc import Callable
from dataclasses import replace

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import (
    Function,
    lenient,
    of_all,
    strict,
    strict_test,
    strict_words,
)
from ivfhir.expressions.elm.code import Expression, Writer, constant
from ivfhir.expressions.elm.scope import Node, Scope
from ivfhir.expressions.elm.shapes import KNOWN, Shape, element_of
from ivfhir.expressions.operators import aggregates, arithmetic, boundaries, dates, lists, strings
from ivfhir.expressions.operators.dates import DAY_DIGITS, boundary, digits_of
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.operators.numbers import decimal_boundary, decimal_digits
from ivfhir.expressions.values import Date, Quantity
from ivfhir.expressions.values.dates import DAY, Partial
from ivfhir.expressions.values.value import Value

TypeRule = Callable[[list[t.ElmType]], t.ElmType]
Builder = Callable[..., Expression]
"""Makes an expression of its operands."""
PARTIAL = frozenset({t.DATE, t.DATE_TIME, t.TIME})
MANY = 3


def function(
    general: Function,
    rule: TypeRule | t.ElmType,
    *,
    integers: Function | None = None,
    decimals: Function | None = None,
) -> Builder:
    """Return the builder of an operator that is null when an operand is.

    Args:
        general: computes the value of operands that are not null.
        rule: its type, from those of the operands.
        integers: what computes it instead where it is an Integer.
        decimals: what computes it instead where all operands are Decimals.
    """

    def build(*parts: Expression) -> Expression:
        type_ = ruled(rule, parts)
        if type_ == t.INTEGER:
            return strict(integers or general, type_, *parts)
        if decimals and all(part.type == t.DECIMAL for part in parts):
            return strict(decimals, type_, *parts)
        return strict(general, type_, *parts)

    return build


def of_nulls(general: Function, rule: TypeRule | t.ElmType) -> Builder:
    """Return the builder of an operator whose function takes nulls."""
    return lambda *parts: lenient(general, ruled(rule, parts), *parts)


def needing(count: int, general: Function, rule: TypeRule | t.ElmType) -> Builder:
    """Return the builder of an operator of which only the first operands must not be null."""

    def checked(*values: Value) -> Value:
        return None if any(value is None for value in values[:count]) else general(*values)

    def build(*parts: Expression) -> Expression:
        if len(parts) == count:
            return strict(general, ruled(rule, parts), *parts)
        return lenient(checked, ruled(rule, parts), *parts)

    return build


def ruled(rule: TypeRule | t.ElmType, parts: tuple[Expression, ...]) -> t.ElmType:
    """Return the type of an operator's value."""
    return rule([part.type for part in parts]) if callable(rule) else rule


def same(types: list[t.ElmType]) -> t.ElmType:
    """The result has the type of the first operand."""
    return types[0]


def element(types: list[t.ElmType]) -> t.ElmType:
    """The result is an element of the first operand."""
    return t.element_of(types[0])


def point(types: list[t.ElmType]) -> t.ElmType:
    """The result is a point of the first operand."""
    return t.point_of(types[0])


def indexed(types: list[t.ElmType]) -> t.ElmType:
    """The result is a character of a string or an element of a list."""
    return t.STRING if types[0] == t.STRING else t.element_of(types[0])


def product(types: list[t.ElmType]) -> t.ElmType:
    """The product of anything with a quantity is a quantity."""
    return t.QUANTITY if t.QUANTITY in types else types[0]


def quotient(types: list[t.ElmType]) -> t.ElmType:
    """A quotient is a Decimal, or a quantity."""
    return t.QUANTITY if t.QUANTITY in types else t.DECIMAL


def flattened(types: list[t.ElmType]) -> t.ElmType:
    """The result is a list of the elements' elements."""
    inner = t.element_of(types[0])
    return inner if isinstance(inner, t.ListOf) else types[0]


def add(a: Expression, b: Expression) -> Expression:
    """Return `+` of numbers, quantities, or a date and a quantity of time."""
    if a.type in PARTIAL:
        return strict(dates.plus, a.type, a, b)
    if a.type == t.INTEGER:
        return strict(arithmetic.add_integers, a.type, a, b)
    if a.type == b.type == t.DECIMAL:
        return strict(arithmetic.add_decimals, a.type, a, b)
    general = added if a.type in (t.ANY, t.NULL) else arithmetic.add
    return strict(general, a.type, a, b)


def subtract(a: Expression, b: Expression) -> Expression:
    """Return `-` of numbers, quantities, or a date and a quantity of time."""
    if a.type in PARTIAL:
        return strict(moved_back, a.type, a, b)
    if a.type == t.INTEGER:
        return strict(arithmetic.subtract_integers, a.type, a, b)
    if a.type == b.type == t.DECIMAL:
        return strict(arithmetic.subtract_decimals, a.type, a, b)
    return strict(arithmetic.subtract, a.type, a, b)


def added(a: Value, b: Value) -> Value:
    """Return the sum of operands whose types are known only now."""
    return dates.plus(a, b) if isinstance(a, Partial) else arithmetic.add(a, b)


def moved_back(value: Partial, quantity: Quantity) -> Partial | None:
    """Return the date moved back."""
    return dates.plus(value, quantity, -1)


def item(value: Value, index: int) -> Value:
    """Return a character or element, None outside."""
    return (strings.character_at if isinstance(value, str) else lists.element_at)(value, index)


def precision_of(value: Value) -> int:
    """Return how many digits a value has."""
    return digits_of(value) if isinstance(value, Partial) else decimal_digits(value)


def concatenate(*parts: Expression) -> Expression:
    """Return strings in one; null when one is."""
    if len(parts) < MANY:
        return strict_words(lambda _, v: f"{v[0]} + {v[1]}", t.STRING, *parts, shape=of_all(*parts))
    return lenient(lambda *texts: strings.concatenate(list(texts)), t.STRING, *parts)


def first(source: Expression) -> Expression:
    """Return the first element."""

    def text(m: Writer) -> str:
        v = m.temporary()
        return f"({v}[0] if ({v} := {m.value(source)}) else None)"

    shape = replace(element_of(source.shape), known=False)
    return Expression(t.element_of(source.type), text, shape=shape)


def last(values: list[Value]) -> Value:
    """Return the last element, None of an empty list."""
    return values[-1] if values else None


def exists(source: Expression) -> Expression:
    """Return `exists`."""
    if source.some is not None:
        return Expression(t.BOOLEAN, source.some, truth=source.some, shape=KNOWN)
    certain = element_of(source.shape).known

    def text(m: Writer) -> str:
        if certain:
            return f"(True if {m.value(source)} else False)"
        v = m.temporary()
        some = f"{v}[0] is not None or {m.name(lists.exists)}({v})"
        return f"(({some}) if ({v} := {m.value(source)}) else False)"

    def truth(m: Writer) -> str:
        return m.value(source) if certain else text(m)

    return Expression(t.BOOLEAN, text, truth=truth, shape=KNOWN)


def flatten(operand: Expression) -> Expression:
    """Return the elements of the lists in a list, in one list."""
    type_ = flattened([operand.type])
    inner = element_of(element_of(operand.shape))
    shape = Shape(known=operand.shape.known, element=inner if type_ != operand.type else None)
    if operand.flat is not None:
        return Expression(type_, operand.flat, shape=shape)
    return replace(strict(lists.flatten, type_, operand), shape=shape)


def distinct(operand: Expression) -> Expression:
    """Return a list with later equals left out."""
    return replace(strict(lists.distinct, operand.type, operand), shape=operand.shape)


def matches(value: Expression, expression: Expression) -> Expression:
    """Return Matches; an expression that is known is read once, when this is compiled."""
    if not isinstance(expression.constant, str):
        return strict(strings.matches, t.BOOLEAN, value, expression)
    try:
        matched = strings.matcher(expression.constant)
    except CqlError:  # Told of the define that asks, as of any other expression.
        return strict(strings.matches, t.BOOLEAN, value, expression)

    def words(m: Writer, values: list[str]) -> str:
        return f"{m.name(matched)}({values[0]}) is not None"

    return strict_test(words, t.BOOLEAN, value, shape=of_all(value))


def length(operand: Expression) -> Expression:
    """Return Length: of a list that is null it is 0, of a string that is null it is null."""
    if isinstance(operand.type, t.ListOf):
        return lenient(lambda value: 0 if value is None else len(value), t.INTEGER, operand)
    return strict(len, t.INTEGER, operand)


def aggregate(name: str) -> Builder:
    """Return the builder of an aggregate of a list; null for a list that is null."""
    general = aggregates.AGGREGATES[name]
    return function(general, element, integers=arithmetic.fitting_integer(general))


def low_boundary(value: Expression, digits: Expression) -> Expression:
    """Return the least value that a less precise one can mean."""
    return bound(value, digits, last=False)


def high_boundary(value: Expression, digits: Expression) -> Expression:
    """Return the greatest value that a less precise one can mean."""
    return bound(value, digits, last=True)


def bound(value: Expression, digits: Expression, *, last: bool) -> Expression:
    """Return the least or greatest value that a less precise one can mean."""

    def day(known: Date) -> Value:
        return known if len(known.parts) == DAY else boundary(known, DAY_DIGITS, last=last)

    def any_bound(known: Value, count: int | None) -> Value:
        if isinstance(known, Partial):
            return boundary(known, count, last=last)
        return None if known is None else decimal_boundary(known, count, last=last)

    if value.type == t.DATE and digits.constant == DAY_DIGITS:
        return strict(day, t.DATE, value)
    return lenient(any_bound, value.type, value, digits)


def compile_extreme(scope: Scope, node: Node) -> Expression:
    """Compile `minimum T` and `maximum T`."""
    type_ = t.named(node["valueType"])
    table = boundaries.LEAST if node["type"] == "MinValue" else boundaries.GREATEST
    if type_ not in table:
        scope.refuse(node, f"{type_} has no least or greatest value")
    return constant(table[type_], type_)
