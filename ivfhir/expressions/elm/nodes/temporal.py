"""Dates, times and ages."""

from collections.abc import Callable

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import one, strict
from ivfhir.expressions.elm.fusion import Fusion
from ivfhir.expressions.elm.fusion import strict as strict_text
from ivfhir.expressions.elm.scope import CLOCK, Compiled, Frame, Node, Scope
from ivfhir.expressions.operators import arithmetic, dates
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.values import Date, DateTime, Quantity
from ivfhir.expressions.values.dates import HOUR, PRECISIONS, YEAR, Partial
from ivfhir.expressions.values.value import Value

PARTIAL = frozenset({t.DATE, t.DATE_TIME, t.TIME})
BETWEEN = {"DurationBetween": dates.duration_between, "DifferenceBetween": dates.difference_between}


def compile_add(scope: Scope, node: Node) -> Compiled:
    """Compile `+` of numbers, quantities, or a date and a quantity of time."""
    a, b = scope.compile_all(node["operand"])
    if a.type in PARTIAL:
        return strict(dates.plus, a.type, a, b)
    if a.type == t.INTEGER:
        return strict(arithmetic.add_integers, a.type, a, b)
    if a.type == b.type == t.DECIMAL:
        return strict(arithmetic.add_decimals, a.type, a, b)
    general = add if a.type in (t.ANY, t.NULL) else arithmetic.add
    return strict(general, a.type, a, b)


def compile_subtract(scope: Scope, node: Node) -> Compiled:
    """Compile `-` of numbers, quantities, or a date and a quantity of time."""
    a, b = scope.compile_all(node["operand"])
    if a.type in PARTIAL:
        return strict(minus, a.type, a, b)
    if a.type == t.INTEGER:
        return strict(arithmetic.subtract_integers, a.type, a, b)
    if a.type == b.type == t.DECIMAL:
        return strict(arithmetic.subtract_decimals, a.type, a, b)
    return strict(arithmetic.subtract, a.type, a, b)


def add(a: Value, b: Value) -> Value:
    """Return the sum of operands whose types are known only now."""
    return dates.plus(a, b) if isinstance(a, Partial) else arithmetic.add(a, b)


def minus(value: Partial, quantity: Quantity) -> Partial | None:
    """Return the date moved back."""
    return dates.plus(value, quantity, -1)


def compile_between(scope: Scope, node: Node) -> Compiled:
    """Compile `duration in P between` and `difference in P between`."""
    a, b = scope.compile_all(node["operand"])
    if node["precision"] == "Day" and a.type == b.type == t.DATE:
        return strict(dates.days_between, t.INTEGER, a, b)
    return between(a, b, node["type"], node["precision"])


def between(a: Compiled, b: Compiled, operator: str, precision: str) -> Compiled:
    """Return what counts periods or boundaries between two dates."""
    function: Callable[[Partial, Partial, str], Value] = BETWEEN[operator]
    return strict(lambda x, y: function(x, y, precision), t.INTEGER, a, b)


def compile_age_at(scope: Scope, node: Node) -> Compiled:
    """Compile the age at a date: the duration since birth."""
    a, b = scope.compile_all(node["operand"])
    return between(a, b, "DurationBetween", node["precision"])


def compile_component(scope: Scope, node: Node) -> Compiled:
    """Compile `P from date`."""
    operand = scope.compile(node["operand"])
    run = operand.run
    index = PRECISIONS[node["precision"]] - (HOUR if operand.type == t.TIME else YEAR)

    def component(f: Frame) -> int | None:
        value = run(f)
        if value is None:
            return None
        return part_of(value, index)

    if index < 0:
        return Compiled(component, t.INTEGER)
    parts = f".parts[{index}]"

    def text(_: Fusion, v: list[str]) -> str:
        return f"({v[0]}{parts} if len({v[0]}.parts) > {index} else None)"

    return Compiled(component, t.INTEGER, emit=strict_text(text, operand))


def part_of(value: Partial, index: int) -> int | None:
    """Return one component, None when the value is not that precise."""
    parts = value.parts
    return parts[index] if 0 <= index < len(parts) else None


FROM: dict[str, tuple[Callable[[Value], Value], t.ElmType]] = {
    "DateFrom": (dates.date_from, t.DATE),
    "TimeFrom": (dates.time_from, t.TIME),
    "TimezoneOffsetFrom": (dates.offset_from, t.DECIMAL),
    "TimezoneFrom": (dates.offset_from, t.DECIMAL),
}


def compile_from(scope: Scope, node: Node) -> Compiled:
    """Compile `date from`, `time from` and `timezoneoffset from`."""
    function, type_ = FROM[node["type"]]
    operand = scope.compile(node["operand"])
    if node["type"] == "DateFrom" and operand.type == t.DATE_TIME:
        run = one(DateTime.date, operand.run)
        return Compiled(run, type_, emit=strict_text(lambda _, v: f"{v[0]}.date()", operand))
    return strict(function, type_, operand)


def compile_now(_: Scope, node: Node) -> Compiled:
    """Compile `Now()`, `Today()` and `TimeOfDay()`: the instant the evaluation was asked for."""
    function = {"Now": lambda m: m, "Today": DateTime.date, "TimeOfDay": dates.time_from}[
        node["type"]
    ]
    type_ = {"Now": t.DATE_TIME, "Today": t.DATE, "TimeOfDay": t.TIME}[node["type"]]

    def now(f: Frame) -> Value:
        moment = f[0][CLOCK]
        if moment is None:
            raise CqlError(f"{node['type']}: the evaluation has no instant (give AsOf)")
        return function(moment)

    return Compiled(now, type_)


def compile_age(scope: Scope, node: Node) -> Compiled:
    """Compile the age now."""
    run, precision = scope.compile(node["operand"]).run, node["precision"]

    def age(f: Frame) -> Value:
        birth, now = run(f), f[0][CLOCK]
        if birth is None or now is None:
            return None
        at = now.date() if isinstance(birth, Date) else now
        return dates.duration_between(birth, at, precision)

    return Compiled(age, t.INTEGER)


NODES = {
    "Add": compile_add,
    "Subtract": compile_subtract,
    **dict.fromkeys(BETWEEN, compile_between),
    "CalculateAgeAt": compile_age_at,
    "CalculateAge": compile_age,
    "DateTimeComponentFrom": compile_component,
    **dict.fromkeys(FROM, compile_from),
    **dict.fromkeys(("Now", "Today", "TimeOfDay"), compile_now),
}
