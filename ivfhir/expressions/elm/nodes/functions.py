"""Operators that are one function of their operands.

Arithmetic, strings, aggregates and small list operators.

Each is null when an operand is null, save those in `LENIENT`, which say for themselves.
"""

import operator
from collections.abc import Callable

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import lenient, strict, strict_run
from ivfhir.expressions.elm.fusion import Fusion, operation
from ivfhir.expressions.elm.scope import Compiled, Frame, Node, Scope
from ivfhir.expressions.operators import aggregates, arithmetic, boundaries, lists, logical, strings
from ivfhir.expressions.operators.dates import DAY_DIGITS, boundary, digits_of
from ivfhir.expressions.operators.numbers import decimal_boundary, decimal_digits
from ivfhir.expressions.values import Date
from ivfhir.expressions.values.dates import DAY, Partial
from ivfhir.expressions.values.value import Value

MANY = 3
TypeRule = Callable[[list[t.ElmType]], t.ElmType]
Function = Callable[..., Value]


def same(types: list[t.ElmType]) -> t.ElmType:
    """The result has the type of the first operand."""
    return types[0]


def element(types: list[t.ElmType]) -> t.ElmType:
    """The result is an element of the first operand."""
    return t.element_of(types[0])


def indexed(types: list[t.ElmType]) -> t.ElmType:
    """The result is a character of a string or an element of a list."""
    return t.STRING if types[0] == t.STRING else t.element_of(types[0])


def always(type_: t.ElmType) -> TypeRule:
    """Return the rule that a result always has one type."""
    return lambda _: type_


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


def item(value: Value, index: int) -> Value:
    """Return a character or element, None outside."""
    return (strings.character_at if isinstance(value, str) else lists.element_at)(value, index)


def precision_of(value: Value) -> int:
    """Return how many digits a value has."""
    return digits_of(value) if isinstance(value, Partial) else decimal_digits(value)


def boundary_of(value: Value, digits: int | None, *, last: bool) -> Value:
    """Return the least or greatest value that a less precise one can mean."""
    if isinstance(value, Partial):
        return boundary(value, digits, last=last)
    return decimal_boundary(value, digits, last=last)


STRICT: dict[str, tuple[Function, TypeRule]] = {
    "Multiply": (arithmetic.multiply, product),
    "Divide": (arithmetic.divide, quotient),
    "TruncatedDivide": (arithmetic.truncated_divide, same),
    "Modulo": (arithmetic.modulo, same),
    "Power": (arithmetic.power, same),
    "Log": (arithmetic.log, always(t.DECIMAL)),
    "Ln": (arithmetic.ln, always(t.DECIMAL)),
    "Exp": (arithmetic.exp, always(t.DECIMAL)),
    "Abs": (arithmetic.absolute, same),
    "Negate": (arithmetic.negate, same),
    "Ceiling": (arithmetic.ceiling, always(t.INTEGER)),
    "Floor": (arithmetic.floor, always(t.INTEGER)),
    "Truncate": (arithmetic.truncate, always(t.INTEGER)),
    "Successor": (boundaries.successor, same),
    "Predecessor": (boundaries.predecessor, same),
    "Precision": (precision_of, always(t.INTEGER)),
    "Lower": (str.lower, always(t.STRING)),
    "Upper": (str.upper, always(t.STRING)),
    "StartsWith": (strings.starts_with, always(t.BOOLEAN)),
    "EndsWith": (strings.ends_with, always(t.BOOLEAN)),
    "Matches": (strings.matches, always(t.BOOLEAN)),
    "ReplaceMatches": (strings.replace_matches, always(t.STRING)),
    "SplitOnMatches": (strings.split_on_matches, always(t.ListOf(t.STRING))),
    "ToChars": (list, always(t.ListOf(t.STRING))),
    "Indexer": (item, indexed),
    "Flatten": (lists.flatten, flattened),
    "Distinct": (lists.distinct, same),
    "SingletonFrom": (lists.singleton, element),
}

INTEGERS: dict[str, Function] = {
    "Multiply": arithmetic.multiply_integers,
    "Power": arithmetic.fitting_integer(arithmetic.power),
    "Negate": arithmetic.fitting_integer(arithmetic.negate),
    "Abs": arithmetic.fitting_integer(arithmetic.absolute),
    "TruncatedDivide": arithmetic.fitting_integer(arithmetic.truncated_divide),
}
"""Operators of Integers whose result may not fit one."""

DECIMALS: dict[str, Function] = {
    "Multiply": arithmetic.multiply_decimals,
    "Divide": arithmetic.divide_decimals,
}
"""Operators of Decimals that need not ask what their operands are."""

LENIENT: dict[str, tuple[Function, TypeRule]] = {
    "Concatenate": (lambda *parts: strings.concatenate(list(parts)), always(t.STRING)),
    "AllTrue": (logical.all_true, always(t.BOOLEAN)),
    "AnyTrue": (logical.any_true, always(t.BOOLEAN)),
    "Count": (aggregates.count, always(t.INTEGER)),
}

NAMED: dict[str, tuple[tuple[str, ...], tuple[str, ...], Function, TypeRule]] = {
    "Last": (("source",), (), lambda v: v[-1] if v else None, element),
    "IndexOf": (("source", "element"), (), lists.index_of, always(t.INTEGER)),
    "Slice": (("source",), ("startIndex", "endIndex"), lists.slice_, same),
    "Combine": (("source",), ("separator",), strings.combine, always(t.STRING)),
    "Split": (("stringToSplit",), ("separator",), strings.split, always(t.ListOf(t.STRING))),
    "Substring": (("stringToSub", "startIndex"), ("length",), strings.substring, always(t.STRING)),
    "PositionOf": (("pattern", "string"), (), strings.position_of, always(t.INTEGER)),
    "LastPositionOf": (("pattern", "string"), (), strings.last_position_of, always(t.INTEGER)),
    "Round": (("operand",), ("precision",), arithmetic.round_, always(t.DECIMAL)),
}
"""Operators with named operands.

The needed ones, the ones that may be absent or null, and the function.
"""


def compile_strict(scope: Scope, node: Node) -> Compiled:
    """Compile an operator that is null when an operand is."""
    parts = operands(scope, node)
    function, rule = STRICT[node["type"]]
    type_ = rule([part.type for part in parts])
    if type_ == t.INTEGER:
        function = INTEGERS.get(node["type"], function)
    elif all(part.type == t.DECIMAL for part in parts):
        function = DECIMALS.get(node["type"], function)
    return strict(function, type_, *parts)


def compile_lenient(scope: Scope, node: Node) -> Compiled:
    """Compile an operator whose function takes nulls."""
    parts = operands(scope, node)
    if node["type"] == "Concatenate" and len(parts) < MANY:
        text = operation("+", *parts)
        return Compiled(strict_run(operator.add, tuple(parts)), t.STRING, emit=text)
    function, rule = LENIENT[node["type"]]
    return lenient(function, rule([part.type for part in parts]), *parts)


def operands(scope: Scope, node: Node) -> list[Compiled]:
    """Return the compiled operands, whether the node has one, several or a source."""
    found = node["operand"] if "operand" in node else node["source"]
    return scope.compile_all(found if isinstance(found, list) else [found])


def compile_named(scope: Scope, node: Node) -> Compiled:
    """Compile an operator with named operands."""
    needed, optional, function, rule = NAMED[node["type"]]
    parts = [scope.compile(node[name]) for name in needed]
    runs = [part.run for part in parts]
    extras = [scope.compile(node[name]).run for name in optional if name in node]
    type_ = rule([part.type for part in parts])
    if not extras:
        return strict(function, type_, *parts)

    def run(f: Frame) -> Value:
        values = [part(f) for part in runs]
        if any(value is None for value in values):
            return None
        return function(*values, *(extra(f) for extra in extras))

    return Compiled(run, type_)


def compile_first(scope: Scope, node: Node) -> Compiled:
    """Compile First."""
    source = scope.compile(node["source"])
    run = source.run

    def first(f: Frame) -> Value:
        values = run(f)
        return values[0] if values else None

    def emit(m: Fusion) -> str:
        v = m.temporary()
        return f"({v}[0] if ({v} := {m.value(source)}) else None)"

    return Compiled(first, t.element_of(source.type), emit=emit)


def compile_exists(scope: Scope, node: Node) -> Compiled:
    """Compile `exists`."""
    source = scope.compile(node["operand"])
    run = source.run

    def emit(m: Fusion) -> str:
        v = m.temporary()
        some = f"{v}[0] is not None or {m.name(lists.exists)}({v})"
        return f"(({some}) if ({v} := {m.value(source)}) else False)"

    return Compiled(lambda f: lists.exists(run(f)), t.BOOLEAN, emit=emit, truth=emit)


def compile_length(scope: Scope, node: Node) -> Compiled:
    """Compile Length: of a list that is null it is 0, of a string that is null it is null."""
    (operand,) = operands(scope, node)
    run, nothing = operand.run, 0 if isinstance(operand.type, t.ListOf) else None

    def length(f: Frame) -> int | None:
        value = run(f)
        return nothing if value is None else len(value)

    return Compiled(length, t.INTEGER)


def compile_aggregate(scope: Scope, node: Node) -> Compiled:
    """Compile an aggregate of a list; null for a list that is null."""
    source = scope.compile(node["source"])
    inner = t.element_of(source.type)
    function = aggregates.AGGREGATES[node["type"]]
    if inner == t.INTEGER:
        function = arithmetic.fitting_integer(function)
    return strict(function, inner, source)


def compile_boundary(scope: Scope, node: Node) -> Compiled:
    """Compile LowBoundary and HighBoundary."""
    value, digits = scope.compile_all(node["operand"])
    last = node["type"] == "HighBoundary"

    if value.type == t.DATE and digits.constant == DAY_DIGITS:
        return strict(day_boundary(last=last), t.DATE, value)

    def bound(known: Value, count: int | None) -> Value:
        return None if known is None else boundary_of(known, count, last=last)

    return lenient(bound, value.type, value, digits)


def day_boundary(*, last: bool) -> Function:
    """Return what gives the first or last day that a date can be."""

    def day(value: Date) -> Value:
        return value if len(value.parts) == DAY else boundary(value, DAY_DIGITS, last=last)

    return day


def compile_extreme(scope: Scope, node: Node) -> Compiled:
    """Compile `minimum T` and `maximum T`."""
    type_ = t.named(node["valueType"])
    table = boundaries.LEAST if node["type"] == "MinValue" else boundaries.GREATEST
    if type_ not in table:
        scope.refuse(node, f"{type_} has no least or greatest value")
    value = table[type_]
    return Compiled(lambda _: value, type_, constant=value)


NODES = {
    **dict.fromkeys(STRICT, compile_strict),
    **dict.fromkeys(LENIENT, compile_lenient),
    **dict.fromkeys(NAMED, compile_named),
    **dict.fromkeys(aggregates.AGGREGATES, compile_aggregate),
    "First": compile_first,
    "Exists": compile_exists,
    "Length": compile_length,
    "LowBoundary": compile_boundary,
    "HighBoundary": compile_boundary,
    "MinValue": compile_extreme,
    "MaxValue": compile_extreme,
}
