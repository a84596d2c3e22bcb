"""Equal and equivalent (https://cql.hl7.org/09-b-cqlreference.html#comparison-operators-4), and keys for sets."""

from collections.abc import Hashable, Iterable
from decimal import Decimal
from typing import Any

from ivfhir.expressions.operators.boundaries import end_of, start_of
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values import Code, Concept, Interval, Quantity, Ratio, Uncertain
from ivfhir.expressions.values.dates import Partial, compare
from ivfhir.expressions.values.quantities import canonical_unit, compare_quantities, in_base

PLAIN = frozenset({str, int, bool, Decimal})


def equal(a: Any, b: Any) -> Truth:
    """Return whether two values that are not null are equal, None when that is not known."""
    kind = a.__class__
    if kind in PLAIN and b.__class__ in PLAIN:
        return bool(a == b)
    if isinstance(a, Partial):
        order = compare(a, b) if kind is b.__class__ else 1
        return None if order is None else order == 0
    if isinstance(a, Uncertain) or isinstance(b, Uncertain):
        return a == b if isinstance(a, Uncertain) else b == a
    if kind is not b.__class__:
        return False
    return equal_structures(a, b)


def equal_structures(a: Any, b: Any) -> Truth:
    """Return whether two values of one class with parts are equal, None when that is not known."""
    if isinstance(a, list):
        return equal_lists(a, b)
    if isinstance(a, dict):
        return True if a is b else equal_tuples(a, b)
    if isinstance(a, Quantity):
        order = compare_quantities(a, b)
        return None if order is None else order == 0
    if isinstance(a, Interval):
        return both(pair(start_of(a), start_of(b)), pair(end_of(a), end_of(b)))
    if isinstance(a, Ratio):
        return both(pair(a.numerator, b.numerator), pair(a.denominator, b.denominator))
    if isinstance(a, Code):
        return all_of(pair_or_null(getattr(a, n), getattr(b, n)) for n in Code.__slots__)
    if isinstance(a, Concept):
        codes = equal_lists(list(a.codes), list(b.codes))
        return both(codes, pair_or_null(a.display, b.display))
    return bool(a == b)


def equal_lists(a: list[Any], b: list[Any]) -> Truth:
    """Return whether lists have equal elements in order; nulls equal each other."""
    if len(a) != len(b):
        return False
    return all_of(pair_or_null(x, y) for x, y in zip(a, b, strict=True))


def equal_tuples(a: dict[str, Any], b: dict[str, Any]) -> Truth:
    """Return whether tuples have equal elements; an element that only one of them has makes it None."""
    return all_of(pair_or_null(a.get(name), b.get(name)) for name in a.keys() | b.keys())


def pair(a: Any, b: Any) -> Truth:
    """Return whether both are equal, None if either is null."""
    return None if a is None or b is None else equal(a, b)


def pair_or_null(a: Any, b: Any) -> Truth:
    """Return whether both are equal; two nulls are, a null and a value give None."""
    return True if a is None and b is None else pair(a, b)


def both(a: Truth, b: Truth) -> Truth:
    """Return a and b in three-valued logic."""
    return all_of((a, b))


def all_of(truths: Iterable[Truth]) -> Truth:
    """Return False if any is False, None if any is None, True otherwise."""
    result: Truth = True
    for truth in truths:
        if truth is False:
            return False
        if truth is None:
            result = None
    return result


def equivalent(a: Any, b: Any) -> bool:
    """Return whether two values mean the same; nulls are allowed and equivalent to each other."""
    if a is None or b is None:
        return a is b
    if isinstance(a, str) and isinstance(b, str):
        return " ".join(a.split()).casefold() == " ".join(b.split()).casefold()
    if isinstance(a, Decimal | int) and isinstance(b, Decimal | int):
        return equivalent_numbers(a, b)
    if isinstance(a, Concept) or isinstance(b, Concept):
        return any(equivalent(x, y) for x in codes_of(a) for y in codes_of(b))
    if a.__class__ is not b.__class__:
        return False
    if isinstance(a, Code):
        return a.code == b.code and a.system == b.system
    if isinstance(a, list):
        return len(a) == len(b) and all(equivalent(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict):
        return all(equivalent(a.get(name), b.get(name)) for name in a.keys() | b.keys())
    if isinstance(a, Interval):
        return equivalent(start_of(a), start_of(b)) and equivalent(end_of(a), end_of(b))
    return equal(a, b) is True


def equivalent_numbers(a: Decimal | int, b: Decimal | int) -> bool:
    """Return whether two numbers are equal when rounded to the fewer decimals of the two."""
    if isinstance(a, bool) or isinstance(b, bool) or (isinstance(a, int) and isinstance(b, int)):
        return a is b if isinstance(a, bool) or isinstance(b, bool) else a == b
    places = min(decimals(Decimal(a)), decimals(Decimal(b)))
    return round(Decimal(a), places) == round(Decimal(b), places)


def decimals(number: Decimal) -> int:
    """Return how many decimals a number has without its trailing zeros."""
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def codes_of(value: Any) -> list[Code | None]:
    """Return the codes of a Concept, a Code alone as one, nothing for others."""
    if isinstance(value, Concept):
        return list(value.codes)
    return [value] if isinstance(value, Code) else []


class ByValue:
    """Raw JSON as a member of a set: hashed roughly, compared wholly."""

    __slots__ = ("hash", "value")

    def __init__(self, value: dict[str, Any]) -> None:
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


def set_key(value: Any) -> Hashable:
    """Return a key that two values share when they are certainly equal; nulls share one."""
    kind = value.__class__
    if kind is bool:
        return (bool, value)
    if kind in PLAIN or value is None:
        return value  # type: ignore[no-any-return]  # str, int, Decimal or None
    if isinstance(value, list):
        return (list, tuple(map(set_key, value)))
    if isinstance(value, dict):
        if "resourceType" in value:
            return ByValue(value)
        return (dict, frozenset((n, set_key(v)) for n, v in value.items() if v is not None))
    if isinstance(value, Partial):
        return (kind, value.key)
    if isinstance(value, Quantity):
        base = in_base(value)
        if base is not None:
            return (Quantity, base[0], base[1].dimensions)
        return (Quantity, value.value, canonical_unit(value.unit))
    if isinstance(value, Interval):
        return (Interval, set_key(start_of(value)), set_key(end_of(value)))
    if isinstance(value, Concept):
        return (Concept, tuple(value.codes), value.display)
    return value if isinstance(value, Hashable) else id(value)
