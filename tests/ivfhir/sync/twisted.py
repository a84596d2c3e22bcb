"""One element of a JSON value replaced by what does not belong there, each in turn."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any

ODD: tuple[Any, ...] = (None, [], {}, "", 5, ["x"], {"x": 1}, True)


def places_in(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of each element below a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in inner if isinstance(value, (dict, list)) else ():
        yield (*at, key)
        yield from places_in(member, (*at, key))


def twisted(value: Any, place: tuple[Any, ...], odd: Any) -> Any:
    """Return a copy in which one element is something else."""
    copy = deepcopy(value)
    holder = copy
    for step in place[:-1]:
        holder = holder[step]
    holder[place[-1]] = odd
    return copy
