"""Literals and constructors: numbers, dates, lists, tuples, intervals, codes."""

from collections.abc import Callable
from decimal import Decimal

from ivfhir.expressions.elm import shapes
from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import coerced, foldable, lenient, of_memory
from ivfhir.expressions.elm.code import OFFSET, UNSET, Expression, Memory, Text, Writer, constant
from ivfhir.expressions.elm.scope import Node, Scope
from ivfhir.expressions.operators.boundaries import MAX_INTEGER, MAX_LONG
from ivfhir.expressions.operators.dates import build
from ivfhir.expressions.operators.logical import Truth
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
    ValueSet,
)
from ivfhir.expressions.values.value import Value

DATE_PARTS = ("year", "month", "day")
TIME_PARTS = ("hour", "minute", "second", "millisecond")
LITERALS: dict[t.ElmType, Callable[[str], Value]] = {
    t.BOOLEAN: lambda text: text == "true",
    t.INTEGER: int,
    t.LONG: lambda text: int(text.removesuffix("L")),
    t.DECIMAL: Decimal,
    t.STRING: str,
}


LIMITS = {t.INTEGER: MAX_INTEGER + 1, t.LONG: MAX_LONG + 1}
"""The greatest literals: one more than the greatest number, for the least is its negation."""


def compile_literal(scope: Scope, node: Node) -> Expression:
    """Compile a literal of a simple type."""
    type_ = t.named(node["valueType"])
    if type_ not in LITERALS:
        scope.refuse(node, f"literal of type {type_} is not supported")
    value = LITERALS[type_](node.get("value", ""))
    if type_ in LIMITS and value > LIMITS[type_]:
        scope.refuse(node, f"{value} does not fit {type_}")
    return constant(value, type_)


def compile_null(_: Scope, node: Node) -> Expression:
    """Compile the literal null."""
    del node
    return constant(None, t.NULL)


def compile_quantity(_: Scope, node: Node) -> Expression:
    """Compile a quantity literal."""
    value = node.get("value")
    number = None if value is None else Decimal(str(value))
    return constant(Quantity(number, node.get("unit", "1")), t.QUANTITY)


def compile_ratio(scope: Scope, node: Node) -> Expression:
    """Compile a ratio literal."""
    parts = [compile_quantity(scope, node[name]).constant for name in ("numerator", "denominator")]
    return constant(Ratio(*parts), t.RATIO)


def compile_date(scope: Scope, node: Node) -> Expression:
    """Compile the constructor of a Date."""
    return foldable(date_of, t.DATE, *present(scope, node, DATE_PARTS))


def compile_date_time(scope: Scope, node: Node) -> Expression:
    """Compile the constructor of a DateTime; without an offset it has that of the evaluation."""
    zone = node.get("timezoneOffset")
    hours = scope.compile(zone) if zone else constant(None, t.NULL)
    parts = present(scope, node, DATE_PARTS + TIME_PARTS)
    return of_memory(date_time_of, t.DATE_TIME, hours, *parts)


def compile_time(scope: Scope, node: Node) -> Expression:
    """Compile the constructor of a Time."""
    return foldable(time_of, t.TIME, *present(scope, node, TIME_PARTS))


def present(scope: Scope, node: Node, names: tuple[str, ...]) -> list[Expression]:
    """Return the parts that a node has."""
    return [scope.compile(node[name]) for name in names if name in node]


def date_of(*parts: int | None) -> Date | None:
    """Return the Date of its parts."""
    known = build(list(parts), "Date")
    return None if known is None else Date(known)


def date_time_of(memory: Memory, hours: Value, *parts: int | None) -> DateTime | None:
    """Return the DateTime of its parts."""
    known = build(list(parts), "DateTime")
    offset = memory[OFFSET] if hours is None else int(hours * 60)
    return None if known is None else DateTime(known, offset)


def time_of(*parts: int | None) -> Time | None:
    """Return the Time of its parts."""
    known = build([1, 1, 1, *parts], "Time")
    return None if known is None or len(known) == len(DATE_PARTS) else Time(known[3:])


def compile_list(scope: Scope, node: Node) -> Expression:
    """Compile a list; elements of several types tell their own type."""
    parts = scope.compile_all(node.get("element", []))
    element = t.from_specifier(node["typeSpecifier"]) if "typeSpecifier" in node else None
    if element is None or isinstance(element, t.ListOf):
        element = element.element if element else t.choice(part.type for part in parts)
    return list_of([coerced(part, element) for part in parts], element)


def list_of(parts: list[Expression], element: t.ElmType) -> Expression:
    """Return the list of some elements."""
    if all(part.constant is not UNSET for part in parts):
        return constant([part.constant for part in parts], t.ListOf(element))
    return Expression(
        t.ListOf(element),
        lambda m: f"[{', '.join(map(m.value, parts))}]",
        shape=shapes.listed(shapes.any_of(part.shape for part in parts)),
        flat=flat_of(parts) if all(isinstance(part.type, t.ListOf) for part in parts) else None,
    )


def flat_of(parts: list[Expression]) -> Text:
    """Return the text of the elements of some lists in one."""
    return lambda m: f"[{', '.join(f'*{elements_of_list(m, part)}' for part in parts)}]"


def elements_of_list(m: Writer, part: Expression) -> str:
    """Return text that goes through a list; through nothing where it is null."""
    if part.constant is not UNSET:
        return m.literal(part.constant) if part.constant else "()"
    return m.value(part) if part.shape.known else f"({m.value(part)} or ())"


def compile_tuple(scope: Scope, node: Node) -> Expression:
    """Compile a tuple."""
    return tuple_of(elements_of(scope, node))


def elements_of(scope: Scope, node: Node) -> dict[str, Expression]:
    """Return the elements of a Tuple or Instance by name."""
    return {each["name"]: scope.compile(each["value"]) for each in node.get("element", [])}


def tuple_of(parts: dict[str, Expression]) -> Expression:
    """Return the tuple of some elements."""
    type_ = t.tuple_of({name: part.type for name, part in parts.items()})
    if all(part.constant is not UNSET for part in parts.values()):
        return constant({name: part.constant for name, part in parts.items()}, type_)

    def text(m: Writer) -> str:
        return f"{{{', '.join(f'{name!r}: {m.value(part)}' for name, part in parts.items())}}}"

    shape = shapes.tuple_of({name: part.shape for name, part in parts.items()})
    return Expression(type_, text, shape=shape)


def compile_interval(scope: Scope, node: Node) -> Expression:
    """Compile the constructor of an interval.

    A bound of an interval is null when both bounds are null and open, and at least one type is
    known.
    """
    low = scope.compile(node["low"]) if "low" in node else constant(None, t.NULL)
    high = scope.compile(node["high"]) if "high" in node else constant(None, t.NULL)
    low_closed = closedness(scope, node, "low")
    high_closed = closedness(scope, node, "high")
    return interval_of(low, high, low_closed, high_closed)


def interval_of(
    low: Expression, high: Expression, low_closed: Expression, high_closed: Expression
) -> Expression:
    """Return the interval between two bounds."""
    point = t.choice([low.type, high.type])
    point_name = point if isinstance(point, str) else None

    def made(a: Value, b: Value, closed_a: Truth, closed_b: Truth) -> Interval | None:
        if closed_a is None or closed_b is None or (a is b is None and not (closed_a or closed_b)):
            return None
        return Interval(a, b, closed_a, closed_b, point_name)

    return foldable(made, t.IntervalOf(point), low, high, low_closed, high_closed)


def closedness(scope: Scope, node: Node, side: str) -> Expression:
    """Return whether a bound of an interval is closed."""
    if f"{side}ClosedExpression" in node:
        return scope.compile(node[f"{side}ClosedExpression"])
    return constant(node.get(f"{side}Closed", True), t.BOOLEAN)


def compile_instance(scope: Scope, node: Node) -> Expression:
    """Compile an instance of a class.

    One of CQL's own structures, or an element of FHIR as JSON.
    """
    type_ = t.named(node["classType"])
    parts = elements_of(scope, node)
    if not type_.startswith("FHIR."):
        if type_ not in BUILDERS:
            scope.refuse(node, f"instance of {type_} is not supported")
        return lenient(BUILDERS[type_], type_, tuple_of(parts))
    if list(parts) == ["value"] and type_.removeprefix("FHIR.")[0].islower():
        return lenient(raw_value, type_, parts["value"])
    return lenient(fhir_json, type_, tuple_of(parts))


def fhir_json(elements: dict[str, Value]) -> dict[str, Value]:
    """Return the JSON of a FHIR element with these elements."""
    return {name: raw_value(value) for name, value in elements.items() if value is not None}


def raw_value(value: Value) -> Value:
    """Return a CQL value as FHIR JSON has it."""
    return str(value) if isinstance(value, Date | DateTime | Time) else value


BUILDERS: dict[str, Callable[[dict[str, Value]], Value]] = {
    t.QUANTITY: lambda parts: Quantity(parts.get("value"), parts.get("unit") or "1"),
    t.RATIO: lambda parts: Ratio(parts.get("numerator"), parts.get("denominator")),
    t.VALUE_SET: lambda p: ValueSet(p.get("id"), p.get("version")),
    t.CODE_SYSTEM: lambda p: CodeSystem(p.get("id"), p.get("version")),
    t.CODE: lambda p: Code(p.get("code"), p.get("system"), p.get("version"), p.get("display")),
    t.CONCEPT: lambda p: Concept(tuple(p.get("codes") or ()), p.get("display")),
}
