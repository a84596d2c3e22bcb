"""The extensions that R4 itself defines (made by tools/r4)."""

import json
from functools import cache
from importlib import resources


@cache
def value_types_of(url: str) -> tuple[str, ...] | None:
    """Return the types that an extension's value may have; None for one that R4 does not define.

    Without a type it holds further extensions, and no value.
    """
    found = _table().get(url)
    return None if found is None else tuple(found)


@cache
def _table() -> dict[str, list[str]]:
    text = resources.files(__package__).joinpath("extensions.json").read_text(encoding="utf-8")
    parsed: dict[str, list[str]] = json.loads(text)
    return parsed
