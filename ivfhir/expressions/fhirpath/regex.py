"""Regular expressions that cannot run away (https://hl7.org/fhirpath/N1/#matchesregex-string-boolean).

Python's `re` tries every way to match; for some expressions the ways are too many. An expression
that could need too many on a text is answered by walking all its states side by side instead, which
takes steps in proportion to the text; where it cannot be walked so (it looks around or back), it is
refused.
"""

import re
from functools import lru_cache
from re import _constants as constants  # type: ignore[attr-defined]  # what re itself parses with
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from ivfhir.expressions.fhirpath.place import PlacedError

MAX_PATTERN = 2_000
MAX_WAYS = 5_000_000
"""How many ways `re` may try."""
WAYS_AN_ITEM = 1_000
"""So many ways of matching take about as long as looking at an item."""
MAX_STATES = 20_000
MAX_WALK = 5_000_000
"""How many states may be looked at in one text."""
UNBOUNDED = 64
"""A repeat of more than this counts as one without a bound."""
REPEATS = (constants.MAX_REPEAT, constants.MIN_REPEAT)
_ESCAPE = re.compile(r"\\.", re.DOTALL)
_SETS = re.compile(r"\\.|\(\?#[^)]*\)|\[(?P<set>\^?\]?(?:\\.|[^\]\\])*)\]", re.DOTALL)
"""Escapes, comments, and sets with what is in them."""
_DOUBLE = re.compile(r"--|&&|~~|\|\|")
Parsed = Any
Code = Any
"""What `re` says of one part: its kind, or its argument. It has no types."""


def search(text: str, pattern: str, at: int) -> bool:
    """Return whether some part of the text matches."""
    if is_quick(pattern, len(text), at):
        return compiled(pattern, at).search(text) is not None
    return walk(text, pattern, at, whole=False)


def matches_whole(text: str, pattern: str, at: int) -> bool:
    """Return whether the whole text matches."""
    if is_quick(pattern, len(text), at):
        return compiled(pattern, at).fullmatch(text) is not None
    return walk(text, pattern, at, whole=True)


def replace(text: str, pattern: str, substitution: str, at: int) -> str:
    """Return the text with each match replaced; `$1` or `${name}` is a group."""
    if not pattern:
        return text
    if not is_quick(pattern, len(text), at):
        raise PlacedError(
            "this regular expression could take too long on this text; repeat nothing that repeats",
            at,
        )
    written = re.sub(r"\\(?!\$)", r"\\\\", substitution)
    written = re.sub(r"(?<!\\)\$(?:\{(\w+)\}|(\d))", _group, written).replace("\\$", "$")
    if len(text) * (len(substitution) + 1) > MAX_WAYS:
        raise PlacedError("the text that is made could be too long; replace less", at)
    try:
        return compiled(pattern, at).sub(written, text)
    except (re.error, IndexError):
        raise PlacedError("the replacement names a group that the expression has not", at) from None


def _group(match: re.Match[str]) -> str:
    return rf"\g<{match[1] or match[2]}>"


@lru_cache(maxsize=512)
def compiled(pattern: str, at: int) -> re.Pattern[str]:
    """Return the compiled expression.

    Raises:
        PlacedError: it is none, or too long.
    """
    if len(pattern) > MAX_PATTERN:
        raise PlacedError(f"a regular expression of more than {MAX_PATTERN} characters", at)
    if is_doubtful(pattern):
        raise PlacedError(
            "a regular expression with a set in a set ([[:alpha:]], &&, --, ||, ~~), which engines "
            "read in other ways; write the characters, or escape them with a backslash",
            at,
        )
    try:
        return re.compile(pattern, re.DOTALL)
    except (re.error, RecursionError, OverflowError) as error:
        raise PlacedError(f"no regular expression: {error}", at) from None


def is_doubtful(pattern: str) -> bool:
    """Return whether a set holds what means one thing to Python, another to other engines.

    It is what `re` itself warns of; to hear its warnings would need filters that threads share.
    """
    for match in _SETS.finditer(pattern):
        if match["set"] is not None:
            items = _ESCAPE.sub("a", match["set"])
            if items[:1] == "[" or _DOUBLE.search(items.removeprefix("^"), 1):
                return True
    return False


def is_quick(pattern: str, length: int, at: int) -> bool:
    """Return whether `re` tries no more than MAX_WAYS ways on a text of that length.

    Raises:
        PlacedError: it is no expression, or one that engines read in other ways.
    """
    compiled(pattern, at)
    nested, repeats = shape(pattern)
    if nested:
        return False
    return float(length + 1) ** (repeats + 1) <= MAX_WAYS


def cost(pattern: str, length: int, at: int) -> int:
    """Return how many items an answer on a text of that length counts as."""
    if is_quick(pattern, length, at):
        return int(float(length + 1) ** (shape(pattern)[1] + 1)) // WAYS_AN_ITEM
    return length


@lru_cache(maxsize=512)
def shape(pattern: str) -> tuple[bool, int]:
    """Return whether a repeat lies in another, and how many repeats without bound there are."""
    return _shape(parser.parse(pattern, re.DOTALL), inside=False)


def _shape(parsed: Parsed, *, inside: bool) -> tuple[bool, int]:
    nested, repeats = False, 0
    for operator, argument in parsed:
        for part, repeated in _parts(operator, argument):
            deeper, more = _shape(part, inside=inside or repeated)
            nested, repeats = nested or deeper, repeats + more
        if operator in REPEATS or operator is getattr(constants, "POSSESSIVE_REPEAT", None):
            low, high, inner = argument
            if inside and high > low:
                nested = True
            if high > UNBOUNDED or not _is_one_character(inner):
                repeats += 1
        elif operator is constants.BRANCH and inside:
            nested = True
    return nested, repeats


def _is_one_character(inner: Parsed) -> bool:
    return len(inner) == 1 and inner[0][0] in (
        constants.LITERAL,
        constants.NOT_LITERAL,
        constants.IN,
        constants.ANY,
    )


def _parts(operator: Code, argument: Code) -> list[tuple[Parsed, bool]]:
    """Return the expressions inside one, and whether they are repeated."""
    if operator in REPEATS or operator is getattr(constants, "POSSESSIVE_REPEAT", None):
        return [(argument[2], argument[1] > 1)]
    if operator is constants.SUBPATTERN:
        return [(argument[3], False)]
    if operator is constants.BRANCH:
        return [(each, False) for each in argument[1]]
    if operator in (constants.ASSERT, constants.ASSERT_NOT):
        return [(argument[1], False)]
    return []


class Machine:
    """States of an expression, each with what leads on from it.

    An edge is (kind, what, next): a test of one character, or without a character `start`, `end`
    or nothing.
    """

    def __init__(self, flags: int, at: int) -> None:
        """Begin without states; `flags` are those of the whole expression, such as `(?i)`."""
        self.edges: list[list[tuple[str, Any, int]]] = []
        self.flags = flags
        self.at = at

    def state(self) -> int:
        """Return a new state."""
        self.edges.append([])
        if len(self.edges) > MAX_STATES:
            raise PlacedError("this regular expression is too large; repeat less often", self.at)
        return len(self.edges) - 1

    def add(self, parsed: Parsed, start: int) -> int:
        """Add an expression from a state on, and return where it ends."""
        here = start
        for operator, argument in parsed:
            here = self._add_one(operator, argument, here)
        return here

    def _add_one(self, operator: Code, argument: Code, here: int) -> int:
        if operator in (constants.LITERAL, constants.NOT_LITERAL, constants.IN, constants.ANY):
            return self._edge(here, "one", _test_of(operator, argument, self.flags))
        if operator is constants.SUBPATTERN and not argument[1] and not argument[2]:
            return self.add(argument[3], here)
        if operator is constants.BRANCH:
            end = self.state()
            for each in argument[1]:
                self.edges[self.add(each, here)].append(("", None, end))
            return end
        if operator in REPEATS:
            return self._repeat(argument, here)
        if operator is constants.AT and not self.flags & re.MULTILINE:
            kind = {constants.AT_BEGINNING: "start", constants.AT_END: "end"}.get(argument)
            if kind is not None:
                return self._edge(here, kind, None)
        raise PlacedError(
            "this regular expression could take too long: it repeats what repeats, and looks "
            "around or back, at single lines, or with flags for a part",
            self.at,
        )

    def _edge(self, here: int, kind: str, what: Code) -> int:
        end = self.state()
        self.edges[here].append((kind, what, end))
        return end

    def _repeat(self, argument: Code, here: int) -> int:
        low, high, inner = argument
        for _ in range(low):
            here = self.add(inner, here)
        if high is constants.MAXREPEAT:
            loop = self._edge(here, "", None)
            self.edges[self.add(inner, loop)].append(("", None, loop))
            return self._edge(loop, "", None)
        end = self.state()
        for _ in range(high - low):
            self.edges[here].append(("", None, end))
            here = self.add(inner, here)
        self.edges[here].append(("", None, end))
        return end

    def closure(self, states: set[int], *, start: bool, end: bool) -> set[int]:
        """Return the states and those that are reached without a character."""
        found, left = set(states), list(states)
        while left:
            for kind, _, after in self.edges[left.pop()]:
                free = kind == "" or (kind == "start" and start) or (kind == "end" and end)
                if free and after not in found:
                    found.add(after)
                    left.append(after)
        return found


def _test_of(operator: Code, argument: Code, flags: int) -> re.Pattern[str]:
    """Return what one character must match."""
    kept = flags & (re.IGNORECASE | re.ASCII | re.DOTALL)
    return re.compile(_character(operator, argument), kept)


CATEGORIES = {
    constants.CATEGORY_DIGIT: r"\d",
    constants.CATEGORY_NOT_DIGIT: r"\D",
    constants.CATEGORY_SPACE: r"\s",
    constants.CATEGORY_NOT_SPACE: r"\S",
    constants.CATEGORY_WORD: r"\w",
    constants.CATEGORY_NOT_WORD: r"\W",
}


def _character(operator: Code, argument: Code) -> str:
    if operator is constants.ANY:
        return "."
    if operator is constants.LITERAL:
        return re.escape(chr(argument))
    if operator is constants.NOT_LITERAL:
        return f"[^{re.escape(chr(argument))}]"
    text = "["
    for kind, what in argument:
        if kind is constants.NEGATE:
            text += "^"
        elif kind is constants.LITERAL:
            text += re.escape(chr(what))
        elif kind is constants.RANGE:
            text += f"{re.escape(chr(what[0]))}-{re.escape(chr(what[1]))}"
        else:
            text += CATEGORIES[what]
    return text + "]"


@lru_cache(maxsize=128)
def machine(pattern: str, at: int) -> tuple[Machine, int]:
    """Return the states of an expression, and the last of them."""
    parsed = parser.parse(pattern, re.DOTALL)
    made = Machine(parsed.state.flags, at)
    start = made.state()
    return made, made.add(parsed, start)


def walk(text: str, pattern: str, at: int, *, whole: bool) -> bool:
    """Return whether the text, or some part of it, matches, by steps in proportion to the text."""
    made, last = machine(pattern, at)
    # `$` is the end, and what stands before a line feed that ends the text.
    ends = {len(text), len(text) - 1} if text.endswith("\n") else {len(text)}
    looked = 0
    states: set[int] = {0}
    for position in range(len(text) + 1):
        if not whole:
            states.add(0)
        states = made.closure(states, start=position == 0, end=position in ends)
        if last in states and (not whole or position == len(text)):
            return True
        if position == len(text):
            return False
        looked += len(states)
        if looked > MAX_WALK:
            raise PlacedError("this regular expression takes too long on this text", at)
        character = text[position]
        states = {
            after
            for state in states
            for kind, what, after in made.edges[state]
            if kind == "one" and what.match(character)
        }
        if whole and not states:
            return False
    return False
