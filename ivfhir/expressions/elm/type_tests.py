"""Whether a value is of a type, asked when a library runs."""

from collections.abc import Callable
from decimal import Decimal

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.fhir_model import is_a
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


def static_fit(source: t.ElmType, type_: t.ElmType) -> bool:
    """Return whether every value of one closed type is of another type."""
    if isinstance(type_, t.ChoiceOf):
        return any(static_fit(source, option) for option in type_.options)
    if isinstance(source, str) and isinstance(type_, str) and source.startswith("FHIR."):
        return is_a(source.removeprefix("FHIR."), type_.removeprefix("FHIR."))
    if isinstance(source, t.ListOf) and isinstance(type_, t.ListOf):
        return static_fit(source.element, type_.element)
    return type_ in (source, t.ANY)
