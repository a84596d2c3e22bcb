"""The plan: its settings, the board and the list by date."""

from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from ivfhir.wording import dates, words
from smart_app.pages.agenda import AgendaPart, agenda, gates, to_settle
from smart_app.pages.board import Board, draw_board
from smart_app.pages.lanes import DEVICE, EMBOLISATION, IMAGING, RADIOTHERAPY
from smart_app.pages.plan_items import PlanItem, plan_items, round_starts
from smart_app.pages.protocol_card import ProtocolCard
from smart_app.visit.draft import DraftContent
from smart_app.visit.overriding import override_note

_SENTENCE_LANES = (DEVICE, EMBOLISATION, IMAGING, RADIOTHERAPY)


@dataclass(frozen=True)
class PlanPage:
    """View model of the page; `notes` are the plan's own, `gates` what must hold first.

    `begins_with_round` tells whether the start is day 0 of the first round.
    """

    title: str
    text: str
    to_settle: tuple[str, ...]
    notes: tuple[str, ...]
    board: Board | None
    agenda: tuple[AgendaPart, ...]
    gates: tuple[tuple[str, str, str], ...]
    has_drugs: bool = False
    begins_with_round: bool = False


def plan_page(draft: DraftContent, card: ProtocolCard, *, today: date) -> PlanPage:
    """Return the page of a draft.

    Args:
        draft: what it holds.
        card: what the protocol says of itself.
        today: the day for which the plan is looked at.
    """
    care_plan = draft.care_plan
    items = plan_items(care_plan)
    title = plan_title(items, card)
    notes = tuple(override_note(str(note.get("text", ""))) for note in care_plan.get("note", ()))
    return PlanPage(
        title=title,
        text=_text(items),
        to_settle=settle_draft(draft, items, today),
        notes=notes,
        board=draw_board(items, title=title, today=today),
        agenda=agenda(items, today),
        gates=gates(items),
        has_drugs=any(item.resource_type == "MedicationRequest" for item in items),
        begins_with_round=round_starts(items).get(1) == dates.parse_day(draft.request.start),
    )


def settle_draft(draft: DraftContent, items: tuple[PlanItem, ...], today: date) -> tuple[str, ...]:
    """Return what should be settled before a draft is accepted; older drafts know dates alone."""
    # Drafts of earlier versions hold concept and last day alone.
    expiring = [
        (str(concept), str(until), *map(str, measured))
        for concept, until, *measured in draft.expiring
    ]
    return to_settle(items, today, warnings=draft.warnings, expiring=expiring)


def plan_title(items: tuple[PlanItem, ...], card: ProtocolCard) -> str:
    """Return `Lung: 4 segments every 28 days from Mon 3 Mar 2025`, as far as the dates say so."""
    starts = list(round_starts(items).values())
    planned = [item.planned for item in items if item.planned]
    first = min(starts or planned, default=None)
    begins = f" from {dates.weekday_day(first)}" if first else ""
    if not starts:
        return f"{card.name}: plan{begins}"
    name = next(item.round_name for item in items if item.round_name)
    gaps = {(later - earlier).days for earlier, later in pairwise(starts)}
    every = f" every {gaps.pop()} days" if len(gaps) == 1 else ""
    return f"{card.name}: {words.count(len(starts), words.decapitalise(name))}{every}{begins}"


def _text(items: tuple[PlanItem, ...]) -> str:
    """Return the milestones in one sentence: the drawn steps that come once, with their days."""
    once = [
        item
        for item in items
        if item.step.drawn
        and item.planned
        and item.step.lane in _SENTENCE_LANES
        and sum(other.stem == item.stem for other in items) == 1
    ]
    return (
        "; ".join(f"{item.title} {dates.day(item.planned)}" for item in once) + "." if once else ""
    )
