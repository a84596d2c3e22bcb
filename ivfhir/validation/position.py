"""Line and column of a value in JSON text; asked for only where something is wrong."""

import re
from collections.abc import Iterator
from json.decoder import scanstring  # type: ignore[attr-defined]  # what json itself reads with

from ivfhir.validation.issue import Pointer

_BLANK = re.compile(r"[ \t\r\n]*")
_SCALAR = re.compile(r"[^\s,\]}]+")
_MARKS = re.compile(r'["{}\[\]]')


def position_of(text: str, pointer: Pointer) -> tuple[int, int]:
    """Return line and column, from 1, of a member's name, of an item, or of the whole.

    Args:
        text: JSON that can be read.
        pointer: names and numbers; where they lead on to nothing, the last that is there counts.
    """
    at = _BLANK.match(text, 1 if text.startswith("\ufeff") else 0).end()  # type: ignore[union-attr]
    shown = at
    for step in pointer:
        found = next(((s, v) for name, s, v in _members(text, at) if name == step), None)
        if found is None:
            break
        shown, at = found
    return text.count("\n", 0, shown) + 1, shown - (text.rfind("\n", 0, shown) + 1) + 1


def _members(text: str, at: int) -> Iterator[tuple[str | int, int, int]]:
    """Yield name or number, where the member begins, and where its value begins."""
    opening = text[at : at + 1]
    if opening not in ("{", "["):
        return
    at = _after_blank(text, at + 1)
    number = 0
    while at < len(text) and text[at] not in "}]":
        start = at
        name: str | int = number
        if opening == "{":
            name, at = scanstring(text, at + 1)
            at = _after_blank(text, _after_blank(text, at) + 1)
        yield name, start, at
        at = _after_blank(text, _end_of(text, at))
        if text[at : at + 1] == ",":
            at = _after_blank(text, at + 1)
        number += 1


def _after_blank(text: str, at: int) -> int:
    match = _BLANK.match(text, at)
    return at if match is None else match.end()


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
