"""`PlanDefinition/$apply`, for any PlanDefinition: a draft CarePlan with all that it holds.

See http://hl7.org/fhir/R4/plandefinition-operation-apply.html. Nothing here knows a protocol, nor
when a plan is allowed: `ivfhir.plan` has the gate of our protocols.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ivfhir.activity import Origin
from ivfhir.activity.dynamic_value import ValueOf
from ivfhir.activity.origin import canonicals_of, without_empty
from ivfhir.activity.request_group import draft_request_group
from ivfhir.expressions.elm import ElmLibrary, Session
from ivfhir.fhir.types import CARE_PLAN, GOAL, Resource
from ivfhir.knowledge.actions import find_define


@dataclass(frozen=True)
class Grounds:
    """What a plan rests on.

    Attributes:
        origin: patient, time and the conditions that are treated.
        supporting: References to what else it rests on.
        notes: what a reader must see, a text each.
    """

    origin: Origin
    supporting: Sequence[Resource] = ()
    notes: Sequence[str] = ()


def apply(
    plan_definition: Resource,
    activities: Mapping[str, Resource],
    value_of: ValueOf,
    grounds: Grounds,
) -> Resource:
    """Return the draft CarePlan with contained RequestGroup, requests and Goals.

    Args:
        plan_definition: the PlanDefinition; `ivfhir.knowledge.actions` has checked its actions.
        activities: canonical -> ActivityDefinition.
        value_of: returns the CQL value of an expression for this patient (`values_of`).
        grounds: patient, time, reasons and notes.

    Raises:
        UnsupportedError: an activity of a kind that we do not draft.
        EvaluationError: a define fails on this patient's data.
    """
    origin = grounds.origin
    group, requests, days = draft_request_group(plan_definition, activities, value_of, origin)
    goals = [_goal(each, origin) for each in plan_definition.get("goal", [])]
    care_plan = {
        "resourceType": CARE_PLAN,
        "contained": [group, *requests, *goals],
        "instantiatesCanonical": canonicals_of(plan_definition),
        "status": "draft",
        "intent": "proposal",
        "title": plan_definition.get("title"),
        "description": plan_definition.get("description"),
        "subject": origin.subject,
        "period": {"start": min(days), "end": max(days)} if days else None,
        "created": origin.authored_on,
        "addresses": list(origin.reasons),
        "supportingInfo": list(grounds.supporting),
        "goal": [{"reference": f"#{goal['id']}"} for goal in goals],
        "activity": [{"reference": {"reference": f"#{group['id']}"}}],
        "note": [{"text": text} for text in grounds.notes],
    }
    return without_empty(care_plan)


def values_of(libraries: Mapping[str, ElmLibrary], session: Session) -> ValueOf:
    """Return what gives the values of a plan's expressions.

    Args:
        libraries: canonical of each library of the plan -> it.
        session: begun for all of them.

    Returns:
        A function of an Expression: its `reference` picks the library; a name without one is looked
        for in all of them. It raises KnowledgeError where none or several define the name.
    """
    defines = {canonical: frozenset(each.defines) for canonical, each in libraries.items()}
    sessions = {canonical: session.of(each.key) for canonical, each in libraries.items()}

    def value_of(expression: Resource) -> object:
        library, name = find_define("The plan", expression, defines)
        return sessions[library].value(name)

    return value_of


def _goal(definition: Resource, origin: Origin) -> Resource:
    """Return a proposed Goal: http://hl7.org/fhir/R4/goal.html."""
    return without_empty(
        {
            "resourceType": GOAL,
            "id": definition["id"],
            "lifecycleStatus": "proposed",
            "category": [definition["category"]] if "category" in definition else None,
            "priority": definition.get("priority"),
            "description": definition["description"],
            "subject": origin.subject,
            "addresses": list(origin.reasons),
            "target": [_target(each) for each in definition.get("target", [])],
        }
    )


def _target(definition: Resource) -> Resource:
    """Return a Goal's target: a PlanDefinition calls its dueDuration `due`."""
    return {("dueDuration" if name == "due" else name): each for name, each in definition.items()}
