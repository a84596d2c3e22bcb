"""A newer plan of the same patient and protocol: may it take the place of the older one?

Sync never activates and never outranks: what a clinician made active is ended by nothing less.
"""

from collections.abc import Container, Iterable
from typing import NamedTuple

from ivfhir.fhir.references import is_about_another, reference_of
from ivfhir.fhir.types import CARE_PLAN, Resource
from ivfhir.repository import Repository
from ivfhir.sync.created import is_later
from ivfhir.sync.plans import protocols_of

OPEN = frozenset({"draft", "active", "on-hold"})
_IN_FORCE = frozenset({"active", "on-hold"})
_OF_INPUT = "of this input: "
_RANKS = {"proposal": 0, "plan": 1, "order": 2}


class Rivals(NamedTuple):
    """The open plans of a patient and protocol beside the one that is sent.

    Attributes:
        older: those whose place it takes.
        refusal: why it may not, a sentence; '' when it may.
    """

    older: tuple[Resource, ...]
    refusal: str


def find_open(repository: Repository, plan: Resource, patient: str) -> list[Resource]:
    """Return the server's open plans of the patient that share a protocol with the plan."""
    if not protocols_of(plan):
        return []
    return open_among(plans_of(repository, patient), plan)


def plans_of(repository: Repository, patient: str) -> list[Resource]:
    """Return the server's CarePlans of a patient, `Patient/id`.

    A server may overlook a parameter of a search that it does not know, and bring everybody's:
    http://hl7.org/fhir/R4/search.html#errors
    """
    found = repository.search(CARE_PLAN, {"patient": patient})
    return [each for each in found if not is_about_another(each, patient)]


def open_among(
    plans: Iterable[Resource], plan: Resource, states: Container[str] = OPEN
) -> list[Resource]:
    """Return the open ones of a patient's plans that share a protocol with a plan.

    Args:
        plans: the patient's plans.
        plan: the plan.
        states: which status counts.
    """
    protocols = protocols_of(plan)
    return [
        each
        for each in plans
        if each.get("status") in states and not protocols.isdisjoint(protocols_of(each))
    ]


def as_coming(plan: Resource, name: str) -> Resource:
    """Return a plan of the input as the server would have it by now, were this not a dry run."""
    return {**plan, "id": f"{_OF_INPUT}{name}"}


def _called(rival: Resource) -> str:
    reference = reference_of(rival)
    name = reference.removeprefix(f"{CARE_PLAN}/{_OF_INPUT}")
    return reference if name == reference else f"{name} of this input"


def judge_rivals(plan: Resource, rivals: list[Resource]) -> Rivals:
    """Return whether a plan may take the place of others.

    Args:
        plan: the plan that is not on the server yet.
        rivals: from `find_open`.
    """
    if plan.get("status") not in OPEN:
        return Rivals((), "")
    for rival in rivals:
        reference = _called(rival)
        why = _outranked(plan, rival)
        if why:
            return Rivals((), f"{reference} {why}")
        if not is_later(plan.get("created"), rival.get("created")):
            return Rivals(
                (),
                f"{reference} is an open plan of this patient and protocol, and this one was not "
                "surely made later; `created` of both must say so.",
            )
    return Rivals(tuple(rivals), "")


def standing_of(plan: Resource) -> tuple[bool, int]:
    """Return what outranks: whether a plan is in force, then how binding its intent is."""
    return plan.get("status") in _IN_FORCE, _RANKS.get(str(plan.get("intent")), 0)


def _outranked(plan: Resource, rival: Resource) -> str:
    if rival.get("status") in _IN_FORCE and plan.get("status") not in _IN_FORCE:
        return (
            f"is {rival['status']}, and this plan is a {plan.get('status')}; sync ends no plan in "
            "force for it. Accept it in the EHR first."
        )
    ours, theirs = (_RANKS.get(str(each.get("intent")), 0) for each in (plan, rival))
    if theirs > ours:
        return (
            f"has the intent {rival.get('intent')}, which outranks this plan's "
            f"{plan.get('intent')}; accept it in the EHR first."
        )
    return ""
