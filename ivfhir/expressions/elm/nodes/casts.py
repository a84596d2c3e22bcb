"""As, Is: casts and type tests.

FHIR's choice elements are cast most often, so a cast straight from the element reads only the JSON
name of the wanted type (`(O.value as FHIR.Quantity)` reads `valueQuantity`).
"""

from collections.abc import Callable
from dataclasses import replace

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import coerced, lenient, strict
from ivfhir.expressions.elm.code import UNSET, Expression, RefusedError, Writer, constant, of_slot
from ivfhir.expressions.elm.readers import narrowed_reader
from ivfhir.expressions.elm.scope import Node, Scope
from ivfhir.expressions.elm.type_tests import (
    is_element_type,
    is_resource_type,
    static_fit,
    tester,
)
from ivfhir.expressions.fhir_model import find_element, is_a, json_names
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.values import Typed
from ivfhir.expressions.values.value import Value


def target_type(node: Node, word: str) -> t.ElmType:
    """Return the type that an As, Is or Convert node names.

    Raises:
        RefusedError: it names none.
    """
    if f"{word}TypeSpecifier" in node:
        return t.from_specifier(node[f"{word}TypeSpecifier"])
    if f"{word}Type" not in node:
        raise RefusedError("a type is missing")
    return t.named(node[f"{word}Type"])


def compile_as(scope: Scope, node: Node) -> Expression:
    """Compile a cast."""
    operand = scope.compile(node["operand"])
    cast = cast_to(scope, operand, target_type(node, "as"))
    return strictly(cast, operand) if node.get("strict") else cast


def strictly(cast: Expression, operand: Expression) -> Expression:
    """Return a cast that is a run-time error where the value is of another type."""

    def text(m: Writer) -> str:
        v = m.temporary()
        otherwise = f"{m.name(mistyped)}({m.value(operand)})"
        return f"({v} if ({v} := {m.value(cast)}) is not None else {otherwise})"

    return Expression(cast.type, text)


def mistyped(value: Value) -> None:
    """Return null for null.

    Raises:
        CqlError: the value is not null, and so not of the type of a cast.
    """
    if value is not None:
        raise CqlError("cast: the value is not of that type")


def cast_to(scope: Scope, operand: Expression, type_: t.ElmType) -> Expression:
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
    return cast_structure(scope, operand, type_)


def narrowed(parent: Expression, names: dict[str, str], type_: t.ElmType) -> Expression:
    """Return what reads a choice element of `parent` where its JSON name is one of those given."""
    cast = lenient(narrowed_reader(names), type_, parent)
    return replace(cast, parent=parent, path=next(iter(names))) if len(names) == 1 else cast


def cast_structure(scope: Scope, operand: Expression, type_: t.ElmType) -> Expression:
    """Return what casts a list, a tuple, an interval, or a value that tells its own type."""
    source = operand.type
    if isinstance(source, t.ListOf) and isinstance(type_, t.ListOf):
        return cast_list(scope, operand, source.element, type_)
    if isinstance(source, t.TupleOf | t.IntervalOf):
        same = source.__class__ is type_.__class__
        return replace(operand, type=type_) if same else constant(None, type_)
    return checked_cast(operand, type_)


def cast_element(operand: Expression, source: str, type_: str) -> Expression:
    """Return an element as a type that it is derived from, null for an unrelated type."""
    a, b = source.removeprefix("FHIR."), type_.removeprefix("FHIR.")
    return replace(operand, type=type_) if is_a(a, b) or is_a(b, a) else constant(None, type_)


def narrowed_names(operand: Expression, type_: t.ElmType) -> dict[str, str] | None:
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


def checked_cast(operand: Expression, type_: t.ElmType) -> Expression:
    """Return the operand's value if it is of the type, an element of FHIR as its bare JSON."""
    test = tester(type_)
    bare = is_element_type(type_)

    def cast(value: Value) -> Value:
        if not test(value):
            return None
        return value.raw if bare and value.__class__ is Typed else value

    return strict(cast, type_, operand)


def cast_list(scope: Scope, operand: Expression, element: t.ElmType, type_: t.ListOf) -> Expression:
    """Return what casts each element of a list."""
    slot = scope.unnamed()
    cast = cast_to(scope, of_slot(slot, element), type_.element)

    def text(m: Writer) -> str:
        return f"{m.name(each)}({m.given(slot, cast)}, {m.value(operand)})"

    return Expression(type_, text)


def each(cast: Callable[[Value], Value], values: Value) -> list[Value] | None:
    """Return each element cast, None for what is no list."""
    return [cast(value) for value in values] if values.__class__ is list else None


def compile_is(scope: Scope, node: Node) -> Expression:
    """Compile a type test; null is of no type."""
    operand = scope.compile(node["operand"])
    type_ = target_type(node, "is")
    if t.is_open(operand.type) or operand.type == t.NULL or is_resource_type(operand.type):
        names = narrowed_names(operand, type_)
        if names is not None:
            return known(cast_to(scope, operand, type_))
        test = tester(type_)
        return lenient(lambda value: value is not None and test(value), t.BOOLEAN, operand)
    if static_fit(operand.type, type_):
        return known(operand)
    return lenient(lambda _: False, t.BOOLEAN, operand)


def known(part: Expression) -> Expression:
    """Return whether a value is not null."""
    if part.constant is not UNSET:
        return constant(part.constant is not None, t.BOOLEAN)

    def text(m: Writer) -> str:
        return f"({m.value(part)} is not None)"

    return Expression(t.BOOLEAN, text, truth=text)
