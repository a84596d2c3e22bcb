"""FHIR JSON text to Python and back, every digit kept.

FHIR holds that `1.0` and `1.00` differ in precision, so decimals are `decimal.Decimal` on the way
in and are written as they stand on the way out: http://hl7.org/fhir/R4/datatypes.html#decimal
"""

import json
from collections import Counter
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from json.encoder import encode_basestring
from typing import Any, NoReturn

from ivfhir.errors import InputError
from ivfhir.fhir.types import Json

MAX_DEPTH = 128
"""Levels of objects and lists inside one another; real resources stay far below it."""


MAX_DIGITS = 100
"""Characters of one number, and places before or after its point: no measurement comes near."""


def loads(text: str, *, place: str) -> Json:
    """Return the JSON value of `text`, decimals as `Decimal`.

    Args:
        text: one JSON document; a byte order mark at its start is allowed.
        place: what the text is, for the message: a file name, with a line.

    Returns:
        dict, list, str, int, Decimal, bool or None.

    Raises:
        InputError: it is not JSON, holds NaN or Infinity, names one element twice in an object,
            holds half a character or a number beyond `MAX_DIGITS`, or is nested deeper than
            `MAX_DEPTH`.
    """

    def constant(name: str) -> NoReturn:
        raise InputError(
            f"{place} holds {name}, which JSON does not know; export it again without."
        )

    def decimal(digits: str) -> Decimal:
        if len(digits) <= MAX_DIGITS and "e" not in digits and "E" not in digits:
            return Decimal(digits)
        number = Decimal(digits) if len(digits) <= MAX_DIGITS else None
        if number is None or abs(number.adjusted()) > MAX_DIGITS:
            raise _too_long(place, digits)
        return number

    def whole(digits: str) -> int:
        if len(digits) > MAX_DIGITS:
            raise _too_long(place, digits)
        return int(digits)

    bare = text.removeprefix("\ufeff")
    try:
        value: Json = json.loads(
            bare, parse_float=decimal, parse_int=whole, parse_constant=constant
        )
    except RecursionError:
        raise _too_deep(place) from None
    except ValueError as error:
        raise InputError(_not_json(text, place, error)) from None
    if _count_members(value, place) != _count_names(bare):
        _check_names(bare, place)
    if "\\" in text and ("\\ud" in text or "\\uD" in text):
        _check_characters(value, place)
    return value


def _count_names(text: str) -> int | None:
    """Return how often a colon follows a quote, or None where blanks may stand between them.

    Each name of an object counts; strings may add to it. So it equals the number of members only
    when no name was given twice in one object.
    """
    if '" :' in text or any(blank in text and f'"{blank}:' in text for blank in "\t\r\n"):
        return None
    return text.count('":')


def _check_names(text: str, place: str) -> None:
    """Refuse an object that names one element twice."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        members = dict(pairs)
        if len(members) < len(pairs):
            counts = Counter(name for name, _ in pairs)
            twice = next(name for name, count in counts.items() if count > 1)
            raise InputError(
                f"{place} names the element '{twice[:40]}' twice in one object, so it contradicts "
                "itself; export it again."
            )
        return members

    json.loads(text, object_pairs_hook=members)


class Written(dict[str, Any]):
    """An object together with its line of JSON, which need not be written again.

    What is changed in it afterwards is not in the line.
    """

    def __init__(self, value: dict[str, Any], line: str | None = None) -> None:
        """Write an object.

        Args:
            value: the object.
            line: its line, where somebody has it.
        """
        super().__init__(value)
        self.line = _line(value) if line is None else line


def dumps(value: Json, *, indent: int | None = None) -> str:
    """Return `value` as JSON text: members in their order, decimals digit by digit.

    Args:
        value: what `loads` returns.
        indent: blanks a level; None writes one line.
    """
    if indent is not None:
        return "".join(_pieces(value, indent, "\n"))
    return _line(value)


def _line(value: Json) -> str:
    """Return a value as one line: what every request and every row of a ledger is written by."""
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, dict):
        if type(value) is Written:
            return value.line
        members = [
            _name(name) + (encode_basestring(each) if type(each) is str else _line(each))
            for name, each in value.items()
        ]
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join([_line(item) for item in value]) + "]"
    return _scalar(value)


@lru_cache(4096)
def _name(name: str) -> str:
    """Return the name of a member as it is written; there are few."""
    return f"{encode_basestring(name)}: "


def _scalar(value: Json) -> str:
    if value is None or isinstance(value, bool):
        return "null" if value is None else "true" if value else "false"
    if isinstance(value, int | Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is no JSON value")


def _pieces(value: Json, indent: int, newline: str) -> list[str]:
    if isinstance(value, str):
        return [encode_basestring(value)]
    deeper = newline + " " * indent
    if isinstance(value, dict):
        members = [
            [encode_basestring(name), ": ", *_pieces(member, indent, deeper)]
            for name, member in value.items()
        ]
        return _enclosed("{", members, "}", deeper, newline)
    if isinstance(value, list | tuple):
        items = [_pieces(item, indent, deeper) for item in value]
        return _enclosed("[", items, "]", deeper, newline)
    return [_scalar(value)]


def _enclosed(
    opening: str, parts: list[list[str]], closing: str, deeper: str, newline: str
) -> list[str]:
    if not parts:
        return [opening + closing]
    pieces = [opening]
    for number, part in enumerate(parts):
        pieces.append("," + deeper if number else deeper)
        pieces.extend(part)
    pieces.append(newline + closing)
    return pieces


def _count_members(value: Json, place: str) -> int:
    """Return how many members all objects have together, having looked how deep they lie."""
    count = 0
    level: list[Any] = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        if not level:
            return count
        objects = [container for container in level if type(container) is dict]
        arrays = [container for container in level if type(container) is list]
        count += sum(map(len, objects))
        children = chain(
            chain.from_iterable(map(dict.values, objects)), chain.from_iterable(arrays)
        )
        level = [child for child in children if type(child) is dict or type(child) is list]
    if level:
        raise _too_deep(place)
    return count


def _check_characters(value: Json, place: str) -> None:
    try:
        dumps(value).encode()
    except UnicodeEncodeError:
        raise InputError(
            f"{place} holds half of a surrogate pair, which is no character; "
            "export it again as UTF-8."
        ) from None


def _too_deep(place: str) -> InputError:
    return InputError(
        f"{place} is nested more than {MAX_DEPTH} levels deep, which no FHIR resource is; "
        "check what wrote it."
    )


def _too_long(place: str, digits: str) -> InputError:
    return InputError(
        f"{place} holds a number that is too long or too large to be meant ({digits[:20]}…); "
        "check what wrote it."
    )


def _not_json(text: str, place: str, error: ValueError) -> str:
    start = text.lstrip("\ufeff \t\r\n")[:1]
    if not start:
        return f"{place} is empty; give FHIR R4 JSON."
    if start == "<":
        return f"{place} is XML or HTML, not JSON; give FHIR R4 in its JSON form."
    if isinstance(error, json.JSONDecodeError):
        where = f"line {error.lineno}, column {error.colno}"
        return f"{place} is not JSON ({error.msg}, {where}); is it cut off? Give FHIR R4 JSON."
    return f"{place} holds a number that is too long to be meant; check what wrote it."
