"""Lists (https://cql.hl7.org/09-b-cqlreference.html#list-operators-2).

Nulls in lists equal each other.
"""

from collections.abc import Hashable

from ivfhir.expressions.operators.equality import PLAIN, pair_or_null, set_key
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.operators.logical import Truth, and_, any_of, not_
from ivfhir.expressions.values.value import Value

Values = list[Value]
TWO = 2


def distinct(values: Values) -> Values:
    """Return the list with later equals left out."""
    if len(values) < TWO:
        return values
    seen: set[Hashable] = set()
    kept = []
    for value in values:
        key = value if value.__class__ is str else set_key(value)
        if key not in seen:
            seen.add(key)
            kept.append(value)
    return kept


def union(*parts: Values | None) -> Values:
    """Return the distinct elements of all; null is an empty list."""
    return distinct([value for part in parts if part for value in part])


def intersect(a: Values, b: Values) -> Values:
    """Return the distinct elements that are in both."""
    keys = {set_key(value) for value in b}
    return distinct([value for value in a if set_key(value) in keys])


def except_(a: Values, b: Values | None) -> Values:
    """Return the distinct elements that are only in the first."""
    keys = {set_key(value) for value in b or ()}
    return distinct([value for value in a if set_key(value) not in keys])


def contains(values: Values, value: Value) -> Truth:
    """Return whether an element equals the value.

    None when only an uncertain comparison remains.
    """
    if value is None:
        return None in values
    if value.__class__ is str:
        return value in values
    if value.__class__ in PLAIN:
        return any(pair_or_null(element, value) is True for element in values)
    result: Truth = False
    for element in values:
        same = pair_or_null(element, value)
        if same is True:
            return True
        if same is None and element is not None:
            result = None
    return result


def properly_contains(values: Values, value: Value) -> Truth:
    """Return whether the value is in the list and something else too."""
    if value is None:
        others: Truth = any(element is not None for element in values)
    else:
        others = any_of(not_(pair_or_null(value, element)) for element in values)
    return and_(contains(values, value), others)


def includes(a: Values, b: Values) -> Truth:
    """Return whether every element of the second is in the first."""
    result: Truth = True
    for value in b:
        inside = contains(a, value)
        if inside is False:
            return False
        if inside is None:
            result = None
    return result


def properly_includes(a: Values, b: Values) -> Truth:
    """Return whether the first includes the second and is larger."""
    return includes(a, b) if len(a) > len(b) else False


def flatten(values: Values) -> Values:
    """Return the elements of the lists in a list."""
    result: Values = []
    for value in values:
        if value.__class__ is list:
            if value:
                result += value
        elif value is not None:
            result.append(value)
    return result


def exists(values: Values | None) -> bool:
    """Return whether the list has an element that is not null."""
    if not values:
        return False
    return values[0] is not None or any(value is not None for value in values)


def singleton(values: Values) -> Value:
    """Return the only element, None of an empty list.

    Raises:
        CqlError: there is more than one element.
    """
    if len(values) > 1:
        raise CqlError("singleton from: the list has more than one element")
    return values[0] if values else None


def index_of(values: Values, value: Value) -> int:
    """Return where the value first is, -1 when it is nowhere."""
    for number, element in enumerate(values):
        if pair_or_null(element, value) is True:
            return number
    return -1


def element_at(values: Values, index: int) -> Value:
    """Return one element, None outside the list."""
    return values[index] if 0 <= index < len(values) else None


def slice_(values: Values, start: int | None, end: int | None) -> Values:
    """Return the elements from `start` up to but not including `end`.

    Null means from or to the end.
    """
    first = max(start or 0, 0)
    if end is not None and end <= first:
        return []
    return values[first:end]
