"""Operators between two operands (https://hl7.org/fhirpath/N1/#operations)."""

from collections.abc import Callable

from ivfhir.expressions.fhirpath.compiled import (
    Compiled,
    One,
    of_one,
    of_truth,
    single,
    truth_of,
    values,
)
from ivfhir.expressions.fhirpath.equality import (
    compare_values,
    contains,
    distinct,
    equal,
    equal_collections,
    equivalent_collections,
    is_number,
    is_vague,
    said,
)
from ivfhir.expressions.fhirpath.nodes import Items
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.run import Run
from ivfhir.expressions.fhirpath.types import SYSTEM, Type, is_text
from ivfhir.expressions.operators import arithmetic
from ivfhir.expressions.operators.dates import UCUM_WORDS, plus
from ivfhir.expressions.operators.logical import Truth, implies, xor
from ivfhir.expressions.values import Date, DateTime, Quantity, Time
from ivfhir.expressions.values.dates import Partial
from ivfhir.expressions.values.quantities import CALENDAR
from ivfhir.expressions.values.value import Value

Binary = Callable[[Value, Value, int], Value]
NO_CALENDAR = frozenset({"a", "mo"})
"""UCUM's years and months have a fixed length, which no calendar has: they move no date."""


def has_texts(compiled: Compiled) -> bool:
    """Return whether all values are strings."""
    types = compiled.types
    return types is not None and len(types) == 1 and is_text(types[0])


def equality(left: Compiled, right: Compiled, operator: str, at: int) -> Compiled:
    """Return `=` or `!=`."""
    negated = operator == "!="
    if left.constant is not None and right.constant is None:
        left, right = right, left
    if right.constant is not None and left.one is not None:
        return of_truth(_equal_to(left, left.one, right.constant, negated=negated))
    a, b = values(left), values(right)

    def truth(run: Run, this: Value) -> Truth:
        known = equal_collections(a(run, this), b(run, this))
        return known if known is None or not negated else not known

    return of_truth(truth)


def _equal_to(left: Compiled, one: One, wanted: Value, *, negated: bool) -> One:
    if wanted.__class__ is str and has_texts(left):
        if negated:

            def differs(run: Run, this: Value) -> Truth:
                value = one(run, this)
                return None if value is None else bool(value != wanted)

            return differs

        def same(run: Run, this: Value) -> Truth:
            value = one(run, this)
            return None if value is None else bool(value == wanted)

        return same if left.key is None else _same_text(left.key, wanted, same)

    def truth(run: Run, this: Value) -> Truth:
        value = one(run, this)
        known = None if value is None else equal(value, wanted)
        return known if known is None or not negated else not known

    return truth


def _same_text(key: str, wanted: str, otherwise: One) -> One:
    """Return whether the text under a name of bare `$this` is the wanted one."""

    def same(run: Run, this: Value) -> Truth:
        value = this.get(key)
        if value.__class__ is str:
            return bool(value == wanted)
        found: Truth = otherwise(run, this)
        return found

    return same


def equivalence(left: Compiled, right: Compiled, operator: str, at: int) -> Compiled:
    """Return `~` or `!~`."""
    negated = operator == "!~"
    a, b = values(left), values(right)

    def truth(run: Run, this: Value) -> Truth:
        x, y = a(run, this), b(run, this)
        run.spend(len(x) * len(y))
        return equivalent_collections(x, y) is not negated

    return of_truth(truth)


ORDERS: dict[str, Callable[[int], bool]] = {
    "<": lambda order: order < 0,
    "<=": lambda order: order <= 0,
    ">": lambda order: order > 0,
    ">=": lambda order: order >= 0,
}


def inequality(left: Compiled, right: Compiled, operator: str, at: int) -> Compiled:
    """Return `<`, `<=`, `>` or `>=`."""
    a, b = single(left, at), single(right, at)
    holds = ORDERS[operator]

    def truth(run: Run, this: Value) -> Truth:
        x = a(run, this)
        if x is None:
            return None
        y = b(run, this)
        if y is None:
            return None
        order = compare_values(x, y, at)
        return None if order is None else holds(order)

    return of_truth(truth)


def conjunction(operands: list[Compiled], at: int) -> Compiled:
    """Return `and`; what is false decides, whatever stands beside it."""
    truths = [truth_of(each, at) for each in operands]
    if len(truths) == 2:  # noqa: PLR2004 - two operands, the usual case
        first, second = truths

        def both(run: Run, this: Value) -> Truth:
            x = first(run, this)
            if x is False:
                return False
            y = second(run, this)
            if y is False:
                return False
            return None if x is None or y is None else True

        return of_truth(both)

    def every(run: Run, this: Value) -> Truth:
        result: Truth = True
        for truth in truths:
            known = truth(run, this)
            if known is False:
                return False
            if known is None:
                result = None
        return result

    return of_truth(every)


def disjunction(operands: list[Compiled], at: int) -> Compiled:
    """Return `or`; what is true decides, whatever stands beside it."""
    truths = [truth_of(each, at) for each in operands]

    def some(run: Run, this: Value) -> Truth:
        result: Truth = False
        for truth in truths:
            known = truth(run, this)
            if known is True:
                return True
            if known is None:
                result = None
        return result

    return of_truth(some)


def implication(left: Compiled, right: Compiled, operator: str, at: int) -> Compiled:
    """Return `implies`."""
    a, b = truth_of(left, at), truth_of(right, at)

    def truth(run: Run, this: Value) -> Truth:
        x = a(run, this)
        return True if x is False else implies(x, b(run, this))

    return of_truth(truth)


def exclusive(left: Compiled, right: Compiled, operator: str, at: int) -> Compiled:
    """Return `xor`."""
    a, b = truth_of(left, at), truth_of(right, at)
    return of_truth(lambda run, this: xor(a(run, this), b(run, this)))


def membership(left: Compiled, right: Compiled, operator: str, at: int) -> Compiled:
    """Return `one in many` or `many contains one`: empty of nothing, false in nothing."""
    one, many = (left, right) if operator == "in" else (right, left)
    a, b = single(one, at), values(many)

    def truth(run: Run, this: Value) -> Truth:
        value = a(run, this)
        if value is None:
            return None
        items = b(run, this)
        run.spend(len(items))
        return contains(items, value)

    return of_truth(truth)


def union(operands: list[Compiled], at: int) -> Compiled:
    """Return `|`: all items, each once."""
    parts = [each.nodes for each in operands]

    def nodes(run: Run, this: Value) -> Items:
        items = [item for part in parts for item in part(run, this)]
        run.spend(len(items))
        return distinct(items)

    types: dict[str, Type] | None = {}
    for each in operands:
        if each.types is None or types is None:
            types = None
        else:
            types |= {repr(one): one for one in each.types}
    return Compiled(
        nodes=nodes,
        types=None if types is None else tuple(types.values()),
    )


def calculation(left: Compiled, right: Compiled, operator: str, at: int) -> Compiled:
    """Return an operator of arithmetic: nothing of nothing."""
    a, b = single(left, at), single(right, at)
    function = ARITHMETIC[operator]

    def one(run: Run, this: Value) -> Value:
        x = a(run, this)
        y = b(run, this)
        return None if x is None or y is None else run.made(function(x, y, at))

    made = of_one(one)
    return Compiled(nodes=made.nodes, values=made.nodes, one=one)


def concatenation(left: Compiled, right: Compiled, operator: str, at: int) -> Compiled:
    """Return `&`: nothing counts as an empty text."""
    a, b = single(left, at), single(right, at)

    def one(run: Run, this: Value) -> Value:
        x, y = a(run, this), b(run, this)
        for each in (x, y):
            if each is not None and each.__class__ is not str:
                raise PlacedError(f"& joins texts, not a {said(each)}; use toString()", at)
        return run.made((x or "") + (y or ""))

    return of_one(one, SYSTEM["String"])


def add(a: Value, b: Value, at: int) -> Value:
    """Return a + b."""
    if a.__class__ is str and b.__class__ is str:
        return a + b
    if isinstance(a, Partial) and isinstance(b, Quantity):
        return moved(a, b, 1, at)
    return numbers(a, b, arithmetic.add, "+", at)


def subtract(a: Value, b: Value, at: int) -> Value:
    """Return a - b."""
    if isinstance(a, Partial) and isinstance(b, Quantity):
        return moved(a, b, -1, at)
    return numbers(a, b, arithmetic.subtract, "-", at)


def moved(a: Date | DateTime | Time | Partial, b: Quantity, sign: int, at: int) -> Value:
    """Return a date or time moved by a quantity of time."""
    unit = b.unit
    if unit in NO_CALENDAR or (unit not in CALENDAR and unit not in UCUM_WORDS):
        raise PlacedError(
            f"a date cannot be moved by '{unit}'; use years, months, weeks, days, hours, minutes, "
            "seconds or milliseconds, in words",
            at,
        )
    return plus(a, b, sign)


def numbers(
    a: Value, b: Value, function: Callable[[Value, Value], Value], sign: str, at: int
) -> Value:
    """Return an operation on numbers or quantities."""
    if not is_number(a) or not is_number(b):
        if is_vague(a) or is_vague(b):
            return None
        quantities = [isinstance(each, Quantity) for each in (a, b)]
        if not any(quantities) or not all(isinstance(e, Quantity) or is_number(e) for e in (a, b)):
            raise PlacedError(f"{sign} does not go between a {said(a)} and a {said(b)}", at)
        if not all(quantities) and sign not in "*/":
            a, b = arithmetic.as_quantity(a), arithmetic.as_quantity(b)
    return function(a, b)


def _numeric(sign: str, function: Callable[[Value, Value], Value]) -> Binary:
    return lambda a, b, at: numbers(a, b, function, sign, at)


ARITHMETIC: dict[str, Binary] = {
    "+": add,
    "-": subtract,
    "*": _numeric("*", arithmetic.multiply),
    "/": _numeric("/", arithmetic.divide),
    "div": _numeric("div", arithmetic.truncated_divide),
    "mod": _numeric("mod", arithmetic.modulo),
}


def negative(operand: Compiled, sign: str, at: int) -> Compiled:
    """Return a number with a sign before it."""
    one = single(operand, at)

    def run_one(run: Run, this: Value) -> Value:
        value = one(run, this)
        if value is None:
            return None
        if not is_number(value) and not isinstance(value, Quantity):
            raise PlacedError(
                f"{sign} stands before a {said(value)}; in -1.abs() it stands before 1.abs(), so "
                "write (-1).abs()",
                at,
            )
        return arithmetic.negate(value) if sign == "-" else value

    return Compiled(
        nodes=(made := of_one(run_one)).nodes, types=operand.types, values=made.nodes, one=run_one
    )


CHAINS: dict[str, Callable[[list[Compiled], int], Compiled]] = {
    "and": conjunction,
    "or": disjunction,
    "|": union,
}
"""Operators that take any number of operands."""
PAIRS: dict[str, Callable[[Compiled, Compiled, str, int], Compiled]] = {
    "=": equality,
    "!=": equality,
    "~": equivalence,
    "!~": equivalence,
    "&": concatenation,
    "in": membership,
    "contains": membership,
    "implies": implication,
    "xor": exclusive,
    **dict.fromkeys(ORDERS, inequality),
    **dict.fromkeys(ARITHMETIC, calculation),
}
"""Operators between two operands."""
