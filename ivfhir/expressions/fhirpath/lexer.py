"""The words of a FHIRPath expression (https://hl7.org/fhirpath/N1/#lexical-elements)."""

import re
from dataclasses import dataclass

from ivfhir.expressions.fhirpath.place import PlacedError

MAX_LENGTH = 100_000
"""Characters of one expression."""
_WORDS = re.compile(
    r"""
    (?P<blank>\s+|//[^\r\n]*|/\*.*?\*/)
  | (?P<time>@T\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?)
  | (?P<date>@\d{4}(?:-\d\d(?:-\d\d)?)?
        (?P<clock>T(?:\d\d(?::\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:\d\d)?)?)?)
  | (?P<number>\d+(?:\.\d+)?)
  | (?P<name>[A-Za-z_]\w*)
  | (?P<quoted>`(?:[^`\\]|\\.)*`)
  | (?P<double>"(?:[^"\\]|\\.)*")
  | (?P<string>'(?:[^'\\]|\\.)*')
  | (?P<special>\$[a-z]+)
  | (?P<sign><=|>=|!=|!~|[-+*/&|=~<>.,()\[\]{}%])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
_ESCAPE = re.compile(
    r"\\(u[dD][89abAB][0-9A-Fa-f]{2}\\u[dD][c-fC-F][0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|.)", re.DOTALL
)
_HALF = re.compile("[\ud800-\udfff]")
"""One of the two code units by which UTF-16 writes a character; alone it is none."""
_ESCAPES = {"f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_PLAIN_ESCAPES = frozenset("'\"`\\/")
END = "end"


@dataclass(slots=True)
class Token:
    """A word.

    Attributes:
        kind: time, date, dateTime, number, name, quoted (a name in backticks), string, double
            (double quotes), special (`$this`), sign, end.
        text: the word, of quoted ones what they mean.
        at: how many characters stand before it.
    """

    kind: str
    text: str
    at: int


def tokens_of(text: str) -> list[Token]:
    """Return the words of an expression, an `end` last.

    Raises:
        PlacedError: a character begins no word, or a string, comment or escape is not finished.
    """
    if len(text) > MAX_LENGTH:
        raise PlacedError(f"the expression is longer than {MAX_LENGTH} characters; split it", 0)
    tokens = []
    at = 0
    while at < len(text):
        match = _WORDS.match(text, at)
        if match is None or (text.startswith("/*", at) and match.lastgroup == "sign"):
            raise PlacedError(_unreadable(text, at), at)
        kind = match.lastgroup or ""
        if kind != "blank":
            tokens.append(_token(kind, match, at))
        at = match.end()
    tokens.append(Token(END, "", at))
    return tokens


def _token(kind: str, match: re.Match[str], at: int) -> Token:
    word = match.group()
    if kind in ("quoted", "double", "string"):
        text = _ESCAPE.sub(lambda m: _escaped(m, at), word[1:-1])
        if _HALF.search(text):
            raise PlacedError("half of a surrogate pair is no character; write both halves", at)
        return Token(kind, text, at)
    if kind == "clock" or (kind == "date" and match.group("clock")):
        return Token("dateTime", word[1:], at)
    return Token(kind, word[1:] if kind in ("date", "time") else word, at)


def _escaped(match: re.Match[str], at: int) -> str:
    what = match.group(1)
    if what[0] == "u" and len(what) > 1:
        units = b"".join(bytes.fromhex(each) for each in what[1:].split("\\u"))
        return units.decode("utf-16-be", "surrogatepass")
    if what in _PLAIN_ESCAPES:
        return what
    if what not in _ESCAPES:
        raise PlacedError(f"\\{what} is no escape of FHIRPath; a backslash is written \\\\", at)
    return _ESCAPES[what]


def _unreadable(text: str, at: int) -> str:
    character = text[at]
    if character in "'`\"":
        return f"what begins with {character} has no end; close it"
    if text.startswith("/*", at):
        return "the comment has no end; close it with */"
    if character == "@":
        return "@ begins a date or a time: @2015-02-04, @2015-02-04T14:34:28Z or @T14:30"
    return f"'{character}' begins nothing that FHIRPath knows"
