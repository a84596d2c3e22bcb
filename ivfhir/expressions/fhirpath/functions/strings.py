"""Texts (https://hl7.org/fhirpath/N1/#string-manipulation)."""

import base64
import binascii
import html
import json
import re
from collections.abc import Callable

from ivfhir.expressions.fhirpath import regex
from ivfhir.expressions.fhirpath.compiled import (
    Compiled,
    Invocation,
    One,
    of_one,
    of_truth,
    of_values,
    single,
    values,
)
from ivfhir.expressions.fhirpath.equality import said
from ivfhir.expressions.fhirpath.functions.function import Function, checked, simple
from ivfhir.expressions.fhirpath.nodes import Items
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.run import MAX_ITEMS, Run
from ivfhir.expressions.fhirpath.types import SYSTEM
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values.value import Value

_JSON_ESCAPE = re.compile(r'(?:\\u[0-9A-Fa-f]{4})+|\\["\\/bfnrt]')
_SURROGATE = re.compile("[\ud800-\udfff]")


def substring(text: str, start: int, length: int | None = None) -> str | None:
    """Return the part from `start` on, the first is 0; None outside."""
    if not 0 <= start < len(text):
        return None
    return text[start:] if length is None else text[start : start + max(length, 0)]


def _substring(call: Invocation) -> Compiled:
    one = checked(single(call.base, call.at), "text", call.name, call.at)
    start = checked(call.one(0), "integer", call.name, call.at)
    length: One = (
        checked(call.one(1), "integer", call.name, call.at)
        if len(call.arguments) > 1
        else lambda run, this: None
    )

    def part(run: Run, this: Value) -> Value:
        text, first = one(run, this), start(run, this)
        if text is None or first is None:
            return None
        return substring(text, first, length(run, this))

    return of_one(part, SYSTEM["String"])


def with_pattern(function: Callable[[str, str, int], bool]) -> Function:
    """Return a function of a text and a regular expression."""

    def build(call: Invocation) -> Compiled:
        one = checked(single(call.base, call.at), "text", call.name, call.at)
        pattern = checked(call.one(0), "text", call.name, call.at)

        def truth(run: Run, this: Value) -> Truth:
            text, wanted = one(run, this), pattern(run, this)
            if text is None or wanted is None:
                return None
            run.spend(regex.cost(wanted, len(text), call.at))
            return function(text, wanted, call.at)

        return of_truth(truth)

    return Function(build, 1, 1)


def _replace_matches(call: Invocation) -> Compiled:
    at = call.at
    return simple(
        lambda text, pattern, new: regex.replace(text, pattern, new, at),
        "text",
        "text",
        "text",
        gives="String",
    ).build(call)


def replace(text: str, pattern: str, new: str) -> str:
    """Return the text with each occurrence replaced."""
    if len(text) + (text.count(pattern) + 1) * len(new) > MAX_ITEMS:
        raise PlacedError(f"a text of more than {MAX_ITEMS} characters; make a shorter one")
    return text.replace(pattern, new)


def _join(call: Invocation) -> Compiled:
    many = values(call.base)
    separator: One = lambda run, this: ""  # noqa: E731 - the other one is made
    if call.arguments:
        separator = checked(call.one(0), "text", call.name, call.at)

    def joined(run: Run, this: Value) -> Value:
        found, between = many(run, this), separator(run, this)
        if between is None or not found:
            return None
        for value in found:
            if value.__class__ is not str:
                raise PlacedError(f"join() takes Strings, not a {said(value)}", call.at)
        return run.made(between.join(found))

    return of_one(joined, SYSTEM["String"])


def _parts(function: Callable[..., list[str]], arguments: int) -> Function:
    """Return a function from a text to texts."""

    def build(call: Invocation) -> Compiled:
        one = checked(single(call.base, call.at), "text", call.name, call.at)
        rest = [
            checked(call.one(number), "text", call.name, call.at) for number in range(arguments)
        ]

        def found(run: Run, this: Value) -> Items:
            text = one(run, this)
            given = [each(run, this) for each in rest]
            return [] if text is None or None in given else function(text, *given)

        return of_values(found, SYSTEM["String"])

    return Function(build, arguments, arguments)


def encode(text: str, form: str) -> str | None:
    """Return the UTF-8 of a text as hex, base64 or urlbase64; None for another form."""
    raw = text.encode()
    if form == "hex":
        return raw.hex()
    if form == "base64":
        return base64.b64encode(raw).decode()
    return base64.urlsafe_b64encode(raw).decode() if form == "urlbase64" else None


def decode(text: str, form: str) -> str | None:
    """Return what was encoded; None where it cannot be read."""
    try:
        if form == "hex":
            return bytes.fromhex(text).decode()
        if form == "base64":
            return base64.b64decode(text, validate=True).decode()
        if form == "urlbase64":
            return base64.b64decode(text, altchars=b"-_", validate=True).decode()
    except (ValueError, binascii.Error):
        return None
    return None


def escape(text: str, target: str) -> str | None:
    """Return the text as it stands inside HTML or a JSON string; None for another target."""
    if target == "html":
        return html.escape(text)
    return json.dumps(text, ensure_ascii=False)[1:-1] if target == "json" else None


def unescape(text: str, target: str) -> str | None:
    """Return what was escaped; None for another target, or a half of a surrogate pair."""
    if target == "html":
        return html.unescape(text)
    if target != "json":
        return None
    found = _JSON_ESCAPE.sub(lambda match: str(json.loads(f'"{match[0]}"')), text)
    return found if found.isascii() or not _SURROGATE.search(found) else None


def split(text: str, separator: str) -> list[str]:
    """Return the parts between separators; each character where there is none."""
    return text.split(separator) if separator else list(text)


FUNCTIONS = {
    "indexOf": simple(lambda text, part: text.find(part), "text", "text", gives="Integer"),
    "lastIndexOf": simple(lambda text, part: text.rfind(part), "text", "text", gives="Integer"),
    "substring": Function(_substring, 1, 2),
    "startsWith": simple(lambda text, part: text.startswith(part), "text", "text", gives="Boolean"),
    "endsWith": simple(lambda text, part: text.endswith(part), "text", "text", gives="Boolean"),
    "contains": simple(lambda text, part: part in text, "text", "text", gives="Boolean"),
    "upper": simple(lambda text: text.upper(), "text", gives="String"),
    "lower": simple(lambda text: text.lower(), "text", gives="String"),
    "replace": simple(replace, "text", "text", "text", gives="String"),
    "matches": with_pattern(regex.search),
    "matchesFull": with_pattern(regex.matches_whole),
    "replaceMatches": Function(_replace_matches, 2, 2),
    "length": simple(len, "text", gives="Integer"),
    "trim": simple(lambda text: text.strip(), "text", gives="String"),
    "encode": simple(encode, "text", "text", gives="String"),
    "decode": simple(decode, "text", "text", gives="String"),
    "escape": simple(escape, "text", "text", gives="String"),
    "unescape": simple(unescape, "text", "text", gives="String"),
    "toChars": _parts(list, 0),
    "split": _parts(split, 1),
    "join": Function(_join, 0, 1),
}
