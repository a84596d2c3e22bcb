"""What will be asked about a plan, told in advance, so that it can be asked for many at once."""

from collections.abc import Iterator, Mapping

from ivfhir.fhir.types import CARE_PLAN
from ivfhir.sync.bulk import ID, IDENTIFIER, PATIENT_PARAM, Look
from ivfhir.sync.mapping import patient_look, reference_looks
from ivfhir.sync.plans import SyncPlan, Token, protocols_of, search_token
from ivfhir.writing.bundle import PLAN_SYSTEM


def identity_look(plan: SyncPlan) -> Look:
    """Return the search for a plan: by the identifier that it gets, and by those that it has."""
    tokens = (Token(PLAN_SYSTEM, plan.plan_id), *plan.tokens)
    return Look(CARE_PLAN, IDENTIFIER, tuple(map(search_token, tokens)))


def first_looks(plan: SyncPlan, patient: str | None) -> Iterator[Look]:
    """Yield what is asked first: for the plan, and for the patient where nobody is known."""
    if not plan.refusal:
        yield identity_look(plan)
        look = patient_look(plan) if patient is None else None
        if look is not None:
            yield look


def second_looks(plan: SyncPlan, patient: str) -> Iterator[Look]:
    """Yield what is asked of a known patient: open plans, and what the plan refers to."""
    if protocols_of(plan.care_plan):
        yield Look(CARE_PLAN, PATIENT_PARAM, (patient,))
    yield from reference_looks(plan, patient)


def back_looks(plan: SyncPlan, patient: str, places: Mapping[str, str]) -> Iterator[Look]:
    """Yield what is asked of a plan that was sent: copies, every part, other open plans.

    Args:
        plan: the plan.
        patient: reference of the patient there.
        places: where its parts are, by identifier value.
    """
    own = Token(PLAN_SYSTEM, plan.plan_id)
    if search_token(own) == str(own):
        yield Look(CARE_PLAN, IDENTIFIER, (str(own),))
    by_type: dict[str, list[str]] = {}
    for reference in places.values():
        resource_type, _, resource_id = reference.partition("/")
        by_type.setdefault(resource_type, []).append(resource_id)
    for resource_type, ids in by_type.items():
        yield Look(resource_type, ID, tuple(ids))
    if protocols_of(plan.care_plan):
        yield Look(CARE_PLAN, PATIENT_PARAM, (patient,))
