"""Typed values as JSON and back: how a reading is kept in the database.

The dataclasses say what is in them, so a new attribute is kept without a line here; a type that
cannot be told from its JSON is refused when it is first met.
"""

import dataclasses
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, get_args, get_origin, get_type_hints

from ivfhir.expressions.values import DateTime

_PLAIN = frozenset({dict, list, str, int, float, bool, type(None)})


def encode(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return a value as what JSON has: dataclasses as objects, sets as sorted lists."""
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return {name: encode(getattr(value, name)) for name in names}
    if isinstance(value, datetime | DateTime):
        return value.isoformat() if isinstance(value, datetime) else str(value)
    if isinstance(value, frozenset | tuple):
        items = sorted(value) if isinstance(value, frozenset) else value
        return [encode(item) for item in items]
    if isinstance(value, Mapping) and any(map(_is_typed, value.values())):
        return {name: encode(item) for name, item in value.items()}
    return value


def _is_typed(value: object) -> bool:
    if type(value) in _PLAIN:  # A resource may have 300,000 members.
        return False
    return isinstance(value, tuple) or dataclasses.is_dataclass(value)


def decode(value: Any, hint: Any) -> Any:  # noqa: ANN401 - any JSON value
    """Return what `encode` was given, as its type hint says.

    Raises:
        TypeError: the hint is of a kind that is not kept.
        KeyError: an attribute is missing: another version of the app kept it.
    """
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        return hint(**{name: decode(value[name], each) for name, each in _hints(hint).items()})
    if hint is datetime or hint is DateTime:
        return datetime.fromisoformat(value) if hint is datetime else DateTime.parse(value)
    return _decode_generic(value, hint, get_origin(hint), get_args(hint))


def _decode_generic(value: Any, hint: Any, origin: Any, arguments: tuple[Any, ...]) -> Any:  # noqa: ANN401 - any JSON value
    if origin is tuple or origin is frozenset:
        return origin(decode(item, arguments[0]) for item in value)
    if origin in (dict, Mapping) and arguments[1] is not Any:
        return {name: decode(item, arguments[1]) for name, item in value.items()}
    if origin is dict or hint in (str, bool) or type(None) in arguments:
        return value
    raise TypeError(f"{hint} cannot be told from its JSON")


@cache
def _hints(kind: type) -> dict[str, Any]:
    """Return the type of each attribute of a dataclass."""
    hints = get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}
