"""A criterion as the clinician reads it: what it found, on which facts, by which rule."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smart_app.pages import words
from smart_app.pages.facts import Fact, FactWriter
from smart_app.pages.sources import Source, read_sources

INCLUSION = "inclusion"
CONTRAINDICATION = "contraindication-absolute"
CAUTION = "caution"


@dataclass(frozen=True)
class Finding:
    """One criterion.

    Attributes:
        id: the criterion's id, such as `X-BLEED`.
        kind: inclusion, contraindication-absolute or caution.
        state: blocks, missing, caution, not-assessed or met.
        title: the criterion's title, as the knowledge names it.
        verdict: what was found, in words that follow the title (`absent`, `not met`, `cannot be
            judged`).
        facts: what it rests on.
        missing: names of the concepts that are missing.
        obtain: what would settle it, a phrase for each missing concept.
        rule: the rule in words.
        sources: where the rule comes from.
        notes: remarks of the evaluation, such as a result that was skipped.
    """

    id: str
    kind: str
    state: str
    title: str
    verdict: str
    facts: tuple[Fact, ...]
    missing: tuple[str, ...]
    obtain: tuple[tuple[str, str], ...]
    rule: str
    sources: tuple[Source, ...]
    notes: tuple[str, ...]


_VERDICTS = {
    (INCLUSION, "met"): "met",
    (INCLUSION, "not-met"): "not met",
    (CONTRAINDICATION, "met"): "absent",
    (CONTRAINDICATION, "not-met"): "present",
    (CAUTION, "met"): "not present",
    (CAUTION, "not-met"): "present",
}
_STATES = {
    (INCLUSION, "not-met"): "blocks",
    (CONTRAINDICATION, "not-met"): "blocks",
    (INCLUSION, "unknown"): "missing",
    (CONTRAINDICATION, "unknown"): "missing",
    (CAUTION, "not-met"): "caution",
    (CAUTION, "unknown"): "not-assessed",
}


def read_findings(protocol_decision: Mapping[str, Any], writer: FactWriter) -> tuple[Finding, ...]:
    """Return a finding for every criterion of one protocol of the Decision, in its order."""
    return tuple(_finding(criterion, writer) for criterion in protocol_decision["criteria"])


def in_state(findings: tuple[Finding, ...], *states: str) -> tuple[Finding, ...]:
    """Return the findings that are in one of the states."""
    return tuple(finding for finding in findings if finding.state in states)


def of_kind(findings: tuple[Finding, ...], *kinds: str) -> tuple[Finding, ...]:
    """Return the findings of the kinds."""
    return tuple(finding for finding in findings if finding.kind in kinds)


def missing_names(findings: tuple[Finding, ...]) -> list[str]:
    """Return the names of all missing facts, each once, in order."""
    return list(dict.fromkeys(name for finding in findings for name in finding.missing))


def _finding(criterion: Mapping[str, Any], writer: FactWriter) -> Finding:
    kind, answer = criterion["kind"], criterion["answer"]
    missing = list(dict.fromkeys(criterion.get("missing", ())))
    unknown = "not assessed" if kind == CAUTION else "cannot be judged"
    return Finding(
        id=criterion["id"],
        kind=kind,
        state=_STATES.get((kind, answer), "met"),
        title=criterion["title"],
        verdict=_VERDICTS.get((kind, answer), unknown),
        facts=writer.facts(criterion),
        missing=tuple(words.concept_inside(key) for key in missing),
        obtain=tuple((words.concept(key), words.OBTAIN.get(key, "")) for key in missing),
        rule=words.pretty(criterion.get("rule", "")),
        sources=read_sources(criterion.get("source")),
        notes=tuple(words.pretty(note) for note in criterion.get("notes", ())),
    )
