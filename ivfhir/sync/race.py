"""Plans of a patient and protocol that several writers sent at the same moment: one stays open.

Before a plan is sent, the open plans are looked for; what another writer sends in that moment is
not among them. So after the commit it is looked again. The one that stays is the one that would
have taken the place of the others had they been sent in turn; whoever looks last sees all, and all
come to the same. The others are revoked, each with its orders that nobody has touched.
"""

from collections.abc import Callable
from typing import NamedTuple

from ivfhir.errors import NotShownError
from ivfhir.fhir.references import reference_of
from ivfhir.fhir.types import CARE_PLAN, Resource
from ivfhir.repository import Repository
from ivfhir.sync.created import is_later
from ivfhir.sync.ladder import Means
from ivfhir.sync.supersede import OPEN, open_among, plans_of, standing_of
from ivfhir.writing.earlier import read_plan_parts
from ivfhir.writing.rivals import are_together, end_plan, stored_rank


class Race(NamedTuple):
    """What was found beside a plan that was just sent.

    Attributes:
        stays: reference of the plan that stays.
        ended: references of the plans that have ended.
        left: references of plans that should have and could not be.
    """

    stays: str
    ended: tuple[str, ...]
    left: tuple[str, ...]


def settle_race(
    repository: Repository,
    own: str,
    patient: str,
    *,
    means: Means,
    shown: bool = True,
    again: bool = False,
) -> Race | None:
    """Leave one of the open plans of a protocol that were sent at the same time.

    Args:
        repository: the server.
        own: reference of the plan that was just sent.
        patient: reference of the patient there.
        means: what may be written there.
        shown: whether the search must show the plan itself to be believed.
        again: it was read back by an earlier run: if it has ended since, that was no race.

    Returns:
        What became of them; None when there was no other.

    Raises:
        NotShownError: it must be shown and is not.
        ServerError: the plans could not be looked for.
    """
    plan, others = _side_by_side(repository, own, patient, shown=shown)
    if others:  # What is to be changed is looked at once more: the first look may be old.
        plan, others = _side_by_side(repository, own, patient, shown=shown)
    if not others:
        return None
    is_open = plan.get("status") in OPEN
    if again and not is_open:
        return None
    stays = last_of([plan, *others] if is_open else others)

    def may(kind: str, _: str) -> bool:
        return means.may_update(kind)

    kept = {each.reference for each in read_plan_parts(repository, stays, may=may, strict=True)}
    ended: list[str] = [] if is_open else [own]
    left: list[str] = []
    for each in [plan, *others] if is_open else others:
        if each is stays:
            continue
        gone = end_plan(repository, each, may, among=OPEN, kept=kept)
        (ended if gone else left).append(reference_of(each))
    return Race(reference_of(stays), tuple(ended), tuple(left))


def _side_by_side(
    repository: Repository, own: str, patient: str, *, shown: bool
) -> tuple[Resource, list[Resource]]:
    """Return a plan as it is, and the open ones of its protocol that were sent with it."""
    found = plans_of(repository, patient)
    plan = next((each for each in found if reference_of(each) == own), None)
    if plan is None:  # A search may find late what was just stored.
        if shown:
            raise NotShownError
        plan = repository.read(CARE_PLAN, own.partition("/")[2])
    others = [
        each
        for each in open_among(found, plan)
        if reference_of(each) != own and are_together(plan, each)
    ]
    return plan, others


def last_of(plans: list[Resource]) -> Resource:
    """Return the plan that would stand had these been sent one after the other, in any order.

    One in force before a draft, the higher intent, then the one that was surely made later; where
    none was, the one that the server stored first.
    """
    highest = max(standing_of(each) for each in plans)
    standing = [each for each in plans if standing_of(each) == highest]
    return latest(standing, made="created", rank=stored_rank)


def latest(
    resources: list[Resource], *, made: str, rank: Callable[[Resource], tuple[float, str, str]]
) -> Resource:
    """Return the one that was surely made later; where none was, the first by rank.

    Args:
        resources: those that outrank no other.
        made: the element that says when one was made.
        rank: what orders them by when the server stored them.
    """
    best, *others = sorted(resources, key=rank)
    for each in others:
        if is_later(each.get(made), best.get(made)):
            best = each
    return best
