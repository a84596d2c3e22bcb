"""Conversions between types: ToX, ConvertsToX, convert, and whether they can."""

from collections.abc import Callable

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.nodes.casts import cast_to, target_type
from ivfhir.expressions.elm.nodes.literals import folded
from ivfhir.expressions.elm.scope import OFFSET, Compiled, Frame, Node, Run, Scope
from ivfhir.expressions.operators import conversion
from ivfhir.expressions.values import Quantity
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


def converted(run: Run, name: str) -> Run | None:
    """Return what converts the value of `run` to a System type.

    None when there is no such conversion.
    """
    if name == "DateTime":
        return lambda f: conversion.to_date_time(run(f), f[0][OFFSET])
    if name not in CONVERSIONS:
        return None
    function = CONVERSIONS[name][0]

    def convert_value(f: Frame) -> Value:
        value = run(f)
        return None if value is None else function(value)

    return convert_value


def compile_to(scope: Scope, node: Node) -> Compiled:
    """Compile `ToX`."""
    operand = scope.compile(node["operand"])
    name = node["type"].removeprefix("To")
    run = converted(operand.run, name)
    if run is None:
        scope.refuse(node, f"operator {node['type']} is not supported")
    return Compiled(run, f"System.{name}")


def compile_converts_to(scope: Scope, node: Node) -> Compiled:
    """Compile `ConvertsToX`: null for null."""
    operand = scope.compile(node["operand"]).run
    run = converted(operand, node["type"].removeprefix("ConvertsTo"))
    if run is None:
        scope.refuse(node, f"operator {node['type']} is not supported")
    return Compiled(lambda f: None if operand(f) is None else run(f) is not None, t.BOOLEAN)


def compile_convert(scope: Scope, node: Node) -> Compiled:
    """Compile `convert X to T`."""
    operand = scope.compile(node["operand"])
    type_ = target_type(scope, node, "to")
    run = converted(operand.run, str(type_).removeprefix("System."))
    return Compiled(run, type_) if run is not None else cast_to(operand, type_)


def compile_can_convert(scope: Scope, node: Node) -> Compiled:
    """Compile `CanConvert`: null for null."""
    operand = scope.compile(node["operand"])
    type_ = target_type(scope, node, "to")
    run = converted(operand.run, str(type_).removeprefix("System.")) or cast_to(operand, type_).run
    source = operand.run
    return Compiled(lambda f: None if source(f) is None else run(f) is not None, t.BOOLEAN)


def compile_convert_quantity(scope: Scope, node: Node) -> Compiled:
    """Compile `convert q to unit`: null where there is no way from one unit to the other."""
    quantity, unit = (part.run for part in scope.compile_all(node["operand"]))

    def run(f: Frame) -> Quantity | None:
        a, b = quantity(f), unit(f)
        return None if a is None or b is None else convert(a, b)

    if node["type"] == "ConvertQuantity":
        return Compiled(run, t.QUANTITY)
    return Compiled(lambda f: None if quantity(f) is None else run(f) is not None, t.BOOLEAN)


def compile_to_list(scope: Scope, node: Node) -> Compiled:
    """Compile `ToList`: an empty list for null."""
    operand = scope.compile(node["operand"])
    run = operand.run

    def to_list(f: Frame) -> list[Value]:
        value = run(f)
        return [] if value is None else [value]

    return folded(Compiled(to_list, t.ListOf(operand.type)), [operand])


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
