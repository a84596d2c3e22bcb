"""RequestGroup: the plan's actions as a tree, each leaf with the draft of its request.

See http://hl7.org/fhir/R4/plandefinition-operation-apply.html and http://hl7.org/fhir/R4/requestgroup.html.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from ivfhir.activity.draft import draft_request
from ivfhir.activity.due import due_of
from ivfhir.activity.dynamic_value import ValueOf, of_action, of_request, set_dynamic_values
from ivfhir.activity.origin import Origin, canonicals_of, without_empty
from ivfhir.fhir.types import REQUEST_GROUP, Resource

PAST = "due before the evaluation date"
"""The note on a request whose day, as computed, lies before the day of evaluation."""

CARRIED = (
    *("id", "prefix", "title", "description", "textEquivalent", "priority", "code"),
    *("documentation", "timingDateTime", "timingAge", "timingPeriod", "timingDuration"),
    *("timingRange", "timingTiming", "type", "groupingBehavior", "selectionBehavior"),
    *("requiredBehavior", "precheckBehavior", "cardinalityBehavior"),
)
"""Elements that an action of a RequestGroup has in common with one of a PlanDefinition."""


@dataclass(frozen=True)
class GroupDraft:
    """Drafts the actions of one plan.

    Attributes:
        activities: canonical -> ActivityDefinition.
        value_of: returns the CQL value of an expression.
        origin: patient, time and reasons of every request.
        requests: the drafts made so far, in the order of the actions.
        days: their planned days.
    """

    activities: Mapping[str, Resource]
    value_of: ValueOf
    origin: Origin
    requests: list[Resource] = field(default_factory=list)
    days: list[str] = field(default_factory=list)

    def kept(self, definitions: list[Resource]) -> list[Resource]:
        """Return the actions whose applicability conditions are all TRUE, without empty groups."""
        actions = [self._action(each) for each in definitions if self._applies(each)]
        return [action for action in actions if "resource" in action or action.get("action")]

    def _applies(self, definition: Resource) -> bool:
        return all(
            self.value_of(condition["expression"]) is True
            for condition in definition.get("condition", [])
            if condition["kind"] == "applicability"
        )

    def _action(self, definition: Resource) -> Resource:
        action = {name: definition.get(name) for name in CARRIED}
        conditions = definition.get("condition", [])
        action["condition"] = [each for each in conditions if each["kind"] != "applicability"]
        action["relatedAction"] = definition.get("relatedAction")
        set_dynamic_values(action, of_action(definition), self.value_of)
        if "definitionCanonical" in definition:
            action["resource"] = {"reference": f"#{self._request(definition, action)['id']}"}
        else:
            action["action"] = self.kept(definition["action"])
        return without_empty(action)

    def _request(self, definition: Resource, action: Resource) -> Resource:
        activity = self.activities[definition["definitionCanonical"]]
        request = draft_request(activity, definition["id"], self.origin)
        for holder in (activity, definition):
            set_dynamic_values(request, of_request(holder), self.value_of)
        due = due_of(request, action)
        self.days.extend([due.day] if due.day else [])
        last = due.last
        if last is not None and last < self.origin.authored_on[: len(last)]:
            request["note"] = [*request.get("note", ()), {"text": PAST}]
        self.requests.append(request)
        return request


def draft_request_group(
    plan_definition: Resource,
    activities: Mapping[str, Resource],
    value_of: ValueOf,
    origin: Origin,
) -> tuple[Resource, list[Resource], list[str]]:
    """Return the RequestGroup, the requests that its actions refer to, and their planned days.

    Args:
        plan_definition: the PlanDefinition; `ivfhir.knowledge.actions` has checked its actions.
        activities: canonical -> ActivityDefinition.
        value_of: returns the CQL value of an expression.
        origin: patient, time and reasons.

    Raises:
        UnsupportedError: an activity of a kind that we do not draft.
        EvaluationError: a define fails on this patient's data.
    """
    draft = GroupDraft(activities, value_of, origin)
    actions = draft.kept(plan_definition.get("action", []))
    _drop_dangling(actions, _ids(actions))
    group = {
        "resourceType": REQUEST_GROUP,
        "id": f"{plan_definition['id']}-group",
        "instantiatesCanonical": canonicals_of(plan_definition),
        "status": "draft",
        "intent": "proposal",
        "subject": origin.subject,
        "authoredOn": origin.authored_on,
        "reasonReference": list(origin.reasons),
        "action": actions,
    }
    return without_empty(group), draft.requests, draft.days


def _ids(actions: list[Resource]) -> set[str]:
    return {action["id"] for action in actions}.union(
        *(_ids(action.get("action", [])) for action in actions)
    )


def _drop_dangling(actions: list[Resource], kept: Collection[str]) -> None:
    """Remove relations to actions that the plan has not kept."""
    for action in actions:
        related = action.pop("relatedAction", [])
        related = [each for each in related if each["actionId"] in kept]
        if related:
            action["relatedAction"] = related
        _drop_dangling(action.get("action", []), kept)
