"""The members of an object or array in JSON text, one after the other, without reading the rest."""

import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]  # what json itself reads with

_BLANK = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r"[^\s,\]}]+")
_MARKS = re.compile(r'["{}\[\]]')


def members(text: str, at: int) -> Iterator[tuple[str | int, int, int]]:
    """Yield name or number, where the member begins, and where its value begins.

    Args:
        text: JSON that can be read; what cannot may raise ValueError or IndexError, or end early.
        at: where the object or array begins; anything else has no members.
    """
    opening = text[at : at + 1]
    if opening not in ("{", "["):
        return
    at = after_blank(text, at + 1)
    number = 0
    while at < len(text) and text[at] not in "}]":
        start = at
        name: str | int = number
        if opening == "{":
            name, at = scanstring(text, at + 1)
            at = after_blank(text, after_blank(text, at) + 1)
        yield name, start, at
        at = after_blank(text, _end_of(text, at))
        if text[at : at + 1] == ",":
            at = after_blank(text, at + 1)
        number += 1


def after_blank(text: str, at: int) -> int:
    """Return the first place from `at` on that is no blank."""
    match = _BLANK.match(text, at)
    return at if match is None else match.end()


def text_at(text: str, at: int) -> str | None:
    """Return the string that begins at a place, None where there is none."""
    return str(scanstring(text, at + 1)[0]) if text[at : at + 1] == '"' else None


def _end_of(text: str, at: int) -> int:
    """Return where a value ends."""
    if text[at] == '"':
        return int(scanstring(text, at + 1)[1])
    if text[at] not in "{[":
        match = _SCALAR.match(text, at)
        return len(text) if match is None else match.end()
    depth = 0
    while True:
        match = _MARKS.search(text, at)
        if match is None:
            return len(text)
        at = match.end()
        if match[0] == '"':
            at = int(scanstring(text, at)[1])
            continue
        depth += 1 if match[0] in "{[" else -1
        if not depth:
            return at
