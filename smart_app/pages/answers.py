"""A protocol's answer in words: status, what blocks, what is missing, what holds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ivfhir.knowledge.criteria import CAUTION, INCLUSION
from ivfhir.wording import words
from ivfhir.wording.needs import named
from smart_app.pages.facts import Fact, FactWriter
from smart_app.pages.findings import (
    ASIDE,
    Finding,
    in_state,
    needs_of,
    read_findings,
    unread_and_refused,
)
from smart_app.pages.protocol_card import ProtocolCard

_NAMED = 3
"""Missing facts that are named in a heading; more are counted."""


@dataclass(frozen=True)
class Headline:
    """The answer at the top of a page.

    Attributes:
        style: shape and colour: `eligible`, `ask`, `stop` or `off`.
        title: the heading.
        text: what stands below it.
    """

    style: str
    title: str
    text: str


@dataclass(frozen=True)
class ModeAnswer:
    """One mode of a protocol.

    Attributes:
        name: what it is called.
        status: its status in words.
        style: shape and colour.
        why: what stands in its way, '' where nothing does.
    """

    name: str
    status: str
    style: str
    why: str


@dataclass(frozen=True)
class Answered:
    """One protocol's answer about the patient.

    Attributes:
        card: what the protocol says of itself.
        status: eligible, indeterminate, ineligible or not-applicable.
        failed: ids of the failed criteria.
        findings: its criteria, in order.
        culprits: the facts that block, where these could be told.
        modes: its modes, each with its own status; empty where it has none.
    """

    card: ProtocolCard
    status: str
    failed: tuple[str, ...]
    findings: tuple[Finding, ...]
    culprits: tuple[Fact, ...] = ()
    modes: tuple[ModeAnswer, ...] = ()

    @property
    def style(self) -> str:
        """Shape and colour of the status."""
        return words.STATUS_STYLE[self.status]

    @property
    def blocks(self) -> tuple[Finding, ...]:
        """The criteria that block."""
        return in_state(self.findings, "blocks")

    @property
    def missing(self) -> tuple[Finding, ...]:
        """The conditions that cannot be judged from what was read."""
        return in_state(self.findings, "missing")

    @property
    def unread(self) -> tuple[Finding, ...]:
        """The conditions of which nothing was judged: what they need could not be read."""
        return in_state(self.findings, "unread")

    @property
    def counts(self) -> tuple[int, int]:
        """How many inclusions and contraindications are met, and how many there are."""
        conditions = tuple(
            finding
            for finding in self.findings
            if finding.kind != CAUTION and finding.state != ASIDE
        )
        return len(in_state(conditions, "met")), len(conditions)


def read_answer(
    entry: Mapping[str, Any], card: ProtocolCard, writer: FactWriter, culprits: Sequence[Fact] = ()
) -> Answered:
    """Return the answer in a Decision's entry of one protocol.

    Args:
        entry: the entry.
        card: what the protocol says of itself.
        writer: turns evidence into facts.
        culprits: the facts without which no criterion would fail.
    """
    findings = read_findings(entry, writer, card.citations)
    failed = tuple(entry["failed"])
    modes = _modes(entry, card, findings)
    return Answered(card, entry["status"], failed, findings, tuple(culprits), modes)


def _modes(
    entry: Mapping[str, Any], card: ProtocolCard, findings: Sequence[Finding]
) -> tuple[ModeAnswer, ...]:
    """Return the modes, each with what stands in its way beyond what concerns them all."""

    def named(ids: Sequence[str], mode: str) -> str:
        found = [each for each in findings if each.id in ids and each.mode in ("", mode)]
        return titles(list({each.id: each for each in found}.values()))

    answers = []
    for mode in entry.get("modes", ()):
        why = [
            f"{words_} {named(mode[key], mode['id'])}"
            for key, words_ in (("failed", "fails:"), ("unknown", "cannot be judged:"))
            if mode[key]
        ]
        answers.append(
            ModeAnswer(
                name=card.modes.get(mode["id"], mode["id"]),
                status=words.STATUS[mode["status"]],
                style=words.STATUS_STYLE[mode["status"]],
                why="; ".join(why) if mode["status"] != "not-applicable" else "",
            )
        )
    return tuple(answers)


def titles(findings: Sequence[Finding]) -> str:
    """Return the titles of findings as they stand inside a sentence."""
    return words.join([words.decapitalise(finding.title) for finding in findings])


def missing_words(findings: tuple[Finding, ...]) -> str:
    """Return why it cannot be told: what could not be read, what is missing or left open.

    Such as `INR is missing`, `5 facts are missing`, `the problem list could not be read`, or `the
    allergy list could not be read and INR is missing`.
    """
    undecided = in_state(findings, "missing")
    lacking = needs_of(undecided)
    parts = []
    not_read = words.not_read(*unread_and_refused(in_state(findings, "unread")))
    if not_read:
        parts.append(not_read)
    if lacking:
        parts.append(named(lacking, at_most=_NAMED))
    elif undecided:
        parts.append(f"the record leaves {titles(undecided)} open")
    return words.join(parts)


def failed_words(answered: Answered) -> str:
    """Return which conditions fail: `severe bleeding tendency`, `marrow reserve not fulfilled`."""
    return failed_titles(answered.blocks)


def failed_titles(findings: Sequence[Finding]) -> str:
    """Return what failed findings say: a requirement is `not fulfilled`, the rest is there."""
    return words.join([_failed(finding) for finding in findings])


def culprit_words(answered: Answered) -> str:
    """Return what blocks: the facts where these could be told, else the failed conditions."""
    named = [f"{words.concept_inside(fact.key)} {fact.value}" for fact in answered.culprits]
    return words.join(list(dict.fromkeys(named))) or failed_words(answered)


def anchor_words(answered: Answered) -> str:
    """Return why a protocol does not apply, with what was looked at."""
    failed = [finding for finding in answered.findings if finding.id in answered.failed]
    first = (failed or list(answered.findings))[0]
    facts = words.join([f"{fact.name} {fact.value}" for fact in first.facts])
    found = f" In the record: {facts}." if facts else ""
    texts = ["".join(part.text for part in note) for note in first.notes]
    notes = " ".join(f"{words.capitalise(text).rstrip('.')}." for text in texts)
    return f"{first.title}: {first.verdict}.{found} {notes}".strip()


def _failed(finding: Finding) -> str:
    title = words.decapitalise(finding.title)
    return f"{title} not fulfilled" if finding.kind == INCLUSION else title
