"""A criterion as the clinician reads it: what it found, on which facts, by which rule."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ivfhir.knowledge.criteria import CAUTION, CONTRAINDICATION, INCLUSION
from ivfhir.wording import words
from ivfhir.wording.needs import Need, named, needs
from smart_app.pages.facts import Fact, FactWriter
from smart_app.pages.notes import Note
from smart_app.pages.sources import NO_CITATIONS, Citation, Source, read_sources

ASIDE = "aside"

_NAMED = 5
"""Needs of one criterion that are named; more are counted."""


@dataclass(frozen=True)
class Finding:
    """One criterion.

    Attributes:
        id: the criterion's id, such as `X-BLEED`.
        kind: inclusion, contraindication-absolute or caution.
        state: blocks, unread, missing (it cannot be judged), caution, not-assessed or met; aside
            where it speaks of a mode that stands behind the protocol's best one.
        title: the criterion's title, as the knowledge names it.
        verdict: what was found, in words that follow the title (`ruled out`, `not fulfilled`).
        facts: what it rests on.
        lacks: keys of the facts that are missing.
        unread: the parts of the record that it needs and that could not be read.
        refused: those of them that the EHR does not let the app read.
        rule: the rule in words.
        sources: where the rule comes from.
        notes: remarks of the evaluation, such as an entry that leaves it open.
        mode: the mode in which it is asked so, '' where it holds for all.
    """

    id: str
    kind: str
    state: str
    title: str
    verdict: str
    facts: tuple[Fact, ...]
    lacks: tuple[str, ...]
    unread: tuple[str, ...]
    refused: tuple[str, ...]
    rule: str
    sources: tuple[Source, ...]
    notes: tuple[Note, ...]
    mode: str = ""

    @property
    def needs(self) -> tuple[Need, ...]:
        """What is missing for it, one line a need."""
        return needs(self.lacks)

    @property
    def lacks_words(self) -> str:
        """What is missing, such as `INR is missing`; '' when nothing is."""
        return named(self.needs, at_most=_NAMED) if self.lacks else ""

    @property
    def named_entries(self) -> tuple[Note, ...]:
        """The remarks that name an entry of the record."""
        return tuple(note for note in self.notes if any(part.href for part in note))

    @property
    def unread_words(self) -> str:
        """What could not be read, and what the EHR refuses, as a sentence without its full stop."""
        return words.capitalise(words.not_read(*unread_and_refused((self,))))


_STATES = {
    (INCLUSION, "not-met"): "blocks",
    (CONTRAINDICATION, "not-met"): "blocks",
    (INCLUSION, "unknown"): "missing",
    (CONTRAINDICATION, "unknown"): "missing",
    (CAUTION, "not-met"): "caution",
    (CAUTION, "unknown"): "not-assessed",
}


def read_findings(
    protocol_decision: Mapping[str, Any],
    writer: FactWriter,
    citations: Mapping[str, Citation] = NO_CITATIONS,
) -> tuple[Finding, ...]:
    """Return a finding for every criterion of one protocol of the Decision, in its order.

    Args:
        protocol_decision: the entry of the protocol.
        writer: turns evidence and notes into words with links.
        citations: mark of a source, such as `R16` -> what it stands for.
    """
    best = protocol_decision["status"]
    behind = {each["id"] for each in protocol_decision.get("modes", ()) if each["status"] != best}
    findings = (
        _finding(criterion, writer, citations) for criterion in protocol_decision["criteria"]
    )
    return tuple(
        replace(each, state=ASIDE) if each.mode in behind and each.kind != CAUTION else each
        for each in findings
    )


def in_state(findings: tuple[Finding, ...], *states: str) -> tuple[Finding, ...]:
    """Return the findings that are in one of the states."""
    return tuple(finding for finding in findings if finding.state in states)


def of_kind(findings: tuple[Finding, ...], *kinds: str) -> tuple[Finding, ...]:
    """Return the findings of the kinds."""
    return tuple(finding for finding in findings if finding.kind in kinds)


def needs_of(findings: tuple[Finding, ...]) -> tuple[Need, ...]:
    """Return what is missing for all of them, each need once, in order."""
    return needs(key for finding in findings for key in finding.lacks)


def unread_and_refused(findings: tuple[Finding, ...]) -> tuple[list[str], list[str]]:
    """Return the parts of the record that could not be read, and those that the EHR refuses.

    Each part once, in order; a refused one is not among the first.
    """
    refused = list(dict.fromkeys(part for finding in findings for part in finding.refused))
    unread = dict.fromkeys(part for finding in findings for part in finding.unread)
    return [part for part in unread if part not in refused], refused


def _finding(
    criterion: Mapping[str, Any], writer: FactWriter, citations: Mapping[str, Citation]
) -> Finding:
    kind, answer = criterion["kind"], criterion["answer"]
    types = criterion.get("unread", ())
    unread = tuple(words.record_part(each) for each in types)
    refused = tuple(words.record_part(each) for each in types if each in writer.refused)
    state = _STATES.get((kind, answer), "met")
    unknown = words.UNKNOWN_VERDICTS.get(kind, words.CANNOT_JUDGE)
    if unread:
        failed = [part for part in unread if part not in refused]
        unknown = f"{unknown}: {words.not_read(failed, list(refused))}"
    return Finding(
        id=criterion["id"],
        kind=kind,
        state="unread" if unread and state == "missing" else state,
        title=criterion["title"],
        verdict=words.VERDICTS.get((kind, answer), unknown),
        facts=writer.facts(criterion),
        lacks=tuple(dict.fromkeys(criterion.get("missing", ()))),
        unread=unread,
        refused=refused,
        rule=words.pretty(criterion.get("rule", "")),
        sources=read_sources(criterion.get("source"), citations),
        notes=writer.notes({"notes": _beside_unread(criterion)}),
        mode=criterion.get("mode", ""),
    )


def _beside_unread(criterion: Mapping[str, Any]) -> list[str]:
    """Return the remarks but those that say what could not be read: the page says it once."""
    said = tuple(
        f"{resource_type} {how}"
        for resource_type in criterion.get("unread", ())
        for how in ("was not read", "could not be read")
    )
    return [note for note in criterion.get("notes", ()) if not str(note).startswith(said)]
