"""The statements of the seeds, and the readings of their ambiguous words (section A)."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_HERE = Path(__file__).parent
_NAMED = re.compile(
    r"\b([A-Z]+)-((?:[A-Z]+\d*|\d\d)(?:(?:, ?|/)(?:[A-Z]\d\d|\d\d))*)\b|\b(ROUTE)\b"
)
_WORDS = re.compile(r"\b(education|label|text|read as)\b")


class Statement(NamedTuple):
    """One statement of a seed, or one reading.

    Attributes:
        label: `S0-08`, `I-03`.
        says: its paraphrase.
        realised_as: what the specification wants of it.
    """

    label: str
    says: str
    realised_as: str

    @property
    def in_words(self) -> bool:
        """Whether the guide may realise it: where words alone are asked for."""
        return bool(_WORDS.search(self.realised_as)) or self.label.startswith("I-")

    @property
    def named(self) -> list[str]:
        """The elements that `realised_as` names: `LUNG-A04`, `LUNG-A09` of `LUNG-A04, A09`."""
        return list(dict.fromkeys(_named(self.realised_as)))


def _named(text: str) -> Iterator[str]:
    for kind, rest, route in _NAMED.findall(text):
        if route:
            yield route
        elif kind != "I":
            yield from (f"{kind}-{each.strip()}" for each in re.split(r"[,/]", rest))


def statements() -> list[Statement]:
    """Return the statements of both seeds, in their order."""
    return _read("statements.csv")


def readings() -> list[Statement]:
    """Return the readings, in their order."""
    return _read("readings.csv")


def _read(name: str) -> list[Statement]:
    with (_HERE / name).open(encoding="utf-8", newline="") as rows:
        return [Statement(*row) for row in list(csv.reader(rows))[1:]]
