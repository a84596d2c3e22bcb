"""Literals and constructors: numbers, dates, lists, tuples, intervals, codes."""

from collections.abc import Callable
from decimal import Decimal

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import lenient, of_memory
from ivfhir.expressions.elm.fusion import Fusion
from ivfhir.expressions.elm.scope import OFFSET, UNSET, Compiled, Frame, Node, Run, Scope, constant
from ivfhir.expressions.operators.boundaries import MAX_INTEGER, MAX_LONG
from ivfhir.expressions.operators.dates import build
from ivfhir.expressions.operators.errors import CqlError
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


def compile_literal(scope: Scope, node: Node) -> Compiled:
    """Compile a literal of a simple type."""
    type_ = t.named(node["valueType"])
    if type_ not in LITERALS:
        scope.refuse(node, f"literal of type {type_} is not supported")
    value = LITERALS[type_](node.get("value", ""))
    if type_ in LIMITS and value > LIMITS[type_]:
        scope.refuse(node, f"{value} does not fit {type_}")
    return constant(value, type_)


def compile_null(_: Scope, node: Node) -> Compiled:
    """Compile the literal null."""
    del node
    return constant(None, t.NULL)


def compile_quantity(_: Scope, node: Node) -> Compiled:
    """Compile a quantity literal."""
    value = node.get("value")
    number = None if value is None else Decimal(str(value))
    return constant(Quantity(number, node.get("unit", "1")), t.QUANTITY)


def compile_ratio(scope: Scope, node: Node) -> Compiled:
    """Compile a ratio literal."""
    parts = [compile_quantity(scope, node[name]).constant for name in ("numerator", "denominator")]
    return constant(Ratio(*parts), t.RATIO)


def folded(compiled: Compiled, parts: list[Compiled]) -> Compiled:
    """Return a constant when all parts are constants, the expression as it is otherwise."""
    if any(part.constant is UNSET for part in parts):
        return compiled
    try:
        return constant(compiled.run([]), compiled.type)
    except CqlError:
        return compiled


def compile_date(scope: Scope, node: Node) -> Compiled:
    """Compile the constructor of a Date."""
    parts = [scope.compile(node[name]) for name in DATE_PARTS if name in node]
    runs = [part.run for part in parts]

    def run(f: Frame) -> Date | None:
        known = build([part(f) for part in runs], "Date")
        return None if known is None else Date(known)

    return folded(Compiled(run, t.DATE), parts)


def compile_date_time(scope: Scope, node: Node) -> Compiled:
    """Compile the constructor of a DateTime; without an offset it has that of the evaluation."""
    parts = [scope.compile(node[name]) for name in DATE_PARTS + TIME_PARTS if name in node]
    zone = node.get("timezoneOffset")
    hours = scope.compile(zone) if zone else constant(None, t.NULL)

    def made(memory: list[Value], hours: Value, *values: int | None) -> DateTime | None:
        known = build(list(values), "DateTime")
        offset = memory[OFFSET] if hours is None else int(hours * 60)
        return None if known is None else DateTime(known, offset)

    return of_memory(made, t.DATE_TIME, hours, *parts)


def compile_time(scope: Scope, node: Node) -> Compiled:
    """Compile the constructor of a Time."""
    parts = [scope.compile(node[name]) for name in TIME_PARTS if name in node]
    runs = [part.run for part in parts]

    def run(f: Frame) -> Time | None:
        known = build([1, 1, 1, *(part(f) for part in runs)], "Time")
        return None if known is None or len(known) == len(DATE_PARTS) else Time(known[3:])

    return folded(Compiled(run, t.TIME), parts)


def compile_list(scope: Scope, node: Node) -> Compiled:
    """Compile a list; elements of several types tell their own type."""
    parts = scope.compile_all(node.get("element", []))
    element = t.from_specifier(node["typeSpecifier"]) if "typeSpecifier" in node else None
    if element is None or isinstance(element, t.ListOf):
        element = element.element if element else t.choice(part.type for part in parts)
    parts = [coerced(part, element) for part in parts]
    runs = [part.run for part in parts]

    def emit(m: Fusion) -> str:
        return f"[{', '.join(map(m.value, parts))}]"

    made = Compiled(lambda f: [run(f) for run in runs], t.ListOf(element), emit=emit)
    return folded(made, parts)


def coerced(part: Compiled, target: t.ElmType) -> Compiled:
    """Return the expression with values that tell their own type where the target type is open."""
    wrap = t.wrapper(part.type, target)
    if wrap is None:
        return part
    run, wrapping = part.run, wrap

    def emit(m: Fusion) -> str:
        return f"{m.name(wrapping)}({m.value(part)})"

    return Compiled(lambda f: wrapping(run(f)), target, emit=emit)


def compile_tuple(scope: Scope, node: Node) -> Compiled:
    """Compile a tuple."""
    names = [element["name"] for element in node.get("element", [])]
    parts = [scope.compile(element["value"]) for element in node.get("element", [])]
    type_ = t.tuple_of({name: part.type for name, part in zip(names, parts, strict=True)})
    fixed = {name: part.constant for name, part in zip(names, parts, strict=True)}
    varying = [(n, p.run) for n, p in zip(names, parts, strict=True) if p.constant is UNSET]

    def run(f: Frame) -> dict[str, Value]:
        made = fixed.copy()
        for name, part in varying:
            made[name] = part(f)
        return made

    def emit(m: Fusion) -> str:
        texts = [f"{name!r}: {m.value(part)}" for name, part in zip(names, parts, strict=True)]
        return f"{{{', '.join(texts)}}}"

    return folded(Compiled(run, type_, emit=emit), parts)


def compile_interval(scope: Scope, node: Node) -> Compiled:
    """Compile the constructor of an interval.

    A bound of an interval is null when both bounds are null and open, and at least one type is
    known.
    """
    low = scope.compile(node["low"]) if "low" in node else constant(None, t.NULL)
    high = scope.compile(node["high"]) if "high" in node else constant(None, t.NULL)
    point = t.choice([low.type, high.type])
    point_name = point if isinstance(point, str) else None
    low_closed = closedness(scope, node, "low")
    high_closed = closedness(scope, node, "high")

    def made(a: Value, b: Value, closed_a: Truth, closed_b: Truth) -> Interval | None:
        if closed_a is None or closed_b is None or (a is b is None and not (closed_a or closed_b)):
            return None
        return Interval(a, b, closed_a, closed_b, point_name)

    parts = [low, high, low_closed, high_closed]
    return folded(lenient(made, t.IntervalOf(point), *parts), parts)


def closedness(scope: Scope, node: Node, side: str) -> Compiled:
    """Return whether a bound of an interval is closed."""
    if f"{side}ClosedExpression" in node:
        return scope.compile(node[f"{side}ClosedExpression"])
    return constant(node.get(f"{side}Closed", True), t.BOOLEAN)


def compile_instance(scope: Scope, node: Node) -> Compiled:
    """Compile an instance of a class.

    One of CQL's own structures, or an element of FHIR as JSON.
    """
    type_ = t.named(node["classType"])
    parts = {e["name"]: scope.compile(e["value"]).run for e in node.get("element", [])}
    if type_.startswith("FHIR."):
        return Compiled(fhir_instance(type_, parts), type_)
    builder = BUILDERS.get(type_)
    if builder is None:
        scope.refuse(node, f"instance of {type_} is not supported")
    return Compiled(lambda f: builder({name: run(f) for name, run in parts.items()}), type_)


def fhir_instance(type_: str, parts: dict[str, Run]) -> Run:
    """Return what makes the JSON of a FHIR element; a primitive is its value."""
    if list(parts) == ["value"] and type_.removeprefix("FHIR.")[0].islower():
        value = parts["value"]
        return lambda f: raw_value(value(f))

    def run(f: Frame) -> dict[str, Value]:
        made = {name: raw_value(part(f)) for name, part in parts.items()}
        return {name: value for name, value in made.items() if value is not None}

    return run


def raw_value(value: Value) -> Value:
    """Return a CQL value as FHIR JSON has it."""
    return str(value) if isinstance(value, Date | DateTime | Time) else value


def quantity_of(parts: dict[str, Value]) -> Quantity:
    """Return the quantity with these elements."""
    return Quantity(parts.get("value"), parts.get("unit") or "1")


BUILDERS: dict[str, Callable[[dict[str, Value]], Value]] = {
    t.QUANTITY: quantity_of,
    t.RATIO: lambda parts: Ratio(parts.get("numerator"), parts.get("denominator")),
    t.VALUE_SET: lambda p: ValueSet(p.get("id"), p.get("version")),
    t.CODE_SYSTEM: lambda p: CodeSystem(p.get("id"), p.get("version")),
    t.CODE: lambda p: Code(p.get("code"), p.get("system"), p.get("version"), p.get("display")),
    t.CONCEPT: lambda p: Concept(tuple(p.get("codes") or ()), p.get("display")),
}

NODES = {
    "Literal": compile_literal,
    "Null": compile_null,
    "Quantity": compile_quantity,
    "Ratio": compile_ratio,
    "Date": compile_date,
    "DateTime": compile_date_time,
    "Time": compile_time,
    "List": compile_list,
    "Tuple": compile_tuple,
    "Interval": compile_interval,
    "Instance": compile_instance,
}
