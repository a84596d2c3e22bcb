"""Conversions between types: ToX, ConvertsToX, convert, and whether they can."""

from collections.abc import Callable

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import foldable, lenient, of_memory, strict
from ivfhir.expressions.elm.code import OFFSET, Expression, Memory
from ivfhir.expressions.elm.nodes.casts import cast_to, target_type
from ivfhir.expressions.elm.scope import Node, Scope
from ivfhir.expressions.operators import conversion
from ivfhir.expressions.values import DateTime
from ivfhir.expressions.values.quantities import convert
from ivfhir.expressions.values.value import Value

CONVERSIONS: dict[str, tuple[Callable[[Value], Value], t.ElmType]] = {
    "String": (conversion.to_string, t.STRING),
    "Boolean": (conversion.to_boolean, t.BOOLEAN),
    "Integer": (conversion.to_integer, t.INTEGER),
    "Long": (conversion.to_long, t.LONG),
    "Decimal": (conversion.to_decimal, t.DECIMAL),
    "Date": (conversion.to_date, t.DATE),
    "Time": (conversion.to_time, t.TIME),
    "Quantity": (conversion.to_quantity, t.QUANTITY),
    "Ratio": (conversion.to_ratio, t.RATIO),
    "Concept": (conversion.to_concept, t.CONCEPT),
}
NAMES = (*(name for name in CONVERSIONS if name != "Concept"), "DateTime")
"""The types that have `ToX` and `ConvertsToX`; ToConcept is terminology's."""


def converted(name: str, operand: Expression) -> Expression:
    """Return the operand converted to a System type, one of `CONVERSIONS` or DateTime."""
    if name == "DateTime":
        return of_memory(at_offset, t.DATE_TIME, operand)
    function, type_ = CONVERSIONS[name]
    return strict(function, type_, operand)


def at_offset(memory: Memory, value: Value) -> DateTime | None:
    """Return a DateTime; without an offset of its own it has that of the evaluation."""
    return conversion.to_date_time(value, memory[OFFSET])


def convertible(name: str, operand: Expression) -> Expression:
    """Return `ConvertsToX`: null for null."""
    return possible(operand, converted(name, operand))


def possible(operand: Expression, made: Expression) -> Expression:
    """Return whether a conversion gives something; null for null."""
    return lenient(can, t.BOOLEAN, operand, made)


def can(value: Value, result: Value) -> bool | None:
    """Return whether there is a result; None for None."""
    return None if value is None else result is not None


def compile_convert(scope: Scope, node: Node) -> Expression:
    """Compile `convert X to T`."""
    return convert_to(scope, scope.compile(node["operand"]), target_type(node, "to"))


def compile_can_convert(scope: Scope, node: Node) -> Expression:
    """Compile `CanConvert`: null for null."""
    operand = scope.compile(node["operand"])
    return possible(operand, convert_to(scope, operand, target_type(node, "to")))


def convert_to(scope: Scope, operand: Expression, type_: t.ElmType) -> Expression:
    """Return the operand converted to a type, or cast to it where there is no conversion."""
    name = str(type_).removeprefix("System.")
    if name == "DateTime" or name in CONVERSIONS:
        return converted(name, operand)
    return cast_to(scope, operand, type_)


def in_unit(quantity: Expression, unit: Expression) -> Expression:
    """Return `convert q to unit`: null where there is no way from one unit to the other."""
    return strict(convert, t.QUANTITY, quantity, unit)


def has_unit(quantity: Expression, unit: Expression) -> Expression:
    """Return whether a quantity can be converted to a unit."""
    return possible(quantity, in_unit(quantity, unit))


def to_list(operand: Expression) -> Expression:
    """Return `ToList`: an empty list for null."""
    return foldable(lambda v: [] if v is None else [v], t.ListOf(operand.type), operand)
