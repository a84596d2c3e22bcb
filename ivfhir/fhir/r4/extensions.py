"""The extensions that R4 itself defines (made by tools/r4)."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any


@dataclass(frozen=True, slots=True)
class Inner:
    """An extension inside another one.

    Attributes:
        types: of its value; none where it holds further extensions.
        minimum: how often it must be there.
        maximum: how often it may be there; None for as often as one likes.
    """

    types: tuple[str, ...]
    minimum: int
    maximum: int | None


@dataclass(frozen=True, slots=True)
class Defined:
    """What R4 says of an extension.

    Attributes:
        types: of its value; none where it holds further extensions, and no value.
        contexts: types and paths of elements that it may stand on.
        inner: the extensions inside it, by their url.
        is_modifier: it changes the meaning of what it stands on.
    """

    types: tuple[str, ...]
    contexts: frozenset[str]
    inner: dict[str, Inner]
    is_modifier: bool


def extension_of(url: str) -> Defined | None:
    """Return what R4 says of an extension; None for one that R4 does not define."""
    return _extension(url) if url in _table() else None


@cache
def _extension(url: str) -> Defined:
    types, contexts, inner, is_modifier = _table()[url]
    inside = {name: Inner(tuple(row[0]), row[1], row[2]) for name, row in inner.items()}
    return Defined(tuple(types), frozenset(contexts), inside, is_modifier)


@cache
def _table() -> dict[str, list[Any]]:
    text = resources.files(__package__).joinpath("extensions.json").read_text(encoding="utf-8")
    parsed: dict[str, list[Any]] = json.loads(text)
    return parsed
