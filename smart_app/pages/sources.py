"""Where a rule comes from, and how strong that is: the four marks that stand beside every rule."""

import re
from dataclasses import dataclass

MARKS = {
    "lit-conf": ("pub", "Published"),
    "literature-confirmed": ("pub", "Published"),
    "seed": ("one", "One author"),
    "lit-GK": ("gk", "General knowledge"),
    "literature-general-knowledge": ("gk", "General knowledge"),
    "design": ("our", "Our choice"),
}
"""Provenance mark of the specification -> symbol `m-…` and words."""

KEY = (
    ("pub", "Published: read in the source named"),
    ("one", "One author: his text, without references"),
    ("gk", "General knowledge: to be confirmed by a clinician"),
    ("our", "Our choice: made for this software"),
)
"""The legend of the marks."""

_PIECE = re.compile(
    r"`?(lit-conf|lit-GK|literature-confirmed|literature-general-knowledge|seed|design)`?:?\s*",
    re.I,
)


@dataclass(frozen=True)
class Source:
    """One source of a rule.

    Attributes:
        mark: the symbol's name after `m-`; '' when the text carries no mark.
        strength: what the mark says in words.
        text: the source named.
    """

    mark: str
    strength: str
    text: str


def read_sources(text: str | None) -> tuple[Source, ...]:
    """Return the sources in a criterion's `source` text (`seed: S0-29; lit-conf: SIR 2019`)."""
    if not text:
        return ()
    found = list(_PIECE.finditer(text))
    if not found:
        return (Source("", "", text.strip()),)
    sources = []
    for place, match in enumerate(found):
        end = found[place + 1].start() if place + 1 < len(found) else len(text)
        mark, strength = next(
            words for key, words in MARKS.items() if key.lower() == match.group(1).lower()
        )
        sources.append(Source(mark, strength, text[match.end() : end].strip(" ;,.")))
    return tuple(sources)
