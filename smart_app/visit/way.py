"""How an accepted plan leaves the app: as entries, as a care plan alone, as a document, as files.

The EHR's CapabilityStatement and the granted scopes tell, before the clinician starts.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from ivfhir.errors import ServerError, UnauthorisedError
from ivfhir.fhir.types import CARE_PLAN, DOCUMENT_REFERENCE, Resource
from ivfhir.pdf import why_no_pdf
from ivfhir.sync.door import Door
from ivfhir.sync.ladder import Means, Rung, read_means
from ivfhir.sync.profiles import Profile
from ivfhir.writing.bundle import created_entries
from ivfhir.writing.capabilities import NO_TRANSACTIONS, WriteSupport
from smart_app.smart.launch import Launch

ENTRIES, SINGLES, ALONE = "entries", "singles", "alone"
DOCUMENT, FILES = "document", "files"
_RANK = (ENTRIES, SINGLES, ALONE, DOCUMENT, FILES)
WITH_CARE_PLAN = (ENTRIES, SINGLES, ALONE)
"""The ways by which a CarePlan comes into the record."""
WORDS: Mapping[str, str] = MappingProxyType(
    {
        ENTRIES: "as entries, all together",
        SINGLES: "as entries, one by one",
        ALONE: "as one care plan, its orders and goals inside",
        DOCUMENT: "as a document",
        FILES: "not at all: you get files",
    }
)
"""Kind -> how the plan goes to the EHR, in words."""

_RUNGS = {SINGLES: Rung.SINGLES, ALONE: Rung.CONTAINED}
_NO_PDF = (
    "The app could not make a document to read: what draws it is not installed. Whoever runs the "
    "app can install WeasyPrint and Pango."
)
_NOT_FOUND_ONE_BY_ONE = (
    "Written one by one, some entries could not be looked for afterwards, so they might be written "
    "twice."
)


@dataclass(frozen=True)
class Way:
    """How a plan goes to the EHR.

    Attributes:
        kind: ENTRIES (a CarePlan and its parts, in one transaction), SINGLES (the same, one after
            the other), ALONE (a CarePlan with its parts contained), DOCUMENT (a
            DocumentReference) or FILES (nothing is written).
        why: why it is not a better one, a sentence each.
        has_pdf: whether a document to read can be made here.
    """

    kind: str
    why: tuple[str, ...]
    has_pdf: bool = True


def way_of(launch: Launch, types: Collection[str], support: WriteSupport) -> Way:
    """Return how a plan of these types goes to the launch's EHR.

    Raises:
        UnauthorisedError: the token expired.
    """
    refused = (*launch.lacking(types), *_not_found_again(launch))
    why = (*refused, *support.hindrances)
    if not why:
        return Way(ENTRIES, ())
    if why == (NO_TRANSACTIONS,):
        # An answer may be lost after each, so each must be found again.
        findable = all(launch.scopes.may(each, "s") for each in types)
        if findable and means_of(launch).rung(types) is Rung.SINGLES:
            return Way(SINGLES, why)
        why = (*why, _NOT_FOUND_ONE_BY_ONE)
    if launch.scopes.may(CARE_PLAN, "r") and _takes_care_plan(means_of(launch), types):
        return Way(ALONE, why)
    missing = why_no_pdf()  # What draws it takes seconds to load, and is not needed above.
    if not means_of(launch).takes_documents():
        return Way(FILES, why, has_pdf=not missing)
    return Way(FILES, (*why, _NO_PDF), has_pdf=False) if missing else Way(DOCUMENT, why)


def _takes_care_plan(means: Means, types: Collection[str]) -> bool:
    """Tell whether a CarePlan alone can be created, and looked for so that it is created once."""
    return (
        means.rung(types, lower=True).has_care_plan
        and means.may_search(CARE_PLAN)
        and means.finds(CARE_PLAN)
    )


def worst_of(ways: Collection[Way]) -> Way | None:
    """Return the way that keeps the least of a plan, with the reasons of all; None for none."""
    if not ways:
        return None
    worst = max(ways, key=lambda way: _RANK.index(way.kind))
    return replace(worst, why=tuple(dict.fromkeys(each for way in ways for each in way.why)))


def means_of(launch: Launch) -> Means:
    """Return what the EHR's server offers, as far as the granted scopes let the app use it.

    Raises:
        UnauthorisedError: the token expired.
    """
    try:
        means = launch.app.server_says(launch.fhir_base, launch.repository).means
    except UnauthorisedError:
        raise
    except ServerError:
        means = read_means(None, Profile())  # The write itself will tell.
    return replace(means, allows=launch.scopes.may)


def is_document(bundle: Resource) -> bool:
    """Tell whether a transaction brings a plan as a document."""
    return bool(created_entries(bundle)[0]["resource"]["resourceType"] == DOCUMENT_REFERENCE)


def server_for(launch: Launch, kept: Mapping[str, Any]) -> Door:
    """Return the EHR's server as it is asked for a plan.

    Each search names the patient, as some servers insist; a document needs no transaction.

    Args:
        launch: the launch.
        kept: what was accepted, with the transaction as `bundle`.
    """
    if is_document(kept["bundle"]):
        means, rung = means_of(launch), Rung.DOCUMENT
    elif kept.get("way") in _RUNGS:
        means, rung = means_of(launch), _RUNGS[kept["way"]]
    else:
        means, rung = read_means(None, Profile()), Rung.TRANSACTION
    named = replace(means, profile=replace(means.profile, search_needs_patient=True))
    return Door(launch.repository, named, patient=launch.patient_id, rung=rung)


def _not_found_again(launch: Launch) -> list[str]:
    if launch.scopes.may(CARE_PLAN, "s"):
        return []
    return [
        "The EHR does not let the app look for care plans, so it could not make sure that a "
        "plan is written only once. Your EHR administrator can grant it."
    ]
