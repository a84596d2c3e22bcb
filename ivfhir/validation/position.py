"""Line and column of a value in JSON text; asked for only where something is wrong."""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterable
from typing import Any

from ivfhir.fhir.json_members import after_blank, members
from ivfhir.validation.issue import Pointer

Tree = dict[str | int, Any]
"""Steps of pointers, each with those that go on from it."""
_LINE_END = re.compile("\n")


def positions_of(text: str, pointers: Iterable[Pointer]) -> dict[Pointer, tuple[int, int]]:
    """Return line and column, from 1, of members' names, of items, or of the whole, in one pass.

    Args:
        text: JSON that can be read.
        pointers: names and numbers; where they lead on to nothing, the last that is there counts.
            A name is also that of what stands beside it: `birthDate` leads into `_birthDate`.
    """
    wanted: dict[Pointer, Tree] = {pointer: {} for pointer in pointers}
    tree: Tree = {}
    for pointer in wanted:
        here = tree
        for step in pointer:
            here = here.setdefault(step, {})
    start = after_blank(text, 1 if text.startswith("\ufeff") else 0)
    found: dict[Pointer, int] = {}
    _walk(text, start, start, tree, way=(), found=found)
    ends = [match.start() for match in _LINE_END.finditer(text)]
    return {pointer: _line_and_column(_nearest(pointer, found), ends) for pointer in wanted}


def lines_of(text: str, wanted: Collection[int]) -> dict[int, str]:
    """Return the lines of those numbers, without their ends; the first is 1.

    A text of one line is not copied: it may have 64 MB.
    """
    found: dict[int, str] = {}
    start = 0
    for number in range(1, max(wanted, default=0) + 1):
        end = text.find("\n", start)
        end = len(text) if end < 0 else end
        if number in wanted:
            found[number] = text[start:end].rstrip("\r")
        start = end + 1
    return found


def _walk(
    text: str,
    at: int,
    shown: int,
    tree: Tree,
    *,
    way: Pointer,
    found: dict[Pointer, int],
    is_beside: bool = False,
) -> None:
    """Note where a value and what is wanted inside it begin.

    What stands beside an element counts where the element itself is not there.
    """
    if not is_beside or way not in found:
        found[way] = shown
    if not tree:
        return
    for name, start, value in members(text, at):
        bare = name.removeprefix("_") if isinstance(name, str) and name not in tree else name
        if bare in tree:
            beside = is_beside or bare != name
            inside = tree[bare]
            _walk(text, value, start, inside, way=(*way, bare), found=found, is_beside=beside)


def _nearest(pointer: Pointer, found: dict[Pointer, int]) -> int:
    while pointer not in found:
        pointer = pointer[:-1]
    return found[pointer]


def _line_and_column(at: int, ends: list[int]) -> tuple[int, int]:
    line = bisect_left(ends, at)
    before = ends[line - 1] if line else -1
    return line + 1, at - before
