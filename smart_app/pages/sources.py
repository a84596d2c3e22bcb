"""Where a rule comes from, and how strong that is: the four marks that stand beside every rule."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from ivfhir.fhir.types import Resource

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


_LABEL = re.compile(r"\b(?:R\d+[a-z]?|[SEI]\d?-\d{2}|S\d)\b")
"""The mark of a source or statement: `R16`, `S3-13`."""
_EMPTY = re.compile(r"\s*[\[(][\s,;]*(?:and|to)?[\s,;]*[\])]")
_FILE = re.compile(r"\s*\([\w-]+\.(?:txt|pdf|md)\)")
"""The file in which an author's text was kept: of no use to a reader."""

_DOI = re.compile(r"\bdoi (10\.\d{4,9}/[^\s;,]+[^\s;,.])")


@dataclass(frozen=True)
class Citation:
    """What the mark of a source stands for: its citation, and an address where it can be read."""

    text: str
    url: str = ""


NO_CITATIONS: Mapping[str, Citation] = MappingProxyType({})


@dataclass(frozen=True)
class Source:
    """One source of a rule.

    Attributes:
        mark: the symbol's name after `m-`; '' when the text carries no mark.
        strength: what the mark says in words.
        text: the source named, without marks.
        citations: what its marks stand for.
    """

    mark: str
    strength: str
    text: str
    citations: tuple[Citation, ...] = ()


def read_citations(plan_definition: Resource) -> Mapping[str, Citation]:
    """Return mark -> citation of a PlanDefinition; where it gives no address, that of a DOI."""
    found = {}
    for artifact in plan_definition.get("relatedArtifact", ()):
        if artifact.get("type") == "citation" and artifact.get("label"):
            text = _FILE.sub("", str(artifact.get("citation", "")))
            doi = _DOI.search(text)
            url = str(artifact.get("url") or (f"https://doi.org/{doi[1]}" if doi else ""))
            found[str(artifact["label"])] = Citation(text, url)
    return MappingProxyType(found)


def read_sources(
    text: str | None, citations: Mapping[str, Citation] = NO_CITATIONS
) -> tuple[Source, ...]:
    """Return the sources in a criterion's `source` text (`seed: S0-29; lit-conf: SIR 2019 [R1]`).

    Args:
        text: the sources, each after its mark of provenance.
        citations: mark of a source -> what it stands for.
    """
    if not text:
        return ()
    found = list(_PIECE.finditer(text))
    if not found:
        return (_source("", "", text, citations),)
    sources = []
    for place, match in enumerate(found):
        end = found[place + 1].start() if place + 1 < len(found) else len(text)
        mark, strength = next(
            words for key, words in MARKS.items() if key.lower() == match.group(1).lower()
        )
        sources.append(_source(mark, strength, text[match.end() : end], citations))
    return tuple(sources)


def _source(mark: str, strength: str, text: str, citations: Mapping[str, Citation]) -> Source:
    """Return one source: its marks become citations, the rest its name."""
    labels = [label.partition("-")[0] for label in _LABEL.findall(text)]
    cited = dict.fromkeys(citations[label] for label in labels if label in citations)
    plain = _LABEL.sub("", text) if cited else text
    while (shorter := _EMPTY.sub("", plain)) != plain:
        plain = shorter
    plain = re.sub(r"\s*,(?=\s*(?:[,;:]|$))", "", re.sub(r"\s+", " ", plain))
    return Source(mark, strength, plain.strip(" ;,.:"), tuple(cited))
