"""The review: exactly what goes into the record, before anything does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ivfhir.fhir.types import PROVENANCE, Resource
from ivfhir.wording import dates, words
from smart_app.pages.answers import failed_titles, missing_words, read_answer
from smart_app.pages.facts import FactWriter
from smart_app.pages.findings import in_state, read_findings
from smart_app.pages.plan import plan_title, settle_draft
from smart_app.pages.plan_items import PlanItem, plan_items
from smart_app.pages.protocol_card import ProtocolCard
from smart_app.pages.replacing import Replacement, before_replacing
from smart_app.visit.draft import DraftContent
from smart_app.visit.overriding import Override, override_of


@dataclass(frozen=True)
class ReviewLine:
    """Entries of one kind: what, how many, their dates or content, as what they go in."""

    what: str
    resource_type: str
    count: int
    content: str
    status: str
    late: str = ""
    href: str | None = None


@dataclass(frozen=True)
class ReviewPage:
    """View model of the page; `gap` is what an override goes against, '' without one.

    `replacement` says what ends and what stays if the earlier plans are replaced; None without one.
    """

    title: str
    text: str
    lines: tuple[ReviewLine, ...]
    total: int
    to_settle: tuple[str, ...]
    override: Override | None
    gap: str
    replacement: Replacement | None


def review_page(
    draft: DraftContent,
    card: ProtocolCard,
    writer: FactWriter,
    *,
    why_href: str,
    today: date,
    is_signed_apart: bool = True,
) -> ReviewPage:
    """Return the page of a draft.

    Args:
        draft: what it holds.
        card: what the protocol says of itself.
        writer: turns evidence into facts.
        why_href: address of the reasons.
        today: the day of the review.
        is_signed_apart: a signature is written beside the plan.
    """
    care_plan, decision = draft.care_plan, draft.decision
    items = plan_items(care_plan)
    lines = _lines(
        care_plan,
        items,
        decision,
        card,
        why_href=why_href,
        today=today,
        confirmed=draft.confirmed,
    )
    if not is_signed_apart:
        lines = [line for line in lines if line.resource_type != PROVENANCE]
    answered = read_answer(decision, card, writer)
    findings, (met, of) = answered.findings, answered.counts
    unassessed = len(in_state(findings, "not-assessed"))
    cautions = len(in_state(findings, "caution"))
    answer = words.STATUS[decision["status"]].lower()
    remarks = [f"{met} of {of} conditions met", words.count(cautions, "caution")]
    if unassessed:
        remarks.append(f"{words.count(unassessed, 'caution')} not assessed")
    plan = plan_title(items, card).partition(": ")[2]
    override = override_of(draft.request)
    return ReviewPage(
        title="Override: nothing is written yet" if override else "Review: nothing is written yet",
        text=f"{card.name}, {answer} on {dates.day(draft.as_of)}: {', '.join(remarks)}. {plan}.",
        lines=tuple(lines),
        total=sum(line.count for line in lines),
        to_settle=settle_draft(draft, items, today),
        override=override,
        gap=gap_words(decision, writer) if override else "",
        replacement=before_replacing(draft.earlier) if draft.earlier else None,
    )


def gap_words(decision: Mapping[str, Any], writer: FactWriter) -> str:
    """Return what an override goes against, such as `cannot tell, INR is missing`."""
    findings = read_findings(decision, writer)
    blocks = failed_titles(in_state(findings, "blocks"))
    parts = [words.STATUS[decision["status"]].lower()]
    if blocks:
        parts.append(f"blocked by {blocks}")
    if in_state(findings, "missing", "unread"):
        parts.append(missing_words(findings))
    return ", ".join(parts)


def _lines(
    care_plan: Resource,
    items: tuple[PlanItem, ...],
    decision: Mapping[str, Any],
    card: ProtocolCard,
    *,
    why_href: str,
    today: date,
    confirmed: Sequence[str],
) -> list[ReviewLine]:
    title = plan_title(items, card)
    goals = [entry for entry in care_plan.get("contained", ()) if entry["resourceType"] == "Goal"]
    wording = "; ".join(str(goal.get("description", {}).get("text", "")) for goal in goals)
    lines = [
        ReviewLine("Care plan", "CarePlan", 1, title, "active plan, confirmed by you"),
        ReviewLine(
            "Order group with all relations",
            "RequestGroup",
            1,
            "What must come before and after what",
            "active plan, confirmed by you",
        ),
    ]
    if goals:
        lines.append(ReviewLine("Goals", "Goal", len(goals), wording, "proposed"))
    by_stem: dict[str, list[PlanItem]] = {}
    for item in items:
        by_stem.setdefault(item.stem, []).append(item)
    lines += [_line(members, today) for members in by_stem.values()]
    criteria = words.count(len(decision["criteria"]), "criterion", "criteria")
    stated = f" You confirm: {'; '.join(confirmed)}." if confirmed else ""
    lines.append(
        ReviewLine(
            "Signature",
            "Provenance",
            1,
            f"Who, when, the {criteria} as shown, rules {card.id} {card.version}.{stated}",
            "final",
            href=why_href,
        )
    )
    return lines


def _line(members: list[PlanItem], today: date) -> ReviewLine:
    first = members[0]
    planned = [item.planned for item in members if item.planned is not None]
    content = dates.list_days(planned) if planned else dates.days(first.low, first.high)
    if len(members) == 1 and planned and first.low != first.high:
        content += f" ({dates.days(first.low, first.high)})"
    late = [item for item in members if item.high < today]
    status = "draft proposal"
    if first.resource_type == "MedicationRequest":
        status += ", dose proposed" if first.dosed else ", no dose"
    return ReviewLine(
        first.title,
        first.resource_type,
        len(members),
        content,
        status,
        f"{len(late)} ended" if len(members) > 1 and late else "ended" if late else "",
    )
