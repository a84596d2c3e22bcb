"""Equal and equivalent, and keys for sets.

https://cql.hl7.org/09-b-cqlreference.html#comparison-operators-4
"""

from collections.abc import Callable, Hashable, Iterable
from decimal import Decimal, InvalidOperation

from ivfhir.expressions.operators.boundaries import end_of, start_of
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values import (
    Code,
    Concept,
    Date,
    DateTime,
    Interval,
    Quantity,
    Ratio,
    Time,
    Typed,
    Uncertain,
)
from ivfhir.expressions.values.dates import Partial
from ivfhir.expressions.values.order import compare
from ivfhir.expressions.values.quantities import (
    canonical_unit,
    compare_quantities,
    equivalent_quantities,
    in_base,
)
from ivfhir.expressions.values.value import Value

PLAIN = frozenset({str, int, bool, Decimal})


def equal(a: Value, b: Value) -> Truth:
    """Return whether two values that are not null are equal, None when that is not known."""
    kind = a.__class__
    if kind in PLAIN and b.__class__ in PLAIN:
        return bool(a == b)
    if isinstance(a, Partial):
        order = compare(a, b) if kind is b.__class__ else 1
        return None if order is None else order == 0
    if isinstance(a, Uncertain) or isinstance(b, Uncertain):
        same: Truth = a == b if isinstance(a, Uncertain) else b == a
        return same
    if kind is not b.__class__:
        return False
    return equal_structures(a, b)


def equal_dates(a: Date, b: Date) -> Truth:
    """Return whether two dates are equal, None when that is not known."""
    x, y = a.parts, b.parts
    if len(x) == len(y):
        return x == y
    order = compare(a, b)
    return None if order is None else order == 0


def equal_structures(a: Value, b: Value) -> Truth:
    """Return whether two values of one class with parts are equal, None when that is not known."""
    function = STRUCTURES.get(a.__class__)
    return bool(a == b) if function is None else function(a, b)


def equal_lists(a: list[Value], b: list[Value]) -> Truth:
    """Return whether lists have equal elements in order; nulls equal each other."""
    if len(a) != len(b):
        return False
    return all_of(pair_or_null(x, y) for x, y in zip(a, b, strict=True))


def equal_tuples(a: dict[str, Value], b: dict[str, Value]) -> Truth:
    """Return whether tuples have equal elements.

    An element that only one of them has makes it None.
    """
    return all_of(pair_or_null(a.get(name), b.get(name)) for name in a.keys() | b.keys())


def equal_quantities(a: Quantity, b: Quantity) -> Truth:
    """Return whether quantities are equal in one unit, None when there is no such unit."""
    order = compare_quantities(a, b)
    return None if order is None else order == 0


def equal_intervals(a: Interval, b: Interval) -> Truth:
    """Return whether intervals start and end at the same points."""
    return all_of((pair(start_of(a), start_of(b)), pair(end_of(a), end_of(b))))


def equal_ratios(a: Ratio, b: Ratio) -> Truth:
    """Return whether numerators and denominators are equal."""
    return all_of((pair(a.numerator, b.numerator), pair(a.denominator, b.denominator)))


def equal_codes(a: Code, b: Code) -> Truth:
    """Return whether codes have the same parts; a part that only one of them has makes it None."""
    return all_of(pair_or_null(getattr(a, n), getattr(b, n)) for n in Code.__slots__)


def equal_concepts(a: Concept, b: Concept) -> Truth:
    """Return whether concepts have the same codes in order, and the same text."""
    codes = equal_lists(list(a.codes), list(b.codes))
    return all_of((codes, pair_or_null(a.display, b.display)))


STRUCTURES: dict[type, Callable[[Value, Value], Truth]] = {
    list: equal_lists,
    dict: lambda a, b: True if a is b else equal_tuples(a, b),
    Quantity: equal_quantities,
    Interval: equal_intervals,
    Ratio: equal_ratios,
    Code: equal_codes,
    Concept: equal_concepts,
}


def pair(a: Value, b: Value) -> Truth:
    """Return whether both are equal, None if either is null."""
    return None if a is None or b is None else equal(a, b)


def pair_or_null(a: Value, b: Value) -> Truth:
    """Return whether both are equal; two nulls are, a null and a value give None."""
    return True if a is None and b is None else pair(a, b)


def all_of(truths: Iterable[Truth]) -> Truth:
    """Return False if any is False, None if any is None, True otherwise."""
    result: Truth = True
    for truth in truths:
        if truth is False:
            return False
        if truth is None:
            result = None
    return result


def equivalent(a: Value, b: Value) -> bool:
    """Return whether two values mean the same; nulls are allowed and equivalent to each other."""
    if a is None or b is None:
        return a is b
    if isinstance(a, Decimal | int) and isinstance(b, Decimal | int):
        return equivalent_numbers(a, b)
    if isinstance(a, Concept) or isinstance(b, Concept):
        return any(equivalent(x, y) for x in codes_of(a) for y in codes_of(b))
    function = EQUIVALENTS.get(a.__class__, lambda x, y: equal(x, y) is True)
    return a.__class__ is b.__class__ and function(a, b)


EQUIVALENTS: dict[type, Callable[[Value, Value], bool]] = {
    str: lambda a, b: folded(a) == folded(b),
    list: lambda a, b: len(a) == len(b) and all(map(equivalent, a, b)),
    dict: lambda a, b: all(equivalent(a.get(n), b.get(n)) for n in a.keys() | b.keys()),
    Code: lambda a, b: (a.code, a.system) == (b.code, b.system),
    Quantity: equivalent_quantities,
    Interval: lambda a, b: (
        equivalent(start_of(a), start_of(b)) and equivalent(end_of(a), end_of(b))
    ),
}


def folded(text: str) -> str:
    """Return text without differences of case and white space."""
    return " ".join(text.split()).casefold()


def equivalent_numbers(a: Decimal | int, b: Decimal | int) -> bool:
    """Return whether two numbers are equal when rounded to the fewer decimals of the two.

    Numbers of more digits than are computed with are not rounded.
    """
    if isinstance(a, bool) or isinstance(b, bool) or (isinstance(a, int) and isinstance(b, int)):
        return a is b if isinstance(a, bool) or isinstance(b, bool) else a == b
    places = min(decimals(Decimal(a)), decimals(Decimal(b)))
    try:
        return round(Decimal(a), places) == round(Decimal(b), places)
    except InvalidOperation:
        return a == b


def decimals(number: Decimal) -> int:
    """Return how many decimals a number has without its trailing zeros."""
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def codes_of(value: Value) -> list[Code | None]:
    """Return the codes of a Concept, a Code alone as one, nothing for others."""
    if isinstance(value, Concept):
        return list(value.codes)
    return [value] if isinstance(value, Code) else []


class ByValue:
    """Raw JSON as a member of a set: hashed roughly, compared wholly."""

    __slots__ = ("hash", "value")

    def __init__(self, value: dict[str, Value]) -> None:
        """Keep the JSON and a cheap hash of it."""
        self.value = value
        self.hash = hash((len(value), str(value.get("resourceType")), str(value.get("id"))))

    def __hash__(self) -> int:
        """Return the cheap hash."""
        return self.hash

    def __eq__(self, other: object) -> bool:
        """Compare the whole JSON."""
        return isinstance(other, ByValue) and (
            self.value is other.value or self.value == other.value
        )


def set_key(value: Value) -> Hashable:
    """Return a key that two values share when they are certainly equal; nulls share one."""
    function = KEYS.get(value.__class__)
    if function is not None:
        return function(value)
    return value if isinstance(value, Hashable) else id(value)


def tuple_key(value: dict[str, Value]) -> Hashable:
    """Return the key of a tuple, or of raw JSON."""
    if "resourceType" in value:
        return ByValue(value)
    return (dict, frozenset((n, set_key(v)) for n, v in value.items() if v is not None))


def quantity_key(value: Quantity) -> Hashable:
    """Return the key of a quantity: its amount in base units where they are known."""
    base = in_base(value)
    if base is not None:
        return (Quantity, base[0], base[1].dimensions)
    return (Quantity, value.value, canonical_unit(value.unit))


KEYS: dict[type, Callable[[Value], Hashable]] = {
    bool: lambda v: (bool, v),
    list: lambda v: (list, tuple(map(set_key, v))),
    dict: tuple_key,
    Date: lambda v: (Date, v.key),
    DateTime: lambda v: (DateTime, v.key),
    Time: lambda v: (Time, v.key),
    Quantity: quantity_key,
    Interval: lambda v: (Interval, set_key(start_of(v)), set_key(end_of(v))),
    Concept: lambda v: (Concept, tuple(v.codes), v.display),
    Typed: lambda v: (Typed, v.type, set_key(v.raw)),
}
