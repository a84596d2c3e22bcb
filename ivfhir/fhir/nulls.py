"""Nulls that FHIR does not know: http://hl7.org/fhir/R4/json.html#null.

JSON null stands in one place only: in a list of primitives beside its list of ids and extensions
(`given`, `_given`). Servers write it elsewhere for "no value"; there it is as if it were not.
"""

from typing import Any

from ivfhir.fhir.types import Json


def drop_nulls(value: Json) -> None:
    """Remove members that are null, and null items of lists without a sister, from a JSON value."""
    waiting: list[Any] = [value]
    while waiting:
        holder = waiting.pop()
        if isinstance(holder, dict):
            for name in [name for name, member in holder.items() if member is None]:
                del holder[name]
            for name, member in holder.items():
                if isinstance(member, list) and not _has_sister(holder, name):
                    _drop_items(member)
            waiting += [each for each in holder.values() if isinstance(each, (dict, list))]
        elif isinstance(holder, list):
            waiting += [each for each in holder if isinstance(each, (dict, list))]


def _has_sister(holder: dict[str, Any], name: str) -> bool:
    sister = holder.get(name[1:] if name.startswith("_") else f"_{name}")
    return isinstance(sister, list)


def _drop_items(items: list[Any]) -> None:
    if None in items:
        items[:] = [item for item in items if item is not None]
