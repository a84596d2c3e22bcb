"""The steps of a CarePlan, one item a request: what board, list and review are made from."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ivfhir.activity.due import due_of
from ivfhir.fhir.types import Resource
from ivfhir.wording import dates
from smart_app.pages.lanes import Step, stem_of, step_of

INTRA_ARTERIAL = "58100008"
"""SNOMED CT: intra-arterial route."""

_ID = re.compile(r"^[A-Z]+-[A-Z]\d+: ")
"""What stood before the words of a condition in plans of earlier versions."""

_IN_TITLE = re.compile(r"(,| before| of) segment \d+|, regimen day \d+|, day \d+| \d+ of \d+$")


@dataclass(frozen=True)
class Condition:
    """What must hold before a step starts: an anchor for links, and the plan's words."""

    anchor: str
    words: str


@dataclass(frozen=True)
class PlanItem:
    """One step of the plan.

    Attributes:
        action_id: `LUNG-A07.2.14`.
        stem: `LUNG-A07`.
        title: what is done, without its segment.
        details: how it is done, in words; '' when the plan says nothing.
        conditions: what must hold before it starts.
        group: title of the part of the plan it belongs to.
        segment: number of its segment, None outside the segments.
        planned: the planned day; None when only a period is planned.
        low: first allowed day.
        high: last allowed day.
        resource_type: FHIR type of the request.
        request_id: id of the request inside the plan.
        step: how it is drawn.
        notes: the request's notes.
    """

    action_id: str
    stem: str
    title: str
    details: str
    conditions: tuple[Condition, ...]
    group: str
    segment: int | None
    planned: date | None
    low: date
    high: date
    resource_type: str
    request_id: str
    step: Step
    notes: tuple[str, ...]

    @property
    def day(self) -> date:
        """The planned day, or the first allowed one when no day is planned."""
        return self.planned or self.low


def plan_items(care_plan: Resource) -> tuple[PlanItem, ...]:
    """Return the steps of a CarePlan with contained requests, in order of date."""
    contained = {f"#{resource['id']}": resource for resource in care_plan.get("contained", ())}
    items = []
    for group in contained.values():
        if group["resourceType"] == "RequestGroup":
            for action, titles in _actions(group.get("action", ()), ()):
                request = contained.get(action.get("resource", {}).get("reference", ""))
                item = None if request is None else _item(action, titles, request)
                if item is not None:
                    items.append(item)
    return tuple(sorted(items, key=lambda item: (item.day, item.low)))


def segment_starts(items: tuple[PlanItem, ...]) -> dict[int, date]:
    """Return day 0 of every segment."""
    starts: dict[int, date] = {}
    for item in items:
        if item.segment is not None and item.step.opens_segment:
            starts.setdefault(item.segment, item.day)
    return starts


def _actions(
    actions: list[dict[str, Any]], titles: tuple[tuple[str, str], ...]
) -> Iterator[tuple[dict[str, Any], tuple[tuple[str, str], ...]]]:
    """Yield every action that has a resource, with id and title of the groups around it."""
    for action in actions:
        if action.get("resource"):
            yield action, titles
        yield from _actions(
            action.get("action", []), (*titles, (_id_of(action), action.get("title", "")))
        )


def _id_of(action: Mapping[str, Any]) -> str:
    return str(action.get("id", ""))


def _item(
    action: Mapping[str, Any], groups: tuple[tuple[str, str], ...], request: Resource
) -> PlanItem | None:
    planned, low, high = _when(request)
    if low is None or high is None:
        return None
    action_id = _id_of(action) or str(request["id"])
    resource_type = str(request["resourceType"])
    group_id, group_title = groups[-1] if groups else ("", "")
    return PlanItem(
        action_id=action_id,
        stem=stem_of(action_id),
        title=_IN_TITLE.sub("", str(action.get("title") or action_id)).strip(),
        details=str(action.get("description", "")),
        conditions=tuple(
            Condition(
                f"gate-{condition.get('expression', {}).get('expression', '')}",
                _ID.sub("", str(condition.get("expression", {}).get("description", ""))),
            )
            for condition in action.get("condition", ())
            if condition.get("kind") == "start"
        ),
        group=group_title,
        segment=_segment(group_id),
        planned=planned,
        low=low,
        high=high,
        resource_type=resource_type,
        request_id=str(request["id"]),
        step=step_of(action_id, resource_type, arterial=_is_arterial(request)),
        notes=tuple(str(note.get("text", "")) for note in request.get("note", ())),
    )


def _segment(group_id: str) -> int | None:
    found = re.search(r"segment\.(\d+)$", group_id)
    return int(found.group(1)) if found else None


def _when(request: Resource) -> tuple[date | None, date | None, date | None]:
    """Return planned day, first and last allowed day of a request."""
    due = due_of(request)
    planned = dates.parse_day(due.day)
    return (
        planned,
        dates.parse_day(due.earliest) or planned,
        dates.parse_day(due.latest) or planned,
    )


def _dosage(request: Resource) -> dict[str, Any]:
    dosages = request.get("dosageInstruction") or [{}]
    return dict(dosages[0])


def _is_arterial(request: Resource) -> bool:
    codings = _dosage(request).get("route", {}).get("coding", ())
    return any(coding.get("code") == INTRA_ARTERIAL for coding in codings)
