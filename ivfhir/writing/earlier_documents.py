"""Documents of earlier plans: which of them are current, and how one ends for a newer one.

What cannot be read is told, never taken for ended. A document that somebody changed after it was
listed stays.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ivfhir.errors import (
    ServerError,
    ThrottledError,
    UnauthorisedError,
    VersionConflictError,
)
from ivfhir.fhir.references import is_about_another
from ivfhir.fhir.types import BUNDLE, DOCUMENT_REFERENCE, Resource
from ivfhir.repository import Repository
from ivfhir.writing.bundle import revocation
from ivfhir.writing.document import plan_of, protocols_in
from ivfhir.writing.ending import status_of

CURRENT = "current"
FINAL = frozenset({"final", "amended"})
"""What `docStatus` says of a document of an accepted plan."""

LISTED = "meta,identifier,status,docStatus,subject,date,description,context"
"""What tells an older plan's document from others; not what is in them."""

UNREAD = "it could not be read"
CHANGED = "it was changed since it was shown to you"
NOT_ALLOWED = "the EHR does not let the app change documents"
REFUSED = "the EHR refused to change it"
UNCLEAR = "the EHR failed or did not answer when it was to be changed"
UNCHANGED = "the EHR took the change and still shows it as current"


@dataclass(frozen=True)
class EndedDocument:
    """What became of a document that was to end.

    Attributes:
        reference: `DocumentReference/id`.
        status: as it was read last; '' when it could not be.
        why: why it did not end, as a clause; '' when it did, or it is told by its status.
    """

    reference: str
    status: str
    why: str = ""


def is_current(document: Resource) -> bool:
    """Tell whether a document counts."""
    return document.get("status") == CURRENT


def is_preliminary(document: Resource) -> bool:
    """Tell whether a document is of a plan that nobody accepted."""
    return document.get("docStatus") == "preliminary"


def current_documents(
    repository: Repository, patient: str, protocols: Collection[str]
) -> list[Resource]:
    """Return the current documents of a patient's plans of some protocols, without what is in them.

    A server may overlook a parameter of a search, so each that it brings is looked at.

    Args:
        repository: the server.
        patient: `Patient/id`.
        protocols: canonicals, without versions.

    Raises:
        ServerError: they could not be looked for.
    """
    asked = {"patient": patient, "status": CURRENT, "_elements": LISTED}
    return [
        each
        for each in repository.search(DOCUMENT_REFERENCE, asked)
        if is_current(each)
        and plan_of(each)
        and not protocols_in(each).isdisjoint(protocols)
        and not is_about_another(each, patient)
    ]


def end_documents(
    repository: Repository, older: Sequence[Mapping[str, str]], *, may_update: bool
) -> tuple[EndedDocument, ...]:
    """Mark documents as superseded, each while it is at the version that was shown.

    One that ended already is let be, so that it may be called again.

    Args:
        repository: the server.
        older: `reference` and `version` of each; '' for a version that the server does not tell.
        may_update: whether the server lets documents be changed.
    """
    return tuple(
        _end(repository, each["reference"], each["version"], may_update=may_update)
        for each in older
    )


def _end(
    repository: Repository, reference: str, version: str, *, may_update: bool
) -> EndedDocument:
    try:
        stored = _read(repository, reference)
    except ServerError:
        return EndedDocument(reference, "", UNREAD)
    if not is_current(stored):
        return EndedDocument(reference, status_of(stored))
    if str(stored.get("meta", {}).get("versionId", "")) != version:
        return EndedDocument(reference, CURRENT, CHANGED)
    if not may_update:
        return EndedDocument(reference, CURRENT, NOT_ALLOWED)
    why = UNCHANGED
    try:
        repository.transact(
            {"resourceType": BUNDLE, "type": "transaction", "entry": [revocation(stored)]}
        )
    except VersionConflictError:
        why = CHANGED
    except (UnauthorisedError, ThrottledError):
        why = UNCLEAR  # The EHR did not get to look at it.
    except ServerError as error:
        why = REFUSED if error.status is not None and error.status < 500 else UNCLEAR  # noqa: PLR2004 - HTTP
    try:
        stored = _read(repository, reference)
    except ServerError:
        return EndedDocument(reference, "", UNREAD)
    if why == CHANGED and str(stored.get("meta", {}).get("versionId", "")) == version:
        why = UNCLEAR  # The EHR spoke of a conflict, and nobody changed it.
    status = status_of(stored)
    return EndedDocument(reference, status, why if status == CURRENT else "")


def _read(repository: Repository, reference: str) -> Resource:
    resource_type, _, resource_id = reference.partition("/")
    return repository.read(resource_type, resource_id)
