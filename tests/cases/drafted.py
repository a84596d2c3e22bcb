"""The actions of a drafted CarePlan, with their days, compared with a case."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from tests.cases.case import Case


class Due(NamedTuple):
    """The planned day and the window as FHIR dates."""

    day: str | None
    start: str | None
    end: str | None


def drafted_actions(care_plan: Mapping[str, Any]) -> dict[str, Due]:
    """Return action id -> when, for every action of a CarePlan that has a request."""
    contained = {f"#{each['id']}": each for each in care_plan["contained"]}
    [group] = [each for each in contained.values() if each["resourceType"] == "RequestGroup"]
    return {
        action["id"]: _due(contained[action["resource"]["reference"]], action)
        for action in _walk(group)
        if "resource" in action
    }


def plan_differences(case: Case, drafted: Mapping[str, Due]) -> list[str]:
    """Return a line for all in which a plan differs from [dates], [windows] and [actions]."""
    lines = [
        f"{action}: expected on {day}, found {drafted.get(action)}"
        for action, day in case.table.get("dates", {}).items()
        if action not in drafted or drafted[action].day != str(day)
    ]
    lines += [
        f"{action}: expected within {start} to {end}, found {drafted.get(action)}"
        for action, (start, end) in case.table.get("windows", {}).items()
        if action not in drafted or drafted[action][1:] != (str(start), str(end))
    ]
    actions = case.table.get("actions", {})
    if "kept" in actions:
        lines += [f"{each}: not drafted" for each in actions["kept"] if each not in drafted]
        lines += [f"{each}: drafted" for each in drafted if each not in actions["kept"]]
    lines += [f"{each}: drafted" for each in actions.get("absent", []) if each in drafted]
    return lines


def _walk(parent: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for action in parent.get("action", []):
        yield action
        yield from _walk(action)


def _due(request: Mapping[str, Any], action: Mapping[str, Any]) -> Due:
    """Read when a request is due: a Timing with a window, or a Period and the action's day."""
    dosage = request.get("dosageInstruction", [{}])[0]
    timing = request.get("occurrenceTiming", dosage.get("timing", {}))
    period = timing.get("repeat", {}).get("boundsPeriod")
    period = period or request.get("occurrencePeriod") or request.get("executionPeriod") or {}
    day = timing["event"][0] if "event" in timing else action.get("timingDateTime")
    return Due(day, period.get("start"), period.get("end"))
