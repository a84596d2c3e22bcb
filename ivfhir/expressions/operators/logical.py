"""Three-valued logic; null is a value here.

https://cql.hl7.org/09-b-cqlreference.html#logical-operators-3
"""

from collections.abc import Iterable

Truth = bool | None


def and_(a: Truth, b: Truth) -> Truth:
    """Return False if either is False, True if both are True, None otherwise."""
    if a is False or b is False:
        return False
    return True if a is True and b is True else None


def or_(a: Truth, b: Truth) -> Truth:
    """Return True if either is True, False if both are False, None otherwise."""
    if a is True or b is True:
        return True
    return False if a is False and b is False else None


def all_of(values: Iterable[Truth]) -> Truth:
    """Return the `and` of all values; what comes after the first False is not asked."""
    result: Truth = True
    for value in values:
        if value is False:
            return False
        result = and_(result, value)
    return result


def any_of(values: Iterable[Truth]) -> Truth:
    """Return the `or` of all values; what comes after the first True is not asked."""
    result: Truth = False
    for value in values:
        if value is True:
            return True
        result = or_(result, value)
    return result


def xor(a: Truth, b: Truth) -> Truth:
    """Return whether exactly one is True, None if either is None."""
    return None if a is None or b is None else a is not b


def implies(a: Truth, b: Truth) -> Truth:
    """Return (not a) or b."""
    return or_(not_(a), b)


def not_(a: Truth) -> Truth:
    """Return the opposite, None for None."""
    return None if a is None else not a


def all_true(values: Iterable[Truth] | None) -> bool:
    """Return whether no value is False; nulls are passed over, and nothing is true of nothing."""
    return values is None or all(value is not False for value in values)


def any_true(values: Iterable[Truth] | None) -> bool:
    """Return whether a value is True; nulls are passed over."""
    return values is not None and any(value is True for value in values)
