"""The reasons: what blocks, what is missing, what to watch, what is met, each with its grounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ivfhir.knowledge.criteria import CAUTION, CONTRAINDICATION, INCLUSION
from ivfhir.wording import words
from smart_app.pages.answers import (
    Answered,
    Headline,
    ModeAnswer,
    anchor_words,
    culprit_words,
    failed_words,
    missing_words,
    titles,
)
from smart_app.pages.findings import (
    Finding,
    in_state,
    of_kind,
    unread_and_refused,
)
from smart_app.pages.frame import deceased_words
from smart_app.pages.protocol_card import ProtocolCard

_IN_SUMMARY = 6
"""Facts that a folded group names in its line."""

_GROUPS = (
    (INCLUSION, "requirement", "met"),
    (CONTRAINDICATION, "contraindication", "ruled out"),
    (CAUTION, "caution", "looked for, not applying"),
)


@dataclass(frozen=True)
class Group:
    """Criteria that are met, folded under one line.

    Attributes:
        title: `5 of 5 requirements met`.
        summary: the values in one line.
        findings: the rows.
        open: whether the fold starts open.
    """

    title: str
    summary: str
    findings: tuple[Finding, ...]
    open: bool


@dataclass(frozen=True)
class WhyPage:
    """View model of the page.

    Attributes:
        card: what the protocol says of itself.
        headline: the answer.
        counts: shape, number, words, and whether it is greyed because nothing is there.
        reasons: where the protocol does not apply: the criteria that say so.
        blocks: the criteria that block.
        unread: the conditions of which nothing was judged, since the record could not be read.
        unread_help: what to do about what could not be read, '' where nothing is unread.
        again: reading the record again may change something.
        missing: the conditions that cannot be judged from what was read.
        cautions: the cautions that are present or could not be assessed.
        groups: what is met.
        culprits: references of the facts that are shown large.
        concerns: the protocol concerns this patient, so what is missing is worth obtaining.
        may_plan: a plan can be made.
        may_override: a plan can be made with a written reason.
        modes: its modes, a status line each.
    """

    card: ProtocolCard
    headline: Headline
    counts: tuple[tuple[str, str, str, bool], ...]
    reasons: tuple[Finding, ...]
    blocks: tuple[Finding, ...]
    unread: tuple[Finding, ...]
    unread_help: str
    again: bool
    missing: tuple[Finding, ...]
    cautions: tuple[Finding, ...]
    groups: tuple[Group, ...]
    culprits: frozenset[str]
    concerns: bool
    may_plan: bool
    may_override: bool
    modes: tuple[ModeAnswer, ...] = ()


def why_page(decision: Mapping[str, Any], answered: Answered) -> WhyPage:
    """Return the page of one protocol.

    Args:
        decision: `evaluate` as JSON.
        answered: the protocol's answer in it.
    """
    alive = deceased_words(decision) is None
    concerns = alive and answered.status != "not-applicable"
    failed, refused = unread_and_refused(answered.unread)
    return WhyPage(
        card=answered.card,
        headline=why_headline(decision, answered),
        counts=_counts(answered) if concerns else (),
        reasons=answered.blocks[:1] if answered.status == "not-applicable" else (),
        blocks=answered.blocks if concerns else (),
        unread=answered.unread if concerns else (),
        unread_help=words.what_helps(failed, refused),
        again=bool(failed),
        missing=answered.missing if concerns else (),
        cautions=in_state(answered.findings, "caution", "not-assessed") if concerns else (),
        groups=tuple(_groups(answered)) if concerns else _answers(answered),
        culprits=frozenset(fact.reference for fact in answered.culprits if fact.reference),
        concerns=concerns,
        may_plan=alive and answered.status == "eligible",
        may_override=alive and answered.status in ("ineligible", "indeterminate"),
        modes=answered.modes if concerns else (),
    )


def why_headline(decision: Mapping[str, Any], answered: Answered) -> Headline:
    """Return the answer of one protocol as a heading."""
    name = answered.card.name
    met, of = answered.counts
    dead = deceased_words(decision)
    if dead:
        return Headline("off", f"{name}: recorded as {dead}", "No plan can be made.")
    if answered.status == "eligible":
        text = f"All {of} conditions are met. Next: make a plan."
        return Headline("eligible", f"{name}: eligible", text)
    if answered.status == "indeterminate":
        title = f"{name}: cannot tell, {missing_words(answered.findings)}"
        judged = f"{words.conditions_met(met, of)} and none fails."
        open_ones = (*answered.unread, *answered.missing)
        unjudged = f"Not judged: {titles(open_ones)}. Not known is neither yes nor no."
        return Headline("ask", title, f"{judged} {unjudged}")
    if answered.status == "ineligible":
        title = f"{name}: not eligible, {culprit_words(answered)}"
        return Headline("stop", title, _fails(answered))
    return Headline("off", f"{name}: does not apply", anchor_words(answered))


def _fails(answered: Answered) -> str:
    met, of = answered.counts
    number = len(answered.blocks)
    failed = f"{words.count(number, 'condition')} {'fails' if number == 1 else 'fail'}"
    rest = f"; {missing_words(answered.findings)}" if answered.unread or answered.missing else ""
    are = "is" if met == 1 else "are"
    return f"{failed}: {failed_words(answered)}. {met} of {of} {are} met{rest}."


def _counts(answered: Answered) -> tuple[tuple[str, str, str, bool], ...]:
    met, of = answered.counts
    rows = []
    for shape, state, label in (
        ("stop", "blocks", "blocking"),
        ("ask", "unread", "not read"),
        ("ask", "missing", "cannot be judged"),
        ("warn", "caution", "cautions"),
        ("warnask", "not-assessed", "not assessed"),
    ):
        number = len(in_state(answered.findings, state))
        if state == "unread" and not number:
            continue
        name = "caution" if state == "caution" and number == 1 else label
        rows.append((shape, str(number), name, not number))
    return (*rows, ("eligible", str(met), f"of {of} met", met == 0))


def _groups(answered: Answered) -> list[Group]:
    settled = answered.status == "eligible"
    groups = []
    for kind, name, verdict in _GROUPS:
        every = of_kind(answered.findings, kind)
        met = in_state(every, "met")
        if met:
            title = f"{len(met)} of {words.count(len(every), name)} {verdict}"
            groups.append(Group(title, _summary(met), met, kind == INCLUSION and settled))
    return groups


def _answers(answered: Answered) -> tuple[Group, ...]:
    """Return all criteria in one fold: what they say where no plan is in question."""
    if not answered.findings:
        return ()
    title = f"How {words.count(len(answered.findings), 'criterion', 'criteria')} were answered"
    return (Group(title, "nothing has to be obtained", answered.findings, open=False),)


def _summary(findings: tuple[Finding, ...]) -> str:
    facts = [fact for finding in findings for fact in finding.facts]
    named = [
        fact.value
        if fact.key.startswith("dx-")
        else f"{words.decapitalise(fact.name)} {fact.value}"
        for fact in facts
    ]
    return " · ".join(list(dict.fromkeys(named))[:_IN_SUMMARY])
