"""What will be asked about a plan, told in advance, so that it can be asked for many at once."""

from collections.abc import Collection, Iterator, Mapping

from ivfhir.fhir.types import CARE_PLAN, DOCUMENT_REFERENCE, Resource
from ivfhir.sync.bulk import ID, IDENTIFIER, PATIENT_PARAM, Look
from ivfhir.sync.ladder import Means, Rung
from ivfhir.sync.mapping import patient_look, reference_looks
from ivfhir.sync.plans import SyncPlan, Token, protocols_of, search_token
from ivfhir.writing.bundle import PLAN_SYSTEM
from ivfhir.writing.document import DOCUMENT_SYSTEM


def identity_look(plan: SyncPlan) -> Look:
    """Return the search for a plan: by the identifier that it gets, and by those that it has."""
    tokens = (Token(PLAN_SYSTEM, plan.plan_id), *plan.tokens)
    return Look(CARE_PLAN, IDENTIFIER, tuple(map(search_token, tokens)))


def first_looks(plan: SyncPlan, patient: str | None, means: Means) -> Iterator[Look]:
    """Yield what is asked first: for the plan, and for the patient where nobody is known."""
    if not plan.refusal:
        yield identity_look(plan)
        if means.rung(plan.types) is Rung.DOCUMENT and means.finds(DOCUMENT_REFERENCE):
            yield from _own_look(DOCUMENT_REFERENCE, Token(DOCUMENT_SYSTEM, plan.plan_id))
        look = patient_look(plan) if patient is None else None
        if look is not None:
            yield look


def second_looks(plan: SyncPlan, patient: str, means: Means) -> Iterator[Look]:
    """Yield what is asked of a known patient: open plans, and what the plan refers to."""
    if _has_rivals(plan) and means.rung(plan.types).has_care_plan:
        yield Look(CARE_PLAN, PATIENT_PARAM, (patient,))
    yield from reference_looks(plan, patient)


def back_looks(
    plan: SyncPlan, patient: str, places: Mapping[str, str], means: Means
) -> Iterator[Look]:
    """Yield what is asked of a plan that was sent: copies, every part, other open plans.

    Args:
        plan: the plan.
        patient: reference of the patient there.
        places: where its parts, or its document, are, by identifier value.
        means: what the server offers.
    """
    by_type: dict[str, dict[str, str]] = {}
    for value, reference in places.items():
        resource_type, _, resource_id = reference.partition("/")
        by_type.setdefault(resource_type, {})[resource_id] = value
    for value in by_type.get(DOCUMENT_REFERENCE, {}).values():
        if means.finds(DOCUMENT_REFERENCE):
            yield from _own_look(DOCUMENT_REFERENCE, Token(PLAN_SYSTEM, value))
    if CARE_PLAN in by_type:
        yield from _own_look(CARE_PLAN, Token(PLAN_SYSTEM, plan.plan_id))
    others = patient_plans(plan, patient, places)
    if others is not None:
        yield others
    for resource_type, ids in by_type.items():
        yield Look(resource_type, ID, tuple(ids))


def patient_plans(plan: SyncPlan, patient: str, places: Mapping[str, str]) -> Look | None:
    """Return the search for all plans of the patient, made after a plan was sent.

    None where it was not sent as a CarePlan, or nobody asks what other plans there are.
    """
    is_there = places.get(plan.plan_id, "").startswith(f"{CARE_PLAN}/")
    return Look(CARE_PLAN, PATIENT_PARAM, (patient,)) if is_there and _has_rivals(plan) else None


def shown_among(
    plan: SyncPlan, places: Mapping[str, str], found: Collection[Resource]
) -> dict[Look, list[Resource]]:
    """Return which looks at a plan that was sent are answered by all plans of its patient.

    They show it, and its copies: what we send twice is of one patient. Where they do not show it,
    the server finds late what it stored, and each look is made by itself.
    """
    own = places[plan.plan_id].partition("/")[2]
    shown = [each for each in found if each.get("id") == own]
    if not shown:
        return {}
    looks = [Look(CARE_PLAN, ID, (own,)), *_own_look(CARE_PLAN, Token(PLAN_SYSTEM, plan.plan_id))]
    return {look: [each for each in found if look.finds(each)] for look in looks}


def _has_rivals(plan: SyncPlan) -> bool:
    return bool(protocols_of(plan.care_plan))


def _own_look(kind: str, token: Token) -> Iterator[Look]:
    """Yield the search for what we gave an identifier, where a list can hold that."""
    if search_token(token) == str(token):
        yield Look(kind, IDENTIFIER, (str(token),))
