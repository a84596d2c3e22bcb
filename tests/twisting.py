"""One value of a JSON document replaced by what does not belong there, and given back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

Way = tuple[str | int, ...]
"""Names and numbers that lead to a value."""


def ways_in(value: Any, way: Way = ()) -> list[Way]:
    """Return the way to each value inside another, what holds others before these."""
    if not isinstance(value, dict | list):
        return []
    found: list[Way] = []
    for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
        found.append((*way, step))
        found += ways_in(inner, (*way, step))
    return found


def at(whole: Any, way: Way) -> Any:
    """Return the value that a way leads to."""
    for step in way:
        whole = whole[step]
    return whole


@contextmanager
def twisted(whole: Any, way: Way, odd: Any) -> Iterator[None]:
    """Put another value into the place of one; give the old one back afterwards."""
    holder = at(whole, way[:-1])
    before = holder[way[-1]]
    holder[way[-1]] = odd
    try:
        yield
    finally:
        holder[way[-1]] = before
