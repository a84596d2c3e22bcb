"""A CarePlan as text for a terminal: what is due when, in the order of the days."""

from collections.abc import Iterator

from ivfhir.activity.due import Due, due_of
from ivfhir.fhir.types import Resource


def to_text(care_plan: Resource) -> str:
    """Return title, notes, goals and the dated list of a CarePlan that contains its requests.

    Args:
        care_plan: what `ivfhir.apply.apply` returns.
    """
    contained: dict[str, Resource] = {each["id"]: each for each in care_plan["contained"]}
    group = next(each for each in contained.values() if each["resourceType"] == "RequestGroup")
    rows = []
    for order, action in enumerate(_leaves(group)):
        request = contained[action["resource"]["reference"].removeprefix("#")]
        due = due_of(request)
        rows.append((due.last or "", order, _row(action, due, request)))
    goals = [each for each in contained.values() if each["resourceType"] == "Goal"]
    lines = [
        f"{care_plan['title']} ({care_plan['status']}, {care_plan['intent']})",
        *(f"  {note['text']}" for note in care_plan.get("note", [])),
        "",
        "Goals",
        *(f"  {goal['id']}  {goal['description']['text']}" for goal in goals),
        "",
        "Day         Window                    Action",
        *(row for _, _, row in sorted(rows)),
    ]
    return "\n".join(lines) + "\n"


def _leaves(element: Resource) -> Iterator[Resource]:
    for action in element.get("action", []):
        if "resource" in action:
            yield action
        yield from _leaves(action)


def _row(action: Resource, due: Due, request: Resource) -> str:
    window = f"{due.earliest} to {due.latest}" if due.earliest and due.latest else ""
    notes = "".join(f" ({note['text']})" for note in request.get("note", []))
    row = f"{due.day or '':<12}{window:<26}{action['id']}  {action['title']}{notes}"
    conditions = [
        f"\n{'':<40}{condition['kind']} condition: {condition['expression']['description']}"
        for condition in action.get("condition", [])
        if "description" in condition["expression"]
    ]
    return row + "".join(conditions)
