"""Equality, equivalence and order of items (https://hl7.org/fhirpath/N1/#equality)."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from ivfhir.expressions.fhirpath.nodes import Items, Node, type_of, value_of
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.operators.arithmetic import CONTEXT, ONE
from ivfhir.expressions.operators.equality import decimals, equivalent_numbers, folded, set_key
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values import Date, DateTime, Quantity, Time
from ivfhir.expressions.values.dates import HOUR, Partial, shifted
from ivfhir.expressions.values.order import compare, compare_parts
from ivfhir.expressions.values.quantities import (
    compare_quantities,
    convert,
    equivalent_quantities,
    in_base,
)
from ivfhir.expressions.values.value import Value

FURTHEST_EAST = 14 * 60
FURTHEST_WEST = -12 * 60
"""A moment without an offset can be of any of these: minutes east of UTC."""


def equal_collections(a: Items, b: Items) -> Truth:
    """Return whether collections of values are equal in order; None if either is empty."""
    if not a or not b:
        return None
    if len(a) != len(b):
        return False
    result: Truth = True
    for x, y in zip(a, b, strict=True):
        known = equal(x, y)
        if known is False:
            return False
        if known is None:
            result = None
    return result


def equal(a: Value, b: Value) -> Truth:
    """Return whether two values are equal, None when that cannot be known."""
    if a.__class__ is b.__class__:
        return SAME_CLASS.get(a.__class__, _equal_by_order)(a, b)
    if isinstance(a, Partial) and isinstance(b, Partial):
        return False if isinstance(a, Time) or isinstance(b, Time) else _equal_by_order(a, b)
    return equal_mixed(a, b)


def _equal_by_order(a: Value, b: Value) -> Truth:
    order = ordered(a, b)
    return None if order is None else order == 0


def _equal_plainly(a: Value, b: Value) -> Truth:
    return bool(a == b)


def equal_mixed(a: Value, b: Value) -> Truth:
    """Return whether values of different classes are equal."""
    if is_number(a) and is_number(b):
        return bool(a == b)
    if isinstance(a, Quantity) and is_number(b):
        return equal(a, Quantity(Decimal(b)))
    if isinstance(b, Quantity) and is_number(a):
        return equal(Quantity(Decimal(a)), b)
    return False


def unknown_or_false(a: Quantity, b: Quantity) -> Truth:
    """Return False for units of different dimensions, None where a unit is not known or calendar.

    https://hl7.org/fhirpath/N1/#quantity-equality
    """
    x, y = in_base(a), in_base(b)
    if x is None or y is None:
        return None
    dimensions = {x[1].dimensions, y[1].dimensions}
    time = {(("month", 1),), (("s", 1),)}
    return None if dimensions <= time else False


def equal_quantities(a: Quantity, b: Quantity) -> Truth:
    """Return whether quantities are equal in one unit."""
    order = compare_quantities(a, b)
    return order == 0 if order is not None else unknown_or_false(a, b)


def is_number(value: Value) -> bool:
    """Return whether a value is an Integer or a Decimal."""
    return value.__class__ is int or value.__class__ is Decimal


def same_json(a: Node, b: Node) -> bool:
    """Return whether two elements have the same JSON; numbers are compared as numbers."""
    return bool(a.value == b.value and a.extra == b.extra)


def ordered(a: Value, b: Value) -> int | None:
    """Return -1, 0 or 1 as a date or time is before, equal or after; None when not known."""
    if isinstance(a, Time) or isinstance(b, Time):
        return compare(a, b)
    x, y = as_moment(a), as_moment(b)
    if len(x.parts) >= HOUR and len(y.parts) >= HOUR and (x.offset is None) != (y.offset is None):
        return ordered_by_zone(x, y)
    if type(a) is type(b):
        return compare(a, b)
    return compare_parts(x.parts, y.parts, max(len(x.parts), len(y.parts)))


def as_moment(value: Value) -> DateTime:
    """Return a Date as a DateTime without time."""
    return value if isinstance(value, DateTime) else DateTime(value.parts)


def ordered_by_zone(a: DateTime, b: DateTime) -> int | None:
    """Return the order of moments of which one has no offset, where each offset gives the same."""
    if a.offset is not None:
        flipped = ordered_by_zone(b, a)
        return None if flipped is None else -flipped
    ends = {
        compare(DateTime(shifted(a.parts, -offset), 0), b)
        for offset in (FURTHEST_EAST, FURTHEST_WEST)
    }
    return ends.pop() if len(ends) == 1 else None


def compare_values(a: Value, b: Value, at: int) -> int | None:
    """Return -1, 0 or 1 as a value is less, equal or greater; None when that cannot be known.

    Raises:
        PlacedError: the values have no order.
    """
    if is_number(a) and is_number(b):
        return int((a > b) - (a < b))
    if a.__class__ is str and b.__class__ is str:
        return int((a > b) - (a < b))
    if isinstance(a, Date | DateTime) and isinstance(b, Date | DateTime):
        return ordered(a, b)
    if isinstance(a, Time) and isinstance(b, Time):
        return ordered(a, b)
    if isinstance(a, Quantity) or isinstance(b, Quantity):
        x = Quantity(Decimal(a)) if is_number(a) else a
        y = Quantity(Decimal(b)) if is_number(b) else b
        if isinstance(x, Quantity) and isinstance(y, Quantity):
            return compare_quantities(x, y)
    if is_vague(a) or is_vague(b):
        return None
    raise PlacedError(f"a {said(a)} and a {said(b)} have no order; convert one of them", at)


def is_vague(value: Value) -> bool:
    """Return whether a value is a FHIR Quantity that is no single amount (`< 5 mg`)."""
    return value.__class__ is Node and value.type.is_quantity


def said(value: Value) -> str:
    """Return the type of a value in words."""
    return type_of(value).name


def equivalent_collections(a: Items, b: Items) -> bool:
    """Return whether collections hold the same in any order."""
    if len(a) != len(b):
        return False
    left = list(b)
    for x in a:
        for number, y in enumerate(left):
            if equivalent(x, y):
                del left[number]
                break
        else:
            return False
    return True


def equivalent(a: Value, b: Value) -> bool:
    """Return whether two values mean the same."""
    if is_number(a) and is_number(b):
        return equivalent_numbers(a, b)
    if isinstance(a, Quantity) or isinstance(b, Quantity):
        x = Quantity(Decimal(a)) if is_number(a) else a
        y = Quantity(Decimal(b)) if is_number(b) else b
        if not isinstance(x, Quantity) or not isinstance(y, Quantity):
            return False
        return equivalent_quantities(x, y) or roughly_equal(x, y)
    if a.__class__ is str and b.__class__ is str:
        return folded(a) == folded(b)
    if a.__class__ is Node and b.__class__ is Node:
        return same_json(a, b) or equivalent_json(a.value, b.value)
    return equal(a, b) is True


def roughly_equal(a: Quantity, b: Quantity) -> bool:
    """Return whether quantities are equal at the precision of the coarser one.

    Numbers of more digits than are computed with are not rounded, so they are not.
    """
    try:
        return _roughly_equal(a, b)
    except InvalidOperation:
        return False


def _roughly_equal(a: Quantity, b: Quantity) -> bool:
    if a.value is None or b.value is None:
        return False
    x = convert(a, b.unit)
    if x is None or x.value is None:
        return False
    other = convert(b, a.unit)
    if other is not None and other.value is not None and decimals(a.value) <= decimals(other.value):
        places = ONE.scaleb(-decimals(a.value))
        return a.value == other.value.quantize(places, ROUND_HALF_UP, CONTEXT)
    places = ONE.scaleb(-decimals(b.value))
    return x.value.quantize(places, ROUND_HALF_UP, CONTEXT) == b.value


def equivalent_json(a: Value, b: Value) -> bool:
    """Return whether elements mean the same: text without case, lists in any order."""
    if isinstance(a, dict) and isinstance(b, dict):
        names = (a.keys() | b.keys()) - {"id"}
        return all(n in a and n in b and equivalent_json(a[n], b[n]) for n in names)
    if isinstance(a, list) and isinstance(b, list):
        left = list(b)
        if len(a) != len(b):
            return False
        for x in a:
            found = next((n for n, y in enumerate(left) if equivalent_json(x, y)), None)
            if found is None:
                return False
            del left[found]
        return True
    if isinstance(a, str) and isinstance(b, str):
        return folded(a) == folded(b)
    return bool(a == b)


def distinct(items: Items) -> Items:
    """Return the items without those that equal an earlier one."""
    seen: dict[Value, Items] = {}
    return [each for each in items if is_new(each, seen)]


def is_new(item: Value, seen: dict[Value, Items]) -> bool:
    """Return whether no equal item was seen, and remember it."""
    alike = seen.setdefault(rough_key(item), [])
    value = comparable(item)
    if any(equal(value, other) for other in alike):
        return False
    alike.append(value)
    return True


def comparable(item: Value) -> Value:
    """Return the value of an item, the node itself where it has none."""
    value = value_of(item)
    return item if value is None else value


def rough_key(item: Value) -> Value:
    """Return a key that equal items share."""
    value = comparable(item)
    if value.__class__ is Node:
        return (json_key(value.value), json_key(value.extra))
    if isinstance(value, Quantity):
        base = in_base(value)
        if base is not None and not base[1].dimensions:
            return base[0]  # 1 '1' equals 1, and so must their keys
    return value.key if isinstance(value, Date | DateTime) else set_key(value)


def json_key(raw: Value) -> Value:
    """Return a key that equal JSON shares."""
    if isinstance(raw, dict):
        return frozenset((name, json_key(value)) for name, value in raw.items())
    return tuple(map(json_key, raw)) if isinstance(raw, list) else raw


def contains(items: Items, value: Value) -> bool:
    """Return whether a value is among values."""
    return any(equal(each, value) is True for each in items)


SAME_CLASS: dict[type, Callable[[Value, Value], Truth]] = {
    **dict.fromkeys((str, int, bool, Decimal), _equal_plainly),
    Node: same_json,
    Quantity: equal_quantities,
}
"""How values of one class are compared; those that are not here are dates and times."""
