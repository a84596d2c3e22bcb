"""The reasons: what blocks, what is missing, what to watch, what is met, each with its grounds."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from smart_app.pages import words
from smart_app.pages.answers import (
    Answered,
    Headline,
    anchor_words,
    culprit_words,
    failed_words,
    missing_words,
    titles,
)
from smart_app.pages.findings import (
    CAUTION,
    CONTRAINDICATION,
    INCLUSION,
    Finding,
    in_state,
    missing_names,
    of_kind,
)
from smart_app.pages.frame import deceased_words
from smart_app.pages.protocol_card import ProtocolCard

_IN_SUMMARY = 6
"""Facts that a folded group names in its line."""

_GROUPS = (
    (INCLUSION, "requirement", "met"),
    (CONTRAINDICATION, "contraindication", "absent"),
    (CAUTION, "caution", "looked for and not present"),
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
        blocks: the criteria that block.
        missing: the conditions that cannot be judged.
        cautions: the cautions that are present or could not be assessed.
        groups: what is met.
        culprits: references of the facts that are shown large.
        concerns: the protocol concerns this patient, so what is missing is worth obtaining.
        may_plan: a plan can be made.
        may_override: a plan can be made with a written reason.
    """

    card: ProtocolCard
    headline: Headline
    counts: tuple[tuple[str, str, str, bool], ...]
    blocks: tuple[Finding, ...]
    missing: tuple[Finding, ...]
    cautions: tuple[Finding, ...]
    groups: tuple[Group, ...]
    culprits: frozenset[str]
    concerns: bool
    may_plan: bool
    may_override: bool


def why_page(decision: Mapping[str, Any], answered: Answered) -> WhyPage:
    """Return the page of one protocol.

    Args:
        decision: `evaluate` as JSON.
        answered: the protocol's answer in it.
    """
    alive = deceased_words(decision) is None
    return WhyPage(
        card=answered.card,
        headline=why_headline(decision, answered),
        counts=_counts(answered),
        blocks=answered.blocks,
        missing=answered.missing,
        cautions=in_state(answered.findings, "caution", "not-assessed"),
        groups=tuple(_groups(answered)),
        culprits=frozenset(fact.reference for fact in answered.culprits if fact.reference),
        concerns=alive and answered.status != "not-applicable",
        may_plan=alive and answered.status == "eligible",
        may_override=alive and answered.status in ("ineligible", "indeterminate"),
    )


def why_headline(decision: Mapping[str, Any], answered: Answered) -> Headline:
    """Return the answer of one protocol as a heading."""
    name = answered.card.name
    met, of = answered.counts
    dead = deceased_words(decision)
    if dead:
        return Headline("stop", f"{name}: recorded as {dead}", "No plan can be made.")
    if answered.status == "eligible":
        text = f"All {of} conditions are met and no fact is missing. Next: plan the segments."
        return Headline("eligible", f"{name}: eligible", text)
    if answered.status == "indeterminate":
        title = f"{name}: cannot tell, {missing_words(answered.findings)}"
        judged = f"{met} of {of} conditions are met and none is failed."
        unjudged = f"Not judged: {titles(answered.missing)}. Not known is neither yes nor no."
        return Headline("ask", title, f"{judged} {unjudged}")
    if answered.status == "ineligible":
        title = f"{name}: not eligible, {culprit_words(answered)}"
        return Headline("stop", title, _fails(answered))
    return Headline("off", f"{name}: does not apply", anchor_words(answered))


def _fails(answered: Answered) -> str:
    met, of = answered.counts
    number, missing = len(answered.blocks), missing_names(answered.missing)
    failed = f"{words.count(number, 'condition')} {'fails' if number == 1 else 'fail'}"
    rest = f"{words.join(missing)} missing as well" if missing else "no fact is missing"
    return f"{failed}: {failed_words(answered)}. {met} of {of} are met; {rest}."


def _counts(answered: Answered) -> tuple[tuple[str, str, str, bool], ...]:
    met, of = answered.counts
    rows = []
    for shape, state, label in (
        ("stop", "blocks", "blocking"),
        ("ask", "missing", "missing"),
        ("warn", "caution", "cautions"),
        ("warnask", "not-assessed", "not assessed"),
    ):
        number = len(in_state(answered.findings, state))
        name = "caution" if state == "caution" and number == 1 else label
        rows.append((shape, str(number), name, not number))
    return (*rows, ("eligible", str(met), f"of {of} met", met == 0))


def _groups(answered: Answered) -> list[Group]:
    settled = not answered.blocks and not answered.missing
    groups = []
    for kind, name, verdict in _GROUPS:
        every = of_kind(answered.findings, kind)
        met = in_state(every, "met")
        if met:
            title = f"{len(met)} of {words.count(len(every), name)} {verdict}"
            groups.append(Group(title, _summary(met), met, kind == INCLUSION and settled))
    return groups


def _summary(findings: tuple[Finding, ...]) -> str:
    facts = [fact for finding in findings for fact in finding.facts]
    named = [
        fact.value
        if fact.key.startswith("dx-")
        else f"{words.decapitalise(fact.name)} {fact.value}"
        for fact in facts
    ]
    return " · ".join(list(dict.fromkeys(named))[:_IN_SUMMARY])
