"""Whether the JSON of a primitive is what its type says.

http://hl7.org/fhir/R4/datatypes.html#primitive
"""

import base64
import binascii
import re
from collections.abc import Callable
from decimal import Decimal
from functools import cache

from ivfhir.expressions.values.dates import parse_date, parse_date_time, parse_time
from ivfhir.fhir.r4 import definition_of
from ivfhir.fhir.types import Json

MAX_INTEGER = 2**31 - 1
MAX_TEXT = 2**20
"""Characters of a string: http://hl7.org/fhir/R4/datatypes.html#string"""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
LOWEST = {"integer": -MAX_INTEGER - 1, "unsignedInt": 0, "positiveInt": 1}


def primitive_problem(raw: Json, type_name: str) -> str | None:
    """Return what is wrong with a value, None where nothing is.

    Args:
        raw: the JSON.
        type_name: of an R4 primitive.

    Returns:
        The end of a sentence that begins with the element: "is text where …".
    """
    return CHECKS.get(type_name, _check_text)(raw, type_name)


def kind_of(raw: Json) -> str:
    """Return what kind of JSON a value is, in words."""
    if isinstance(raw, dict | list):
        return "an object" if isinstance(raw, dict) else "an array"
    if isinstance(raw, bool) or raw is None:
        return "null" if raw is None else "true or false"
    return "text" if isinstance(raw, str) else "a number"


def _check_boolean(raw: Json, type_name: str) -> str | None:
    if isinstance(raw, bool):
        return None
    return f"is {kind_of(raw)}; a boolean is true or false, without quotes"


def _check_integer(raw: Json, type_name: str) -> str | None:
    if isinstance(raw, bool) or not isinstance(raw, int):
        return f"is {kind_of(raw)}; {_a(type_name)} is a whole number, without quotes and point"
    lowest = LOWEST[type_name]
    if not lowest <= raw <= MAX_INTEGER:
        return f"is out of bounds; {_a(type_name)} lies between {lowest} and {MAX_INTEGER}"
    return None


def _check_decimal(raw: Json, type_name: str) -> str | None:
    if isinstance(raw, bool) or not isinstance(raw, int | Decimal | float):
        return f"is {kind_of(raw)}; a decimal is a number, without quotes"
    return None


def _check_text(raw: Json, type_name: str) -> str | None:
    if not isinstance(raw, str):
        return f"is {kind_of(raw)}; {_a(type_name)} is text, in double quotes"
    if not raw.isprintable() or not raw.strip() or len(raw) > MAX_TEXT:  # Few are so.
        for is_wrong, problem in TEXTS:
            if is_wrong(raw):
                return problem
    if type_name in ANY_TEXT:
        return None
    kinds: tuple[str, ...] = (type_name,)
    if type_name in URIS:
        kinds += tuple(kind for start, kind in URNS.items() if raw.startswith(start))
    for each in kinds:
        pattern = _pattern(each)
        if pattern is not None and pattern.fullmatch(raw) is None:
            return f"is no {each}; {HINTS.get(each, 'look up its form')}"
    return None


ANY_TEXT = frozenset({"string", "markdown"})
"""Their patterns ask for a character, and no more."""
URIS = frozenset({"uri", "url", "canonical"})
URNS = {"urn:uuid:": "uuid", "urn:oid:": "oid"}
"""A URI that begins so must go on as that type does."""
TEXTS: tuple[tuple[Callable[[str], object], str], ...] = (
    (lambda text: not text, "is an empty text; leave it out, or say what it is"),
    (lambda text: not text.strip(), "holds blanks alone; leave it out, or say what it is"),
    (
        lambda text: len(text) > MAX_TEXT,
        f"is longer than {MAX_TEXT} characters, which no text of FHIR may be",
    ),
    (_CONTROL.search, "holds a control character, which no text of FHIR may hold; remove it"),
)
"""What no text may be, and what is said of one that is."""


def _check_base64(raw: Json, type_name: str) -> str | None:
    if not isinstance(raw, str):
        return f"is {kind_of(raw)}; a base64Binary is text, in double quotes"
    try:
        base64.b64decode("".join(raw.split()), validate=True)
    except (binascii.Error, ValueError):
        return "is no base64: encode it again"
    return None if raw.strip() else "is empty; leave it out"


def _of_calendar(parse: Callable[[str], object]) -> Callable[[Json, str], str | None]:
    def check(raw: Json, type_name: str) -> str | None:
        problem = _check_text(raw, type_name)
        if problem is None and isinstance(raw, str) and parse(raw) is None:
            return "is a day or time that the calendar does not have; correct it"
        return problem

    return check


def _check_xhtml(raw: Json, type_name: str) -> str | None:
    return (
        None
        if isinstance(raw, str)
        else f"is {kind_of(raw)}; a narrative is text, in double quotes"
    )


CHECKS: dict[str, Callable[[Json, str], str | None]] = {
    "boolean": _check_boolean,
    "integer": _check_integer,
    "unsignedInt": _check_integer,
    "positiveInt": _check_integer,
    "decimal": _check_decimal,
    "base64Binary": _check_base64,
    "date": _of_calendar(parse_date),
    "dateTime": _of_calendar(parse_date_time),
    "instant": _of_calendar(parse_date_time),
    "time": _of_calendar(parse_time),
    "xhtml": _check_xhtml,
}
HINTS = {
    "code": "write it without blanks at its ends, and with single ones inside",
    "date": "write YYYY, YYYY-MM or YYYY-MM-DD",
    "dateTime": "write YYYY-MM-DD, or YYYY-MM-DDThh:mm:ss with an offset such as +01:00 or Z",
    "instant": "write YYYY-MM-DDThh:mm:ss with an offset such as +01:00 or Z",
    "time": "write hh:mm:ss",
    "id": "write 1 to 64 letters, digits, hyphens or points",
    "oid": "write urn:oid: and numbers with points between",
    "uuid": "write urn:uuid: and the UUID in small letters",
    "uri": "it may hold no blanks",
    "url": "it may hold no blanks",
    "canonical": "it may hold no blanks",
}


def _a(type_name: str) -> str:
    return f"{'an' if type_name[0] in 'aeiou' and type_name != 'uuid' else 'a'} {type_name}"


@cache
def _pattern(type_name: str) -> re.Pattern[str] | None:
    """Return what R4 says that the value must match, None where it says nothing that decides."""
    definition = definition_of(type_name)
    if definition is None or definition.pattern is None:
        return None
    return re.compile(definition.pattern, re.ASCII if type_name == "id" else 0)
