"""As, Is and conversions between types.

FHIR's choice elements are cast most often, so a cast straight from the element reads only the JSON
name of the wanted type (`(O.value as FHIR.Quantity)` reads `valueQuantity`).
"""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import lenient, strict
from ivfhir.expressions.elm.nodes.literals import coerced
from ivfhir.expressions.elm.readers import narrowed_reader
from ivfhir.expressions.elm.scope import Compiled, Frame, Node, Run, Scope
from ivfhir.expressions.fhir_model import find_element, is_a, json_names
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.values import (
    Code,
    CodeSystem,
    Concept,
    Date,
    DateTime,
    Interval,
    Quantity,
    Ratio,
    Time,
    Typed,
    ValueSet,
)
from ivfhir.expressions.values.value import Value

CLASSES: dict[t.ElmType, type] = {
    t.BOOLEAN: bool,
    t.INTEGER: int,
    t.LONG: int,
    t.DECIMAL: Decimal,
    t.STRING: str,
    t.DATE: Date,
    t.DATE_TIME: DateTime,
    t.TIME: Time,
    t.QUANTITY: Quantity,
    t.RATIO: Ratio,
    t.CODE: Code,
    t.CONCEPT: Concept,
    t.CODE_SYSTEM: CodeSystem,
    t.VALUE_SET: ValueSet,
}
Test = Callable[[Value], bool]


def tester(type_: t.ElmType) -> Test:
    """Return what tells whether a value that is not null and tells its own type is of a type."""
    if isinstance(type_, str):
        return named_tester(type_)
    if isinstance(type_, t.ListOf):
        inner = tester(type_.element)
        return lambda v: v.__class__ is list and all(x is None or inner(x) for x in v)
    if isinstance(type_, t.ChoiceOf):
        tests = [tester(option) for option in type_.options]
        return lambda v: any(test(v) for test in tests)
    if isinstance(type_, t.IntervalOf):
        point = type_.point
        return lambda v: isinstance(v, Interval) and v.point_type in (point, None)
    return lambda v: v.__class__ is dict and "resourceType" not in v


def named_tester(name: str) -> Test:
    """Return what tells whether a value is of a type that has a name."""
    if name.startswith("FHIR."):
        return fhir_tester(name.removeprefix("FHIR."))
    if name == t.ANY:
        return lambda _: True
    wanted = CLASSES.get(name)
    return lambda v: wanted is not None and v.__class__ is wanted


def fhir_tester(name: str) -> Test:
    """Return what tells whether a value is a FHIR element or resource of a type."""

    def test(value: Value) -> bool:
        if value.__class__ is Typed:
            return is_a(value.type.removeprefix("FHIR."), name)
        if value.__class__ is dict:
            return is_a(str(value.get("resourceType")), name)
        return False

    return test


def is_element_type(type_: t.ElmType) -> bool:
    """Return whether values of a type do not tell it: elements of FHIR, not resources."""
    return isinstance(type_, str) and type_.startswith("FHIR.") and not is_resource_type(type_)


def is_resource_type(type_: t.ElmType) -> bool:
    """Return whether a type is a FHIR resource type."""
    return isinstance(type_, str) and is_a(type_.removeprefix("FHIR."), "Resource")


def target_type(scope: Scope, node: Node, word: str) -> t.ElmType:
    """Return the type that an As, Is or Convert node names."""
    if f"{word}TypeSpecifier" in node:
        return t.from_specifier(node[f"{word}TypeSpecifier"])
    if f"{word}Type" not in node:
        scope.refuse(node, "a type is missing")
    return t.named(node[f"{word}Type"])


def compile_as(scope: Scope, node: Node) -> Compiled:
    """Compile a cast.

    Null when the value is not of the type, a run-time error when it is strict.
    """
    operand = scope.compile(node["operand"])
    type_ = target_type(scope, node, "as")
    cast = cast_to(operand, type_)
    if not node.get("strict"):
        return cast
    run, checked = operand.run, cast.run

    def sure(f: Frame) -> Value:
        value = checked(f)
        if value is None and run(f) is not None:
            raise CqlError("cast: the value is not of that type")
        return value

    return Compiled(sure, type_)


def cast_to(operand: Compiled, type_: t.ElmType) -> Compiled:
    """Return the operand as a value of the type, null where it is of another."""
    source = operand.type
    if source in (type_, t.NULL):
        return replace(operand, type=type_)
    if t.is_open(type_) and not t.is_open(source):
        return replace(coerced(operand, type_), type=type_)
    names = narrowed_names(operand, type_)
    if names is not None and operand.parent is not None:
        return narrowed(operand.parent, names, type_)
    if is_element_type(source) and is_element_type(type_):
        return cast_element(operand, str(source), str(type_))
    return cast_structure(operand, type_)


def narrowed(parent: Compiled, names: dict[str, str], type_: t.ElmType) -> Compiled:
    """Return what reads a choice element of `parent` where its JSON name is one of those given."""
    read, run = narrowed_reader(names), parent.run
    cast = Compiled(
        lambda f: read(run(f)), type_, emit=lambda m: f"{m.name(read)}({m.value(parent)})"
    )
    return replace(cast, parent=parent, path=next(iter(names))) if len(names) == 1 else cast


def cast_structure(operand: Compiled, type_: t.ElmType) -> Compiled:
    """Return what casts a list, a tuple, an interval, or a value that tells its own type."""
    source = operand.type
    if isinstance(source, t.ListOf) and isinstance(type_, t.ListOf):
        return Compiled(cast_list(operand, type_), type_)
    if isinstance(source, t.TupleOf | t.IntervalOf):
        same = source.__class__ is type_.__class__
        return replace(operand, type=type_) if same else Compiled(lambda _: None, type_)
    return checked_cast(operand, type_)


def cast_element(operand: Compiled, source: str, type_: str) -> Compiled:
    """Return an element as a type that it is derived from, null for an unrelated type."""
    a, b = source.removeprefix("FHIR."), type_.removeprefix("FHIR.")
    if is_a(a, b) or is_a(b, a):
        return replace(operand, type=type_)
    return Compiled(lambda _: None, type_)


def narrowed_names(operand: Compiled, type_: t.ElmType) -> dict[str, str] | None:
    """Return the JSON names of a choice element that hold a FHIR type.

    None when it is not such a cast.
    """
    if (
        operand.parent is None
        or not isinstance(operand.type, t.ChoiceOf)
        or not is_element_type(type_)
    ):
        return None
    element = find_element(operand.owner, operand.path)
    if element is None or not element.is_choice:
        return None
    wanted = str(type_).removeprefix("FHIR.")
    names = json_names(operand.path, element)
    return {name: type_name for name, type_name in names.items() if is_a(type_name, wanted)}


def checked_cast(operand: Compiled, type_: t.ElmType) -> Compiled:
    """Return the operand's value if it is of the type, an element of FHIR as its bare JSON."""
    test = tester(type_)
    bare = is_element_type(type_)

    def cast(value: Value) -> Value:
        if not test(value):
            return None
        return value.raw if bare and value.__class__ is Typed else value

    return strict(cast, type_, operand)


def cast_list(operand: Compiled, type_: t.ListOf) -> Run:
    """Return what casts each element of a list."""
    current: list[Value] = [None]
    element = cast_to(Compiled(lambda _: current[0], t.element_of(operand.type)), type_.element).run
    run = operand.run

    def cast(f: Frame) -> Value:
        values = run(f)
        if values.__class__ is not list:
            return None
        result = []
        for value in values:
            current[0] = value
            result.append(element(f))
        return result

    return cast


def compile_is(scope: Scope, node: Node) -> Compiled:
    """Compile a type test; null is of no type."""
    operand = scope.compile(node["operand"])
    type_ = target_type(scope, node, "is")
    if t.is_open(operand.type) or operand.type == t.NULL or is_resource_type(operand.type):
        names = narrowed_names(operand, type_)
        if names is not None:
            cast = cast_to(operand, type_)
            return lenient(lambda value: value is not None, t.BOOLEAN, cast)
        test = tester(type_)
        return lenient(lambda value: value is not None and test(value), t.BOOLEAN, operand)
    fits = static_fit(operand.type, type_)
    return lenient(lambda value: fits and value is not None, t.BOOLEAN, operand)


def static_fit(source: t.ElmType, type_: t.ElmType) -> bool:
    """Return whether every value of one closed type is of another type."""
    if isinstance(type_, t.ChoiceOf):
        return any(static_fit(source, option) for option in type_.options)
    if isinstance(source, str) and isinstance(type_, str) and source.startswith("FHIR."):
        return is_a(source.removeprefix("FHIR."), type_.removeprefix("FHIR."))
    if isinstance(source, t.ListOf) and isinstance(type_, t.ListOf):
        return static_fit(source.element, type_.element)
    return type_ in (source, t.ANY)


NODES = {
    "As": compile_as,
    "Is": compile_is,
}
