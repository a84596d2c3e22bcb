"""Stage 3, plan: an evaluated protocol becomes a draft CarePlan, with all that it holds.

See http://hl7.org/fhir/R4/plandefinition-operation-apply.html. Which actions there are, and when,
comes from the protocol; nothing here knows one.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ivfhir.activity import Origin
from ivfhir.activity.due import due_of
from ivfhir.activity.origin import without_empty
from ivfhir.activity.request_group import draft_request_group
from ivfhir.decision import Answer
from ivfhir.fhir.types import CARE_PLAN, CONDITION, GOAL, PATIENT, Resource
from ivfhir.knowledge.criteria import INCLUSION
from ivfhir.override import override_words

ANSWERS = {Answer.NOT_MET.value: "not met", Answer.UNKNOWN.value: "unknown"}


@dataclass(frozen=True)
class PlanInputs:
    """What a plan is made for, beside the protocol.

    Attributes:
        subject: Reference to the Patient.
        as_of: FHIR dateTime of the evaluation.
        decision: the protocol's answer, as `evaluate` prints it.
        parameters: the parameters that were given, as text.
        override_reason: why a plan is drafted although the status is not eligible.
        override_kind: what kind of reason that is, a key of `OVERRIDE_KINDS`.
        settings: the parameters that hold, in words, where the protocol words them.
        warnings: what the dates mean for the protocol's goals, a sentence each.
    """

    subject: Resource
    as_of: str
    decision: Resource
    parameters: Mapping[str, str]
    override_reason: str | None = None
    override_kind: str | None = None
    settings: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def build_care_plan(
    plan_definition: Resource,
    activities: Mapping[str, Resource],
    value_of: Callable[[str], object],
    inputs: PlanInputs,
) -> Resource:
    """Return the draft CarePlan with contained RequestGroup, requests and Goals.

    Args:
        plan_definition: the PlanDefinition.
        activities: canonical -> ActivityDefinition.
        value_of: returns the CQL value of a define for this patient.
        inputs: patient, time, decision and parameters.

    Raises:
        UnsupportedError: an activity of a kind that we do not draft.
        EvaluationError: a define fails on this patient's data.
    """
    reasons, supporting = _references(inputs.decision)
    origin = Origin(inputs.subject, inputs.as_of, reasons)
    group, requests = draft_request_group(plan_definition, activities, value_of, origin)
    goals = [_goal(each, origin) for each in plan_definition.get("goal", [])]
    care_plan = {
        "resourceType": CARE_PLAN,
        "contained": [group, *requests, *goals],
        "instantiatesCanonical": [f"{plan_definition['url']}|{plan_definition['version']}"],
        "status": "draft",
        "intent": "proposal",
        "title": plan_definition["title"],
        "description": plan_definition["description"],
        "subject": inputs.subject,
        "period": _period(requests),
        "created": inputs.as_of,
        "addresses": reasons,
        "supportingInfo": supporting,
        "goal": [{"reference": f"#{goal['id']}"} for goal in goals],
        "activity": [{"reference": {"reference": f"#{group['id']}"}}],
        "note": [{"text": text} for text in _notes(plan_definition, inputs)],
    }
    return without_empty(care_plan)


def _references(decision: Resource) -> tuple[list[Resource], list[Resource]]:
    """Return the conditions that met inclusions rest on, and every other resource of evidence."""
    reasons: dict[str, None] = {}
    evidence: dict[str, None] = {}
    for criterion in decision["criteria"]:
        met = criterion["kind"] == INCLUSION and criterion["answer"] == Answer.MET.value
        for each in criterion.get("evidence", []):
            reference = each.get("reference")
            if reference is not None:
                is_reason = met and reference.startswith(f"{CONDITION}/")
                (reasons if is_reason else evidence)[reference] = None
    others = [
        each for each in evidence if each not in reasons and not each.startswith(f"{PATIENT}/")
    ]
    return [{"reference": each} for each in reasons], [{"reference": each} for each in others]


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


def _period(requests: list[Resource]) -> Resource | None:
    """Return the time from the first planned day to the last."""
    days = sorted(due.day for due in map(due_of, requests) if due.day is not None)
    return {"start": days[0], "end": days[-1]} if days else None


def _notes(plan_definition: Resource, inputs: PlanInputs) -> list[str]:
    """Return what a reader must see: an override, the protocol's justification, what is special."""
    notes = []
    if inputs.override_reason is not None:
        notes.append(_override(inputs, inputs.override_reason))
    notes += [
        each["display"]
        for each in plan_definition.get("relatedArtifact", [])
        if each["type"] == "justification"
    ]
    notes += inputs.warnings
    if inputs.settings:
        notes.append(f"Settings: {'; '.join(inputs.settings)}.")
    elif inputs.parameters:
        given = ", ".join(f"{name} {value}" for name, value in inputs.parameters.items())
        notes.append(f"Parameters: {given}; others by default.")
    by_id = {criterion["id"]: criterion for criterion in inputs.decision["criteria"]}
    for caution in inputs.decision.get("cautions", []):
        notes.append(f"Caution: {by_id[caution]['title']}. {by_id[caution]['rule']}")
    not_assessable = inputs.decision.get("notAssessable", [])
    if not_assessable:
        titles = "; ".join(by_id[each]["title"] for each in not_assessable)
        notes.append(f"Cautions that could not be assessed: {titles}.")
    return notes


def _override(inputs: PlanInputs, reason: str) -> str:
    decision = inputs.decision
    overridden = [
        f"{criterion['title']} ({criterion['id']}, {ANSWERS[criterion['answer']]})"
        for criterion in decision["criteria"]
        if criterion["id"] in (*decision["failed"], *decision["unknown"])
    ]
    if not overridden:
        return f"{override_words(inputs.override_kind, reason)}; no criterion needed it."
    return (
        f"{override_words(inputs.override_kind, reason)}; status {decision['status']}; "
        f"criteria overridden: {', '.join(overridden)}."
    )
