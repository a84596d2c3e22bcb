"""Conversions between types: ToX, ConvertsToX, convert, and whether they can."""

from collections.abc import Callable

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import lenient, of_memory, strict
from ivfhir.expressions.elm.nodes.casts import cast_to, target_type
from ivfhir.expressions.elm.nodes.literals import folded
from ivfhir.expressions.elm.scope import OFFSET, Compiled, Node, Scope
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


def converted(operand: Compiled, name: str) -> Compiled | None:
    """Return the operand converted to a System type, None when there is no such conversion."""
    if name == "DateTime":
        return of_memory(at_offset, t.DATE_TIME, operand)
    if name not in CONVERSIONS:
        return None
    function, type_ = CONVERSIONS[name]
    return strict(function, type_, operand)


def at_offset(memory: list[Value], value: Value) -> DateTime | None:
    """Return a DateTime; without an offset of its own it has that of the evaluation."""
    return conversion.to_date_time(value, memory[OFFSET])


def compile_to(scope: Scope, node: Node) -> Compiled:
    """Compile `ToX`."""
    made = converted(scope.compile(node["operand"]), node["type"].removeprefix("To"))
    if made is None:
        scope.refuse(node, f"operator {node['type']} is not supported")
    return made


def compile_converts_to(scope: Scope, node: Node) -> Compiled:
    """Compile `ConvertsToX`: null for null."""
    operand = scope.compile(node["operand"])
    made = converted(operand, node["type"].removeprefix("ConvertsTo"))
    if made is None:
        scope.refuse(node, f"operator {node['type']} is not supported")
    return possible(operand, made)


def possible(operand: Compiled, made: Compiled) -> Compiled:
    """Return whether a conversion gives something; null for null."""

    def can(value: Value, result: Value) -> bool | None:
        return None if value is None else result is not None

    return lenient(can, t.BOOLEAN, operand, made)


def compile_convert(scope: Scope, node: Node) -> Compiled:
    """Compile `convert X to T`."""
    operand = scope.compile(node["operand"])
    type_ = target_type(scope, node, "to")
    return converted(operand, str(type_).removeprefix("System.")) or cast_to(operand, type_)


def compile_can_convert(scope: Scope, node: Node) -> Compiled:
    """Compile `CanConvert`: null for null."""
    operand = scope.compile(node["operand"])
    type_ = target_type(scope, node, "to")
    made = converted(operand, str(type_).removeprefix("System.")) or cast_to(operand, type_)
    return possible(operand, made)


def compile_convert_quantity(scope: Scope, node: Node) -> Compiled:
    """Compile `convert q to unit`: null where there is no way from one unit to the other."""
    quantity, unit = scope.compile_all(node["operand"])
    made = strict(convert, t.QUANTITY, quantity, unit)
    return made if node["type"] == "ConvertQuantity" else possible(quantity, made)


def compile_to_list(scope: Scope, node: Node) -> Compiled:
    """Compile `ToList`: an empty list for null."""
    operand = scope.compile(node["operand"])
    made = lenient(lambda v: [] if v is None else [v], t.ListOf(operand.type), operand)
    return folded(made, [operand])


NODES = {
    "Convert": compile_convert,
    "CanConvert": compile_can_convert,
    "ConvertQuantity": compile_convert_quantity,
    "CanConvertQuantity": compile_convert_quantity,
    "ToList": compile_to_list,
    "ToDateTime": compile_to,
    "ConvertsToDateTime": compile_converts_to,
    **{f"To{name}": compile_to for name in CONVERSIONS},
    **{f"ConvertsTo{name}": compile_converts_to for name in CONVERSIONS if name != "Concept"},
}
