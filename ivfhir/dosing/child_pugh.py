"""The Child-Pugh score, an interval where a part of it is missing."""

from dataclasses import dataclass
from decimal import Decimal

from ivfhir.dosing.plausible import check, check_word
from ivfhir.errors import ParameterError

ASCITES = {"none": 1, "mild": 2, "moderate-severe": 3}
ENCEPHALOPATHY = {"none": 1, "grade-1-2": 2, "grade-3-4": 3}
_BOUNDS_OF_CLASS_A, _BOUNDS_OF_CLASS_B = 6, 9
_ANY = (1, 3)


@dataclass(frozen=True)
class ChildPugh:
    """The score, between `low` and `high`: the same where every part is known.

    Attributes:
        low: the lowest score that is possible.
        high: the highest.
        points: part of the score -> its lowest and highest points.
    """

    low: int
    high: int
    points: dict[str, tuple[int, int]]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes that are possible: A is 5 to 6, B 7 to 9, C 10 to 15."""
        return tuple(sorted({_class(score) for score in range(self.low, self.high + 1)}))


def child_pugh(
    *,
    bilirubin_mg_dl: Decimal | None,
    albumin_g_dl: Decimal | None,
    inr: Decimal | None,
    ascites: str | None,
    encephalopathy: str | None,
) -> ChildPugh:
    """Return the score; each part may be None, which counts as 1 to 3 points (E-13).

    Args:
        bilirubin_mg_dl: total bilirubin.
        albumin_g_dl: serum albumin.
        inr: international normalised ratio.
        ascites: none, mild or moderate-severe.
        encephalopathy: none, grade-1-2 or grade-3-4.

    Raises:
        ParameterError: a value is implausible (E-08), or every part is missing.

    Source: CALC-06 [R30]
    """
    points = {
        "bilirubin": _rising("bilirubin_mg_dl", bilirubin_mg_dl, "2", "3"),
        "albumin": _albumin(albumin_g_dl),
        "inr": _rising("inr", inr, "1.7", "2.3"),
        "ascites": _word("ascites", ascites, ASCITES),
        "encephalopathy": _word("encephalopathy", encephalopathy, ENCEPHALOPATHY),
    }
    if all(each is None for each in points.values()):
        raise ParameterError(
            "Nothing of the Child-Pugh score is known; give at least one of bilirubin, albumin, "
            "inr, ascites, encephalopathy."
        )
    known = {part: each or _ANY for part, each in points.items()}
    low, high = (sum(each[end] for each in known.values()) for end in (0, 1))
    return ChildPugh(low=low, high=high, points=known)


def _rising(name: str, value: Decimal | None, low: str, high: str) -> tuple[int, int] | None:
    """Return the points of a value that is worse when it is higher: both limits are 2 points."""
    if value is None:
        return None
    check(name, value)
    points = 1 if value < Decimal(low) else 2 if value <= Decimal(high) else 3
    return points, points


def _albumin(value: Decimal | None) -> tuple[int, int] | None:
    if value is None:
        return None
    check("albumin_g_dl", value)
    points = 1 if value > Decimal("3.5") else 2 if value >= Decimal("2.8") else 3
    return points, points


def _word(name: str, word: str | None, points: dict[str, int]) -> tuple[int, int] | None:
    if word is None:
        return None
    found = points[check_word(name, word, points)]
    return found, found


def _class(score: int) -> str:
    return "A" if score <= _BOUNDS_OF_CLASS_A else "B" if score <= _BOUNDS_OF_CLASS_B else "C"
