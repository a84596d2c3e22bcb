"""What a PlanDefinition and its activities keep to."""

import re
from collections.abc import Collection, Iterator, Mapping

from ivfhir.errors import KnowledgeError
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.actions import check_actions, expressions, walk_actions

GRADES = frozenset(
    f"http://hl7.org/fhir/StructureDefinition/cqf-{name}"
    for name in ("qualityOfEvidence", "strengthOfRecommendation")
)
"""R4 allows them on an Attachment only: on `documentation.document`."""

ACTION_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
"""An action's id is the id of its request, so it keeps to the type id."""


def plan_findings(
    plan_definition: Resource, defines: Mapping[str, Collection[str]]
) -> Iterator[str]:
    """Yield what a PlanDefinition gets wrong.

    Args:
        plan_definition: the PlanDefinition.
        defines: canonical of each of its libraries -> names that it defines.
    """
    try:
        check_actions(plan_definition, defines)
    except KnowledgeError as error:
        yield error.message
        return
    actions = list(walk_actions(plan_definition))
    ids = {action["id"] for action in actions}
    goals = {goal.get("id") for goal in plan_definition.get("goal", [])}
    for action in actions:
        yield from (f"action {action['id']}: {text}" for text in _action(action, ids, goals))
    for names in defines.values():
        yield from _unused_dates(actions, names)


def activity_findings(activity: Resource) -> Iterator[str]:
    """Yield what an ActivityDefinition gets wrong."""
    if activity.get("intent") != "proposal":
        yield "intent must be proposal"
    if any("doseAndRate" in dosage for dosage in activity.get("dosage", [])):
        yield "a dose stands in it; doses come from a regimen, not from an activity"
    if "doNotPerform" in activity:
        yield "doNotPerform is never set"


def _action(action: Resource, ids: Collection[str], goals: Collection[str]) -> Iterator[str]:
    if ACTION_ID.fullmatch(action["id"]) is None:
        yield "its id may hold letters, digits, - and . only"
    for name in ("title", "description"):
        if not action.get(name):
            yield f"{name} is missing"
    if not any(_graded(each) for each in action.get("documentation", [])):
        yield "no documentation with label, citation, quality and strength of evidence"
    for related in action.get("relatedAction", []):
        if related["actionId"] not in ids:
            yield f"it relates to {related['actionId']}, which does not exist"
    for goal in action.get("goalId", []):
        if goal not in goals:
            yield f"it serves the goal {goal}, which does not exist"


def _graded(documentation: Resource) -> bool:
    extensions = documentation.get("document", {}).get("extension", [])
    return (
        bool(documentation.get("label"))
        and bool(documentation.get("citation"))
        and {each["url"] for each in extensions} >= GRADES
    )


def _unused_dates(actions: list[Resource], defines: Collection[str]) -> Iterator[str]:
    """Yield dates that no action uses, as a date or by its window."""
    used = {each.get("expression", "") for action in actions for each in expressions(action)}
    stems = {name.removesuffix("_Date").removesuffix("_Window") for name in used}
    for define in defines:
        stem = define.removesuffix("_Window")
        if stem != define and stem not in stems:
            yield f"no action uses {define} or {stem}_Date"
