"""UCUM's grammar: terms of units, numbers, annotations and brackets (https://ucum.org/ucum)."""

import re
from functools import lru_cache

from ivfhir.fhir.ucum.atoms import every_symbol, table

MEANT = {
    "mcg": "ug",
    "mcl": "uL",
    "cc": "mL",
    "iu": "[IU]",
    "mmhg": "mm[Hg]",
    "sec": "s",
    "hr": "h",
    "hrs": "h",
    "mins": "min",
    "day": "d",
    "days": "d",
    "week": "wk",
    "weeks": "wk",
    "month": "mo",
    "months": "mo",
    "year": "a",
    "years": "a",
    "yr": "a",
    "lb": "[lb_av]",
    "lbs": "[lb_av]",
    "oz": "[oz_av]",
    "in": "[in_i]",
    "inch": "[in_i]",
    "ft": "[ft_i]",
    "degf": "[degF]",
    "degc": "Cel",
    "percent": "%",
}
"""What people write, small, and what UCUM has for it."""
LONGEST, DEEPEST = 1000, 50
_PART = re.compile(
    r"""
    (?P<annotation> \{ [!-z|~]* \} )
    | (?P<symbol> (?: \[ [!-Z\\^-~]* \] | [!-'*,:-Z\\^-z|~] | [0-9]+ (?= [*^] ) )
        (?: \[ [!-Z\\^-~]* \] | [!-'*,0-9:-Z\\^-z|~] )*? )
      (?P<exponent> [+-]? [0-9]+ )? (?= [./(){}] | $ )
    | (?P<number> [0-9]+ ) (?= [./(){}] | $ )
    """,
    re.VERBOSE,
)


@lru_cache(maxsize=4096)
def unit_problem(code: str) -> str | None:
    """Return what is wrong with a unit, None where UCUM has it.

    Returns:
        The end of a sentence that begins with the unit: "has a blank; …".
    """
    if any(each.isspace() for each in code):
        bare = "".join(code.split())
        meant = f"; is {bare} meant?" if bare and unit_problem(bare) is None else ""
        return f"has a blank, which no unit of UCUM has{meant}"
    if len(code) > LONGEST:
        return f"is longer than {LONGEST} characters"
    if not code.isascii():
        foreign = next(each for each in code if not each.isascii())
        return (
            f"holds '{foreign}', but UCUM is written in ASCII alone (u for micro, m2 for a square)"
        )
    return _Reading(code).problem()


class _Reading:
    """One unit, read from left to right."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._at = 0

    def problem(self) -> str | None:
        """Return what is wrong, None where nothing is."""
        if self._code[:1] == "/":
            self._at = 1
        wrong = self._term(0)
        if wrong is None and self._at < len(self._code):
            return self._unexpected()
        return wrong

    def _term(self, depth: int) -> str | None:
        """Read components with `.` and `/` between."""
        if depth > DEEPEST:
            return f"has more than {DEEPEST} brackets inside one another"
        while True:
            wrong = self._component(depth)
            if wrong is not None:
                return wrong
            if self._next() not in (".", "/"):
                return None
            self._at += 1

    def _component(self, depth: int) -> str | None:
        if self._next() == "(":
            self._at += 1
            wrong = self._term(depth + 1)
            if wrong is not None:
                return wrong
            if self._next() != ")":
                return "has a bracket that is not closed"
            self._at += 1
            return self._annotations()
        match = _PART.match(self._code, self._at)
        if match is None:
            return self._unexpected()
        self._at = match.end()
        symbol = match["symbol"]
        if symbol is not None and not table().is_unit(symbol):
            return _unknown(symbol)
        return self._annotations()

    def _annotations(self) -> str | None:
        """Skip what stands in braces after a unit."""
        while self._next() == "{":
            match = _PART.match(self._code, self._at)
            if match is None:
                return self._unexpected()
            self._at = match.end()
        return None

    def _next(self) -> str:
        return self._code[self._at : self._at + 1]

    def _unexpected(self) -> str:
        found = self._next()
        if not found:
            return "ends where a unit or a number is missing"
        return f"has '{found}' at its character {self._at + 1}, where UCUM has none"


def _unknown(symbol: str) -> str:
    alike = every_symbol().get(symbol.lower(), ())
    nearest = min(alike, key=lambda each: _differing(each, symbol), default=None)
    meant = MEANT.get(symbol.lower()) or nearest
    hint = f"; is {meant} meant?" if meant else "; a word of your own stands in braces: {tablet}"
    return f"holds '{symbol[:40]}', which UCUM does not have{hint}"


def _differing(one: str, other: str) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))
