"""The steps of a CarePlan, one item a request: what board, list and review are made from."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from ivfhir.activity.due import due_of
from ivfhir.fhir.types import Resource
from ivfhir.prescribe import BEFORE_ROUNDING, UNDOSED
from ivfhir.wording import dates, words
from smart_app.pages.lanes import Step, plan_codes, plan_words, stem_of, step_of
from smart_app.visit.dosage import dose_of, drug_of

_ID = re.compile(r"^[A-Z]+-[A-Z]\d+: ")
"""What stood before the words of a condition in plans of earlier versions."""


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
        title: what is done, without its round.
        details: how it is done, in words; '' when the plan says nothing.
        conditions: what must hold before it starts.
        group: title of the part of the plan it belongs to.
        round: number of its round, None outside the rounds.
        round_name: what the protocol calls a round, `Segment`.
        planned: the planned day; None where a plan of an earlier release says the period only.
        low: first allowed day.
        high: last allowed day.
        resource_type: FHIR type of the request.
        request_id: id of the request inside the plan.
        step: how it is drawn.
        notes: the request's notes.
        dosed: a dose stands in the request.
    """

    action_id: str
    stem: str
    title: str
    details: str
    conditions: tuple[Condition, ...]
    group: str
    round: int | None
    round_name: str
    planned: date | None
    low: date
    high: date
    resource_type: str
    request_id: str
    step: Step
    notes: tuple[str, ...]
    dosed: bool = False

    @property
    def day(self) -> date:
        """The planned day, or the first allowed one when no day is planned."""
        return self.planned or self.low

    @property
    def in_round(self) -> str:
        """`segment 2`; '' outside the rounds."""
        return "" if self.round is None else f"{words.decapitalise(self.round_name)} {self.round}"


def plan_items(care_plan: Resource) -> tuple[PlanItem, ...]:
    """Return the steps of a CarePlan with contained requests, in order of date."""
    contained = {f"#{resource['id']}": resource for resource in care_plan.get("contained", ())}
    items = []
    for group in contained.values():
        if group["resourceType"] == "RequestGroup":
            for action, groups in _actions(group.get("action", ()), ()):
                request = contained.get(action.get("resource", {}).get("reference", ""))
                item = None if request is None else _item(action, groups, request)
                if item is not None:
                    items.append(item)
    return tuple(sorted(items, key=lambda item: (item.day, item.low)))


def round_starts(items: tuple[PlanItem, ...]) -> dict[int, date]:
    """Return day 0 of every round."""
    starts: dict[int, date] = {}
    for item in items:
        if item.round is not None and item.step.opens_round:
            starts.setdefault(item.round, item.day)
    return starts


def _actions(
    actions: list[dict[str, Any]], groups: tuple[dict[str, Any], ...]
) -> Iterator[tuple[dict[str, Any], tuple[dict[str, Any], ...]]]:
    """Yield every action that has a resource, with the groups around it."""
    for action in actions:
        if action.get("resource"):
            yield action, groups
        yield from _actions(action.get("action", []), (*groups, action))


def _item(
    action: Mapping[str, Any], groups: tuple[dict[str, Any], ...], request: Resource
) -> PlanItem | None:
    planned, low, high = _when(request, action)
    if low is None or high is None:
        return None
    action_id = str(action.get("id") or request["id"])
    resource_type = str(request["resourceType"])
    around = [group for group in groups if "round" in plan_codes(group)]
    number = str(around[-1].get("prefix", "")) if around else ""
    dose, level = _dose(request)
    title = plan_words(action) or str(action.get("title") or action_id)
    details = str(action.get("description", ""))
    return PlanItem(
        action_id=action_id,
        stem=stem_of(action_id),
        title=f"{title}: {dose}" if dose else title,
        details=f"{level} {details}".strip() if level else details,
        conditions=tuple(
            Condition(
                f"gate-{condition.get('expression', {}).get('expression', '')}",
                _ID.sub("", str(condition.get("expression", {}).get("description", ""))),
            )
            for condition in action.get("condition", ())
            if condition.get("kind") == "start"
        ),
        group=str(groups[-1].get("title", "")) if groups else "",
        round=int(number) if number.isdecimal() else None,
        round_name=plan_words(around[-1]) if around else "",
        planned=planned,
        low=low,
        high=high,
        resource_type=resource_type,
        request_id=str(request["id"]),
        step=step_of(action),
        notes=tuple(str(note.get("text", "")) for note in request.get("note", ())),
        dosed=bool(level),
    )


def _dose(request: Resource) -> tuple[str, str]:
    """Return drug and dose of a request, and what they were before rounding.

    `cisplatin 135 mg` and `134.4 mg before rounding; 75 mg/m2.`; of a drug whose dose nobody
    publishes its name alone; '' and '' where no regimen was chosen. The level stands in no element
    of R4, so it is shown as the request words it.
    """
    dose = dose_of(request)
    texts = [str(each.get("text", "")) for each in request.get("dosageInstruction", ())]
    if dose is not None:
        levels = (text.partition(BEFORE_ROUNDING)[2].partition(")")[0] for text in texts)
        return dose.said, f"{'; '.join(filter(None, [dose.before_rounding, *levels]))}."
    if any(text.endswith(UNDOSED) for text in texts):
        return f"{drug_of(request)}, no dose published", ""
    return "", ""


def _when(
    request: Resource, action: Mapping[str, Any]
) -> tuple[date | None, date | None, date | None]:
    """Return planned day, first and last allowed day of a request."""
    due = due_of(request, dict(action))
    planned = dates.parse_day(due.day)
    return (
        planned,
        dates.parse_day(due.earliest) or planned,
        dates.parse_day(due.latest) or planned,
    )
