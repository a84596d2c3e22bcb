"""What a page says of a protocol itself: name, strength of evidence, standard care.

Everything is read from the PlanDefinition; a page has no clinical text of its own.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ivfhir.errors import EvaluationError
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.actions import walk_actions
from ivfhir.knowledge.justification import evidence_of, justification
from ivfhir.wording import words
from smart_app.pages.lanes import plan_codes, plan_words
from smart_app.pages.sources import Citation, read_citations

STRENGTHS = {"very low": 1, "low": 2, "moderate": 3, "high": 4}
"""Words of evidence strength -> filled squares out of four."""

_NOT_LOADED = "Its rules could not be loaded"
_STANDARD_FIRST = "Standard treatment first: "


@dataclass(frozen=True)
class ProtocolCard:
    """A protocol in words.

    Attributes:
        id: the protocol's id, `LUNG`.
        version: its version.
        name: one or two words for headings, `Lung`.
        title: its title.
        purpose: what it is for, one sentence.
        strength: the strength of its evidence in words, `very low`.
        squares: the same as 1 to 4 filled squares; 0 when it is not graded.
        evidence: what the evidence consists of.
        standard_care: the guideline-standard care that is shown first.
        round_name: what it calls its rounds, `Segment`; '' where it has none.
        citations: mark of a source -> what it stands for.
        modes: id of each mode -> what it is called; empty where it has none.
    """

    id: str
    version: str
    name: str
    title: str
    purpose: str
    strength: str
    squares: int
    evidence: str
    standard_care: str
    round_name: str = ""
    citations: Mapping[str, Citation] = field(default_factory=dict)
    modes: Mapping[str, str] = field(default_factory=dict)


def read_card(
    plan_definition: Resource, protocol_id: str, modes: Mapping[str, str] = MappingProxyType({})
) -> ProtocolCard:
    """Return the card of a protocol package's PlanDefinition.

    Args:
        plan_definition: the PlanDefinition.
        protocol_id: the protocol's id.
        modes: id of each mode -> what it is called.
    """
    evidence = evidence_of(plan_definition)
    rounds = (each for each in walk_actions(plan_definition) if "round" in plan_codes(each))
    about = (evidence.text, justification(plan_definition, "E.4a"))
    standard = justification(plan_definition, "standard-treatment").removeprefix(_STANDARD_FIRST)
    return ProtocolCard(
        id=protocol_id,
        version=str(plan_definition.get("version", "")),
        name=str(plan_definition.get("subtitle") or protocol_id.capitalize()),
        title=str(plan_definition.get("title") or protocol_id),
        purpose=str(plan_definition.get("purpose", "")),
        strength=evidence.strength or "not graded",
        squares=STRENGTHS.get(evidence.strength, 0),
        evidence=" ".join(part for part in about if part),
        standard_care=standard[:1].upper() + standard[1:],
        round_name=next((plan_words(each) for each in rounds), ""),
        citations=read_citations(plan_definition),
        modes=modes,
    )


@dataclass(frozen=True)
class FailedCard:
    """A protocol that gives no answer, in place of its card.

    Attributes:
        title: its title.
        text: why, whether it says anything about the patient, and who can mend it.
        rules: its id, and its version where that is known.
    """

    title: str
    text: str
    rules: str


def failed_card(entry: Mapping[str, Any], title: str) -> FailedCard:
    """Return the card of a protocol that failed: nothing of the record, nothing of the program.

    Args:
        entry: the Decision's entry of it, with its OperationOutcome.
        title: its title, or its id.
    """
    text = failure_words(entry["outcome"], "nothing is said about this patient")
    return FailedCard(title, text, f"{entry['id']} {entry.get('version', '')}".strip())


def failure_words(outcome: Mapping[str, Any], lacking: str) -> str:
    """Return why rules gave no answer, what is not said for it, and who can mend it.

    Args:
        outcome: the OperationOutcome in the answer's place.
        lacking: what is not said, as a clause.
    """
    of_patient = outcome["issue"][0]["code"] == EvaluationError.code
    why = "Its rules could not be worked out for this record" if of_patient else _NOT_LOADED
    return f"{why}, so {lacking}. Tell whoever runs this app."


def lower_name(card: ProtocolCard) -> str:
    """Return the short name as it stands inside a sentence."""
    return words.decapitalise(card.name)
