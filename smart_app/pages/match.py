"""The first page: which protocols concern this patient."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ivfhir.knowledge.criteria import CAUTION
from ivfhir.knowledge.planned import planned_protocols
from ivfhir.wording import words
from ivfhir.wording.needs import Need
from ivfhir.wording.routes import ROUTES
from smart_app.pages.answers import (
    Answered,
    Headline,
    ModeAnswer,
    anchor_words,
    culprit_words,
    failed_words,
    titles,
)
from smart_app.pages.findings import (
    Finding,
    in_state,
    needs_of,
    of_kind,
    unread_and_refused,
)
from smart_app.pages.frame import deceased_words
from smart_app.pages.notes import Note, NotePart
from smart_app.pages.protocol_card import (
    FailedCard,
    ProtocolCard,
    failed_card,
    failure_words,
    lower_name,
)

_MOST_ENTRIES = 6
"""Entries of the record that are named for one protocol; more are counted."""


@dataclass(frozen=True)
class ProtocolEntry:
    """One protocol that concerns the patient.

    Attributes:
        card: what the protocol says of itself.
        status: its status in words.
        style: shape and colour.
        lines: what matters, a line each.
        obtain: what is missing, one line a need.
        action: words of the button.
        open_entries: what entries of the record leave open, each named and linked.
        modes: its modes, a status line each.
    """

    card: ProtocolCard
    status: str
    style: str
    lines: tuple[str, ...]
    obtain: tuple[Need, ...]
    action: str
    open_entries: tuple[Note, ...] = ()
    modes: tuple[ModeAnswer, ...] = ()


@dataclass(frozen=True)
class RestEntry:
    """A protocol in the table of the rest; `protocol_id` is None when it has no page of reasons."""

    name: str
    status: str
    style: str
    reason: str
    protocol_id: str | None


@dataclass(frozen=True)
class MatchPage:
    """View model of the page; `route` is its heading and its text, None where nothing is said."""

    headline: Headline
    counts: tuple[tuple[str, int, str], ...]
    entries: tuple[ProtocolEntry, ...]
    rest: tuple[RestEntry, ...]
    failed: tuple[FailedCard, ...] = ()
    route: tuple[str, str] | None = None


def match_page(
    decision: Mapping[str, Any],
    answers: Sequence[Answered],
    *,
    problem_list_empty: bool,
    titles: Mapping[str, str] = MappingProxyType({}),
) -> MatchPage:
    """Return the page of a Decision.

    Args:
        decision: `evaluate` as JSON.
        answers: what each protocol answers that gives an answer.
        problem_list_empty: the problem list was read and holds nothing.
        titles: the protocols' titles by id.
    """
    failures = [entry for entry in decision["protocols"] if "outcome" in entry]
    order = ("eligible", "indeterminate", "ineligible")
    concerned = [answer for status in order for answer in answers if answer.status == status]
    other = [answer for answer in answers if answer.status == "not-applicable"]
    alive = deceased_words(decision) is None
    known = {entry["id"] for entry in decision["protocols"]}
    return MatchPage(
        headline=_headline(decision, concerned, other, problem_list_empty=problem_list_empty),
        counts=_counts(answers) if alive and answers else (),
        entries=tuple(_entry(answer, alive=alive) for answer in concerned),
        rest=(*(_not_applicable(answer) for answer in other), *_later(known)),
        failed=tuple(failed_card(each, titles.get(each["id"], each["id"])) for each in failures),
        route=_route(decision) if alive else None,
    )


def _route(decision: Mapping[str, Any]) -> tuple[str, str] | None:
    """Return heading and text of the route, or that its rule failed; None where there is none."""
    if "routeOutcome" in decision:
        text = failure_words(decision["routeOutcome"], "the route is not told here")
        return "Route could not be checked", text
    return ROUTES.get(decision.get("route", ""))


def _headline(
    decision: Mapping[str, Any],
    concerned: Sequence[Answered],
    other: Sequence[Answered],
    *,
    problem_list_empty: bool,
) -> Headline:
    dead = deceased_words(decision)
    if dead:
        return Headline("off", f"Recorded as {dead}", "No plan can be made.")
    if problem_list_empty and all(answer.status == "indeterminate" for answer in concerned):
        title = "The problem list is empty: no protocol can be judged"
        return Headline("ask", title, "Add the diagnosis in the EHR, then read again.")
    if not concerned:
        return _none(other, failed=any("outcome" in entry for entry in decision["protocols"]))
    eligible = [lower_name(answer.card) for answer in concerned if answer.status == "eligible"]
    if eligible:
        lacking = any(answer.status == "indeterminate" for answer in concerned)
        text = "Another protocol cannot be judged yet." if lacking else ""
        title = f"Eligible for {words.count(len(eligible), 'protocol')}: {words.join(eligible)}"
        return Headline("eligible", title, f"{text} Next: read the reasons, then plan.".strip())
    if concerned[0].status == "indeterminate":
        open_ones = [answer for answer in concerned if answer.status == "indeterminate"]
        return _undecided(*open_ones) if len(open_ones) == 1 else _several_undecided(open_ones)
    return _not_eligible(concerned)


def _not_eligible(concerned: Sequence[Answered]) -> Headline:
    first, *others = concerned
    if others:
        names = words.join([lower_name(answer.card) for answer in concerned])
        title = f"Not eligible for {words.count(len(concerned), 'protocol')}: {names}"
        return Headline("stop", title, "Each says below what blocks.")
    met, of = first.counts
    title = f"Not eligible for {lower_name(first.card)}: {culprit_words(first)}"
    return Headline(
        "stop", title, f"Fails: {failed_words(first)}. {words.conditions_met(met, of)}."
    )


def _undecided(answer: Answered) -> Headline:
    open_ones = (*answer.unread, *answer.missing)
    text = f"Not judged: {titles(open_ones)}. No condition that could be judged fails."
    if answer.unread:
        text += f" {words.what_helps(*unread_and_refused(answer.unread))}"
    why = _undecided_words(answer)
    return Headline("ask", f"Cannot tell yet for {lower_name(answer.card)}: {why}", text)


def _several_undecided(answers: Sequence[Answered]) -> Headline:
    """Return the heading of several protocols that cannot be judged: what is in their way."""
    unread = tuple(finding for answer in answers for finding in answer.unread)
    missing = tuple(finding for answer in answers for finding in answer.missing)
    text = "Each says below what is not judged. No condition of theirs that could be judged fails."
    if unread:
        text += f" {words.what_helps(*unread_and_refused(unread))}"
    names = words.join([lower_name(answer.card) for answer in answers])
    # While the diagnosis itself could not be read, what else a protocol lacks is not yet asked for.
    lacking = () if unread else tuple({finding.id: finding for finding in missing}.values())
    why = _open_words(unread, lacking)
    title = f"Cannot tell yet for {words.count(len(answers), 'protocol')} ({names}): {why}"
    return Headline("ask", title, text)


def _undecided_words(answer: Answered) -> str:
    """Return what is in the way, counted: unread parts, missing facts, conditions left open."""
    return _open_words(answer.unread, answer.missing)


def _open_words(unread: tuple[Finding, ...], missing: tuple[Finding, ...]) -> str:
    number = len(needs_of(missing))
    parts = []
    if unread:
        parts.append(words.not_read(*unread_and_refused(unread)))
    if number:
        parts.append(f"{words.count(number, 'fact')} {'is' if number == 1 else 'are'} missing")
    elif missing:
        several = f"{len(missing)} conditions are not settled"
        parts.append("a condition is not settled" if len(missing) == 1 else several)
    return words.join(parts)


def _none(other: Sequence[Answered], *, failed: bool) -> Headline:
    """Return the heading when nothing that could be checked applies."""
    if not other:
        return Headline("ask", "No protocol could be checked", "Nothing is known either way.")
    unchecked = planned_protocols({answer.card.id for answer in other})
    some = "No protocol that can be checked applies" if unchecked or failed else None
    reasons = " ".join(map(anchor_words, other))
    text = f"{reasons} {_unchecked(other)}".strip()
    return Headline("off", some or "No protocol applies", text)


def _unchecked(other: Sequence[Answered]) -> str:
    """Return which protocols were not checked, since this version has no rules for them."""
    names = [
        words.decapitalise(name)
        for _, name in planned_protocols({answer.card.id for answer in other})
    ]
    return f"Not checked by this version: {'; '.join(names)}." if names else ""


def _counts(answers: Sequence[Answered]) -> tuple[tuple[str, int, str], ...]:
    number = {status: sum(each.status == status for each in answers) for status in words.STATUS}
    none = number["not-applicable"]
    return (
        ("eligible", number["eligible"], "eligible"),
        ("ask", number["indeterminate"], "cannot tell"),
        ("stop", number["ineligible"], "not eligible"),
        ("off", none, "does not apply" if none == 1 else "do not apply"),
    )


def _entry(answer: Answered, *, alive: bool) -> ProtocolEntry:
    actions = {
        "eligible": "See why, then plan",
        "ask": _undecided_action(answer),
        "stop": "See what blocks",
    }
    if not alive:
        return ProtocolEntry(
            card=answer.card,
            status=words.NO_PLAN,
            style="off",
            lines=("The patient is recorded as dead: no plan can be made.",),
            obtain=(),
            action="See the answers",
        )
    return ProtocolEntry(
        card=answer.card,
        status=words.STATUS[answer.status],
        style=answer.style,
        lines=tuple(_lines(answer)),
        obtain=() if _anchor_is_unread(answer) else needs_of(answer.missing),
        action=actions[answer.style],
        open_entries=_open_entries(answer),
        modes=answer.modes,
    )


def _anchor_is_unread(answer: Answered) -> bool:
    """Whether the diagnosis could not be read: then nothing else is asked for yet."""
    return bool(answer.unread) and answer.unread[0] is answer.findings[0]


def _open_entries(answer: Answered) -> tuple[Note, ...]:
    """Return what entries leave open, one line an entry: what it means elsewhere, the reasons say.

    More than a few are counted.
    """
    by_entry: dict[str, Note] = {}
    for finding in answer.missing:
        for note in finding.named_entries:
            href = next(part.href for part in note if part.href)
            by_entry.setdefault(href, note)
    notes = list(by_entry.values())
    more = len(notes) - _MOST_ENTRIES
    if more <= 0:
        return tuple(notes)
    rest = f"{words.count(more, 'more entry', 'more entries')}: see the reasons"
    return (*notes[:_MOST_ENTRIES], (NotePart(rest),))


def _undecided_action(answer: Answered) -> str:
    if answer.unread:
        return "See what could not be judged"
    return "See what is missing" if needs_of(answer.missing) else "See what is left open"


def _lines(answer: Answered) -> list[str]:
    met, of = answer.counts
    lines = []
    if answer.blocks:
        lines.append(f"Blocks: {culprit_words(answer)}")
    if answer.unread:
        why = words.not_read(*unread_and_refused(answer.unread))
        lines.append(f"Not judged, since {why}: {titles(answer.unread)}")
    if answer.missing:
        lines.append(f"Cannot be judged: {titles(answer.missing)}")
    if met == of:
        lines.append(f"All {of} conditions are met")
    else:
        none_failed = "" if answer.blocks else "; none fails"
        lines.append(f"{words.conditions_met(met, of)}{none_failed}")
    return [*lines, _caution_line(answer.findings)]


def _caution_line(findings: tuple[Finding, ...]) -> str:
    cautions = of_kind(findings, CAUTION)
    present, unassessed = in_state(cautions, "caution"), in_state(cautions, "not-assessed")
    line = "No caution was raised" if unassessed else "No caution applies"
    if len(cautions) == len(unassessed):
        line = "No caution was assessed"
    if present:
        line = f"{words.count(len(present), 'caution')}: {titles(present)}"
    if unassessed:
        number = f"{len(unassessed)} of {len(cautions)}"
        line += f"; {number} could not be assessed: {titles(unassessed)}"
    return line


def _not_applicable(answer: Answered) -> RestEntry:
    name, status = answer.card.title, words.STATUS["not-applicable"]
    return RestEntry(name, status, "off", anchor_words(answer), answer.card.id)


def _later(known: Collection[str]) -> tuple[RestEntry, ...]:
    reason = "Its rules are not part of this version; look it up as before."
    return tuple(
        RestEntry(name, "Not yet computable", "off", reason, None)
        for _, name in planned_protocols(known)
    )
