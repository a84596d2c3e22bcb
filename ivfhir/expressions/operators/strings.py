"""Strings (https://cql.hl7.org/09-b-cqlreference.html#string-operators-3)."""

import re
from collections.abc import Callable
from functools import lru_cache

from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.values.value import Value

ESCAPED = {"\\$": "$", "\\\\": "\\\\"}
"""What an escaped character of a replacement is in the notation of Python's `re`."""


@lru_cache(maxsize=512)
def pattern(text: str) -> re.Pattern[str]:
    """Return a compiled regular expression.

    Raises:
        CqlError: Python's `re` does not read it.
    """
    try:
        return re.compile(text, re.DOTALL)
    except re.error as error:
        raise CqlError(f"not a regular expression: {error.msg}") from error


@lru_cache(maxsize=512)
def matcher(expression: str) -> Callable[[str], re.Match[str] | None]:
    """Return what matches a whole text.

    `.*(a|b).*` is found by searching, which is the same and does not try every place twice.
    """
    found = re.fullmatch(r"\.\*\(([\w |]+)\)\.\*", expression)
    return pattern(found[1]).search if found else pattern(expression).fullmatch


def matches(text: str, expression: str) -> bool:
    """Return whether the whole text matches."""
    return matcher(expression)(text) is not None


@lru_cache(maxsize=512)
def replacement(text: str) -> str:
    r"""Return a replacement with `$1` and `\$` as Python's `re` writes them."""
    tokens = re.split(r"(\\\$|\\\\|\$\d+)", text)
    return "".join(_token(token) for token in tokens)


def _token(token: str) -> str:
    """Return one token of a replacement in Python's notation."""
    if token in ESCAPED:
        return ESCAPED[token]
    if re.fullmatch(r"\$\d+", token):
        return rf"\g<{token[1:]}>"
    return token.replace("\\", "\\\\")


@lru_cache(maxsize=512)
def is_plain(expression: str, substitution: str) -> bool:
    """Return whether neither text has a character that means something else than itself."""
    return re.fullmatch(r"[\w,;:/_-]+", expression) is not None and not set(substitution) & set(
        "$\\"
    )


def replace_matches(text: str, expression: str, substitution: str) -> str:
    """Return the text with each match replaced; `$1` is the first group."""
    if is_plain(expression, substitution):
        return text.replace(expression, substitution)
    return pattern(expression).sub(replacement(substitution), text)


def substring(text: str, start: int, length: int | None = None) -> str | None:
    """Return the part from `start` (0 is the first), None when `start` is outside."""
    if start and not 0 <= start < len(text):
        return None
    return text[start:] if length is None else text[start : start + max(length, 0)]


def split(text: str, separator: str | None) -> list[str]:
    """Return the parts between separators; the whole text without one."""
    return text.split(separator) if separator else [text]


def split_on_matches(text: str, expression: str) -> list[str]:
    """Return the parts between matches."""
    return [part for part in pattern(expression).split(text) if part is not None]


def combine(parts: list[str | None], separator: str | None = None) -> str | None:
    """Return the parts that are not null joined, None when there is none."""
    known = [part for part in parts if part is not None]
    return (separator or "").join(known) if known else None


def concatenate(parts: list[Value]) -> str | None:
    """Return all parts in one, None if any is null."""
    return None if any(part is None for part in parts) else "".join(parts)


def position_of(part: str, text: str) -> int:
    """Return where the part first begins, -1 when it does not occur."""
    return text.find(part)


def last_position_of(part: str, text: str) -> int:
    """Return where the part last begins, -1 when it does not occur."""
    return text.rfind(part)


def starts_with(text: str, prefix: str) -> bool:
    """Return whether the text begins so."""
    return text.startswith(prefix)


def ends_with(text: str, suffix: str) -> bool:
    """Return whether the text ends so."""
    return text.endswith(suffix)


def character_at(text: str, index: int) -> str | None:
    """Return one character, None outside the text."""
    return text[index] if 0 <= index < len(text) else None
