"""A plan that is in the record, shown as a plan: board, list by date, and how its orders stand."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from ivfhir.fhir.references import reference_of, renamed_references
from ivfhir.fhir.typed import object_in, objects_in
from ivfhir.fhir.types import GOAL, REQUEST_GROUP, Resource
from ivfhir.wording import dates, words
from ivfhir.writing.earlier import PlanPart
from ivfhir.writing.read_back import references_as_written
from smart_app.pages.agenda import AgendaPart, agenda, gates
from smart_app.pages.board import Board, draw_board
from smart_app.pages.plan import plan_title
from smart_app.pages.plan_items import plan_items
from smart_app.pages.protocol_card import ProtocolCard
from smart_app.pages.receipt_parts import NextStep, next_steps
from smart_app.visit.overriding import override_note

_OVER = frozenset({"revoked", "cancelled", "stopped", "rejected", "entered-in-error"})
_OVERRIDE = "Override"
"""How the note begins that `ivfhir.plan` puts into an overridden plan."""

_CLOSED = _OVER | {"completed", "failed"}
_STATUS = {
    "active": ("done", "Active"),
    "on-hold": ("warn", "On hold"),
    "completed": ("done", "Completed"),
    "revoked": ("off", "Revoked"),
    "entered-in-error": ("off", "Entered in error"),
}


@dataclass(frozen=True)
class OrderLine:
    """An order or goal that is no untouched draft: what it is, our page of it, how it stands."""

    what: str
    reference: str
    href: str
    status: str


@dataclass(frozen=True)
class WrittenPlan:
    """View model of the page.

    Attributes:
        shape: the shape beside the heading.
        title: what the plan is.
        text: how it stands in the EHR, a sentence each.
        board: the picture; None when the EHR shows no step to draw.
        agenda: the list by date.
        gates: what must hold before a step starts.
        next_steps: what comes next and is not done; empty for a plan that is over.
        over: orders that are no longer meant to be carried out; not on board and list.
        others: orders that somebody began or finished.
        unread: references that could not be read; what they hold is missing on the page.
        overrides: the notes that say what was overridden, and why.
        notes: the plan's other notes.
    """

    shape: str
    title: str
    text: tuple[str, ...]
    board: Board | None
    agenda: tuple[AgendaPart, ...]
    gates: tuple[tuple[str, str, str], ...]
    next_steps: tuple[NextStep, ...]
    over: tuple[OrderLine, ...]
    others: tuple[OrderLine, ...]
    unread: tuple[str, ...]
    overrides: tuple[str, ...]
    notes: tuple[str, ...]


def written_plan(
    plan: Resource,
    parts: Sequence[PlanPart],
    card: ProtocolCard,
    *,
    today: date,
    link: Callable[[str], str],
) -> WrittenPlan:
    """Return the page of a CarePlan as the EHR holds it now.

    Args:
        plan: the CarePlan.
        parts: what it refers to, as read.
        card: what its protocol says of itself.
        today: the day the page is looked at.
        link: gives the address of our page of a `Type/id`.
    """
    inside = _inside(plan)
    orders = [part for part in (*parts, *inside) if part.resource_type not in (GOAL, REQUEST_GROUP)]
    over = [part for part in orders if part.status in _OVER]
    others = [part for part in orders if part.status not in ("draft", "", *_OVER)]
    closed = [part for part in (*parts, *inside) if part.status in _CLOSED]
    whole = contained_plan(plan, parts, but=over)
    items = plan_items(whole)
    shape, status = _STATUS.get(str(plan.get("status")), ("ask", f"Status: {plan.get('status')}"))
    title = plan_title(items, card)
    notes = [str(note.get("text", "")) for note in plan.get("note", ())]
    is_over = plan.get("status") != "active"
    return WrittenPlan(
        shape=shape,
        title=title,
        text=(f"{status} in the EHR{_by(plan)}.", _counted(orders), *_how(orders)),
        board=draw_board(items, title=title, today=today),
        agenda=agenda(items, today),
        gates=gates(items),
        next_steps=() if is_over else next_steps(contained_plan(plan, parts, but=closed), today),
        over=_lines(over, plan, link),
        others=_lines(others, plan, link),
        unread=tuple(part.reference for part in parts if part.resource is None),
        overrides=tuple(override_note(text) for text in notes if text.startswith(_OVERRIDE)),
        notes=tuple(text for text in notes if not text.startswith(_OVERRIDE)),
    )


def contained_plan(
    plan: Resource, parts: Sequence[PlanPart], *, but: Sequence[PlanPart] = ()
) -> Resource:
    """Return a CarePlan that contains what it refers to, as a draft does.

    Args:
        plan: the plan.
        parts: what it refers to, as read; what it contains stays in it.
        but: parts, also of those that it contains, that are left out.
    """
    resources = [part.resource for part in parts if part.resource is not None and part not in but]
    gone = {part.reference for part in but}
    ids = {reference_of(each): _contained_id(reference_of(each)) for each in resources}
    spelled = references_as_written([plan, *resources])
    names = {text: f"#{ids[reference]}" for text, reference in spelled.items() if reference in ids}
    contained = [
        {**renamed_references(each, names), "id": ids[reference_of(each)]} for each in resources
    ]
    whole: Resource = renamed_references(plan, names)
    own = [each for each in objects_in(plan, "contained") if f"#{each.get('id')}" not in gone]
    return {**whole, "contained": [*own, *contained]}


def _inside(plan: Resource) -> list[PlanPart]:
    """Return what a plan contains of its own, each with what the plan calls it."""
    contained = [each for each in objects_in(plan, "contained") if "resourceType" in each]
    titles: dict[str, str] = {}
    for group in contained:
        if group["resourceType"] == REQUEST_GROUP:
            titles |= dict(_titles(group))
    named = ((f"#{each.get('id')}", each) for each in contained)
    return [PlanPart(reference, titles.get(reference, ""), each, "") for reference, each in named]


def _titles(element: Resource) -> Iterator[tuple[str, str]]:
    """Yield reference and title of each action in a group or an action."""
    for action in objects_in(element, "action"):
        reference = object_in(action, "resource").get("reference")
        if reference:
            yield str(reference), str(action.get("title", ""))
        yield from _titles(action)


def _how(orders: Sequence[PlanPart]) -> tuple[str, ...]:
    if not any(part.reference.startswith("#") for part in orders):
        return ()
    return ("They are inside the care plan: the EHR's work lists do not show them.",)


def _contained_id(reference: str) -> str:
    return reference.replace("/", "-")


def _by(plan: Resource) -> str:
    author = plan.get("author", {}).get("display")
    made = dates.day(plan.get("created"))
    return "".join([f", by {author}" if author else "", f", drafted on {made}" if made else ""])


def _counted(orders: Sequence[PlanPart]) -> str:
    """Return how many orders there are of each status: `40 orders: 38 draft, 2 active`."""
    if not orders:
        return "The EHR shows no orders of this plan."
    statuses = [part.status or "could not be read" for part in orders]
    counted = ", ".join(
        f"{statuses.count(status)} {status}" for status in dict.fromkeys(sorted(statuses))
    )
    return f"{words.count(len(orders), 'order')}: {counted}."


def _lines(
    parts: Sequence[PlanPart], plan: Resource, link: Callable[[str], str]
) -> tuple[OrderLine, ...]:
    """Return a line a part; one that is inside the plan is read with the plan."""
    lines = []
    for part in parts:
        place = reference_of(plan) if part.reference.startswith("#") else part.reference
        lines.append(OrderLine(part.title or part.resource_type, place, link(place), part.status))
    return tuple(lines)
