"""A CarePlan as text for a terminal: what is due when, in the order of the days."""

from collections.abc import Iterator

from ivfhir.activity.due import due_of
from ivfhir.fhir.types import GOAL, REQUEST_GROUP, Resource
from ivfhir.knowledge.actions import walk_actions


def to_text(care_plan: Resource) -> str:
    """Return title, notes, goals, the dated list and the conditions of a CarePlan.

    Args:
        care_plan: what `ivfhir.apply.apply` returns: its requests are contained.
    """
    contained: dict[str, Resource] = {each["id"]: each for each in care_plan["contained"]}
    group = next(each for each in contained.values() if each["resourceType"] == REQUEST_GROUP)
    actions = list(walk_actions(group))
    goals = [each for each in contained.values() if each["resourceType"] == GOAL]
    sections = [
        [f"{care_plan['title']} ({care_plan['status']}, {care_plan['intent']})"],
        [note["text"] for note in care_plan.get("note", [])],
        ["Goals", *(f"  {goal['id']}  {goal['description']['text']}" for goal in goals)],
        ["Day         Window                    Action", *_rows(actions, contained)],
        ["Conditions", *dict.fromkeys(f"  {line}" for a in actions for line in _conditions(a))],
    ]
    return "\n\n".join("\n".join(lines) for lines in sections if lines) + "\n"


def _rows(actions: list[Resource], contained: dict[str, Resource]) -> list[str]:
    """Return a line for each request, by day, in the plan's order within a day."""
    rows = []
    for action in actions:
        if "resource" in action:
            request = contained[action["resource"]["reference"].removeprefix("#")]
            due = due_of(request, action)
            window = f"{due.earliest} to {due.latest}" if due.earliest and due.latest else ""
            notes = "".join(f" ({note['text']})" for note in request.get("note", []))
            row = f"{due.day or '':<12}{window:<26}{action['id']}  {action['title']}{notes}"
            rows.append((due.last or "", row + _names(action)))
    return [row for _, row in sorted(rows, key=lambda row: row[0])]


def _names(action: Resource) -> str:
    names = [_name(condition) for condition in action.get("condition", [])]
    return f" [{', '.join(names)}]" if names else ""


def _conditions(action: Resource) -> Iterator[str]:
    for condition in action.get("condition", []):
        description = condition["expression"].get("description", "")
        named = f"{condition['kind']} {_name(condition)}"
        yield f"{named}: {description}" if description else named


def _name(condition: Resource) -> str:
    """Return the id that a define is named by: `LUNG-G01` of `LUNG_G01`."""
    return str(condition["expression"]["expression"]).replace("_", "-")
