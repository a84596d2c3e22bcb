"""The codes of R4's value sets (made by tools/r4; which are there stands there)."""

import json
from functools import cache
from importlib import resources

Codes = dict[str, frozenset[str]]
"""Codes by their system."""


def codes_of(canonical: str) -> Codes | None:
    """Return the codes of a value set; None where R4 does not list all of them.

    Args:
        canonical: with or without version: R4 has one of each.
    """
    url = canonical.partition("|")[0]
    return _codes(url) if url in _table() else None


@cache
def _codes(url: str) -> Codes:
    return {key: frozenset(codes) for key, codes in _table()[url].items()}


@cache
def _table() -> dict[str, dict[str, list[str]]]:
    text = resources.files(__package__).joinpath("value_sets.json").read_text(encoding="utf-8")
    parsed: dict[str, dict[str, list[str]]] = json.loads(text)
    return parsed
