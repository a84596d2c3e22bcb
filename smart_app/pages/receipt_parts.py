"""Parts of a receipt: where each entry went, how it reads back, and the next steps."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from ivfhir.fhir.types import Resource
from ivfhir.wording import dates
from smart_app.pages.plan_items import PlanItem, plan_items

_NEXT = 3
_NAMES = {
    "CarePlan": "Care plan",
    "RequestGroup": "Order group",
    "Goal": "Goals",
    "ServiceRequest": "Draft services",
    "MedicationRequest": "Draft medicines, not ordered",
    "CommunicationRequest": "Draft information",
    "Task": "Draft tasks",
    "Provenance": "Signature",
    "DocumentReference": "Document: PDF and data",
}


@dataclass(frozen=True)
class Link:
    """A stored entry: what it is, its reference, our page of it, its version."""

    what: str
    reference: str
    href: str
    version: str


@dataclass(frozen=True)
class Place:
    """Entries of one type: where they are, and whether they read back as they were sent."""

    what: str
    links: tuple[Link, ...]
    style: str
    compared: str
    differences: tuple[str, ...]


@dataclass(frozen=True)
class NextStep:
    """One of the next steps; `late`: its planned day is past, or its last day is today."""

    when: str
    title: str
    details: str
    late: bool


def places(
    entries: Sequence[Mapping[str, Any]], care_plan: Resource, link: Callable[[str], str]
) -> tuple[Place, ...]:
    """Return where the entries of a receipt went, a place a type.

    Args:
        entries: the receipt's entries.
        care_plan: the plan as it was reviewed; it names the parts.
        link: gives the address of our page of a `Type/id`.
    """
    names = _part_names(care_plan)
    by_type: dict[str, list[Mapping[str, Any]]] = {}
    for entry in entries:
        by_type.setdefault(entry["type"], []).append(entry)
    return tuple(
        _place(resource_type, members, names, link) for resource_type, members in by_type.items()
    )


def next_steps(care_plan: Resource, today: date) -> tuple[NextStep, ...]:
    """Return the next steps of a plan whose allowed days are not over."""
    still_open = [item for item in plan_items(care_plan) if item.high >= today]
    still_open.sort(key=lambda item: (max(item.day, today), item.high))
    return tuple(_next_step(item, today) for item in still_open[:_NEXT])


def _place(
    resource_type: str,
    members: Sequence[Mapping[str, Any]],
    names: Mapping[str, str],
    link: Callable[[str], str],
) -> Place:
    same = sum(entry["differences"] == [] for entry in members)
    all_same, one = same == len(members), len(members) == 1
    what = _NAMES.get(resource_type, resource_type)
    return Place(
        what=what,
        links=tuple(
            Link(
                names.get(entry["part"], what),
                entry["reference"],
                link(entry["reference"]),
                entry["version"],
            )
            for entry in members
            if entry["reference"]
        ),
        style="eligible" if all_same else "ask",
        compared="Same" if all_same and one else f"{same} of {len(members)} the same",
        differences=tuple(_difference(entry) for entry in members if entry["differences"] != []),
    )


def _difference(entry: Mapping[str, Any]) -> str:
    name = entry["reference"] or entry["type"]
    if entry["differences"] is None:
        return f"{name}: could not be read back"
    return f"{name}: {'; '.join(entry['differences'])}"


def _part_names(care_plan: Resource) -> dict[str, str]:
    """Return the words for each contained part, by its id."""
    names = {
        str(part["id"]): str(part.get("description", {}).get("text", ""))
        for part in care_plan.get("contained", ())
        if part["resourceType"] == "Goal"
    }
    for item in plan_items(care_plan):
        day = f", {dates.day(item.planned)}" if item.planned else ""
        names[item.request_id] = f"{_titled(item)}{day}"
    return names


def _next_step(item: PlanItem, today: date) -> NextStep:
    until = f"until {dates.weekday_day(item.high)}"
    late = item.high == today or (item.planned is not None and item.planned < today)
    if item.planned is None:
        when = f"{until[:1].upper()}{until[1:]}"
    elif item.planned < today:
        when = f"Planned for {dates.weekday_day(item.planned)}, {until}"
    else:
        planned = "Today" if item.planned == today else dates.weekday_day(item.planned)
        when = planned if item.high == item.planned else f"{planned}, {until}"
    return NextStep(when, _titled(item), item.details, late)


def _titled(item: PlanItem) -> str:
    where = f", {item.in_round}" if item.in_round else ""
    return f"{item.title}{where}"
