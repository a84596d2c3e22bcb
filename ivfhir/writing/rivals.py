"""Two sessions that accept at once: of several active plans of one protocol, one stays.

Before a plan is sent, the active plans are read and shown; what another session accepts in that
moment is not among them. So after the commit it is looked again. The plan that the server stored
first stays, then the lower identifier; whoever looks last sees all, and all come to the same. The
others are revoked, each with its orders that nobody has touched; nothing is deleted.

A plan that was stored long before or after was seen, or could be, and is somebody's choice.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime

from ivfhir.errors import NotShownError, ServerError, UnauthorisedError
from ivfhir.fhir.references import is_about_another, reference_of
from ivfhir.fhir.types import BUNDLE, CARE_PLAN, Resource
from ivfhir.repository import Repository
from ivfhir.writing.bundle import revocation, value_of
from ivfhir.writing.earlier import read_plan_parts
from ivfhir.writing.read_back import bare

TOGETHER_S = 120
"""Seconds, by the server's clock, between plans that were accepted at the same time.

From the reading before a plan is sent to its commit no more pass: so long lasts a claim on a draft.
"""

_ACTIVE = frozenset({"active"})
_TRIES = 3
"""How often a plan that another session changes at the same moment is read again."""


@dataclass(frozen=True)
class Rivalry:
    """What was found beside a plan, or the document of one, that was just written.

    Attributes:
        own: its reference.
        stays: the reference of the plan that stays.
        author: who accepted that one, as it says; '' when it does not.
        revoked: references of the plans that were revoked (documents: superseded), or were so
            already when it was tried.
        left: references of plans that should have been and could not.
    """

    own: str
    stays: str
    author: str
    revoked: tuple[str, ...]
    left: tuple[str, ...]


def settle_rivals(
    repository: Repository,
    own: str,
    *,
    known: Collection[str],
    may: Callable[[str, str], bool],
) -> Rivalry | None:
    """Leave one of the active plans of a protocol that were accepted at the same time.

    Args:
        repository: the server.
        own: reference of the plan that was just written.
        known: references of the active plans that were shown at its review: these are not touched.
        may: tells whether the scopes grant an interaction ("r", "u") on a type.

    Returns:
        What became of them; None when there was no other, or the plan is no longer active itself.

    Raises:
        NotShownError: the search does not yet show the plan itself.
        ServerError: the plans could not be looked for.
    """
    plan = repository.read(CARE_PLAN, own.partition("/")[2])
    if plan.get("status") != "active":
        return None  # Another plan took its place since.
    patient = bare(str(plan.get("subject", {}).get("reference", "")))
    found = repository.search(CARE_PLAN, {"patient": patient})
    if own not in map(reference_of, found):
        raise NotShownError
    rivals = [
        each
        for each in found
        if each.get("status") == "active"
        and not is_about_another(each, patient)  # A server may overlook what it is asked.
        and reference_of(each) not in (own, *known)
        and not _protocols(plan).isdisjoint(_protocols(each))
        and are_together(plan, each)
    ]
    if not rivals:
        return None
    first, *others = sorted([plan, *rivals], key=stored_rank)
    ended = {reference_of(each): end_plan(repository, each, may, among=_ACTIVE) for each in others}
    return Rivalry(
        own=own,
        stays=reference_of(first),
        author=str(first.get("author", {}).get("display", "")),
        revoked=tuple(reference for reference, gone in ended.items() if gone),
        left=tuple(reference for reference, gone in ended.items() if not gone),
    )


def _protocols(plan: Resource) -> frozenset[str]:
    """Return the protocols that a plan follows, in whatever version."""
    return frozenset(
        str(canonical).partition("|")[0] for canonical in plan.get("instantiatesCanonical", ())
    )


def are_together(plan: Resource, other: Resource) -> bool:
    """Tell whether plans were stored at the same time; a server that does not say when: yes."""
    stored, other_stored = stored_at(plan), stored_at(other)
    if stored is None or other_stored is None:
        return True
    return abs((stored - other_stored).total_seconds()) <= TOGETHER_S


def stored_rank(plan: Resource) -> tuple[float, str, str]:
    """Return what orders plans: when the server stored them, then their identifiers."""
    stored = stored_at(plan)
    return stored.timestamp() if stored else 0.0, value_of(plan) or "", str(plan.get("id", ""))


def stored_at(plan: Resource) -> datetime | None:
    """Return when the server stored a plan; None when it does not say, or not with an offset."""
    try:
        stored = datetime.fromisoformat(str(plan.get("meta", {}).get("lastUpdated")))
    except ValueError:
        return None
    return stored if stored.tzinfo else None


def end_plan(
    repository: Repository,
    plan: Resource,
    may: Callable[[str, str], bool],
    *,
    among: Collection[str],
    kept: Collection[str] = (),
) -> bool:
    """Revoke a plan with its untouched orders; return whether it has ended afterwards.

    Args:
        repository: the server.
        plan: the plan, as read.
        may: tells whether an interaction ("r", "u") on a type is allowed.
        among: the statuses in which it is to be ended; in any other it has ended already.
        kept: references of orders that stay: those of the plan that stays.
    """
    if not may(CARE_PLAN, "u"):
        return False
    for left in reversed(range(_TRIES)):
        try:
            if plan.get("status") not in among:
                return True
            # At last without those of its orders that cannot be read: the plan must not stay.
            parts = read_plan_parts(repository, plan, may=may, strict=left > 0)
            orders = [part.resource for part in parts if part.resource and not part.stays]
            ending = [plan, *(each for each in orders if reference_of(each) not in kept)]
            repository.transact(
                {
                    "resourceType": BUNDLE,
                    "type": "transaction",
                    "entry": [revocation(each) for each in ending],
                }
            )
        except UnauthorisedError:
            raise
        except ServerError:
            pass  # Somebody else may have done it meanwhile: the next look tells.
        try:
            plan = repository.read(CARE_PLAN, str(plan["id"]))
        except UnauthorisedError:
            raise
        except ServerError:
            continue
    return plan.get("status") not in among
