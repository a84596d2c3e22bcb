"""Two sessions that accept at once where plans go in as documents: one document stays current.

As of plans (`ivfhir.writing.rivals`): after a document is written it is looked again, and of those
that nobody saw before, the one that the server stored first stays.
"""

from collections.abc import Collection, Sequence

from ivfhir.errors import NotShownError
from ivfhir.fhir.references import reference_of
from ivfhir.fhir.types import DOCUMENT_REFERENCE, Resource
from ivfhir.repository import Repository
from ivfhir.writing.document import plan_of, protocols_in
from ivfhir.writing.earlier_documents import (
    CURRENT,
    current_documents,
    end_documents,
    is_current,
    is_preliminary,
)
from ivfhir.writing.read_back import bare
from ivfhir.writing.rivals import Rivalry, are_together, stored_at


def settle_document_rivals(
    repository: Repository, own: str, *, known: Collection[str], may_update: bool
) -> Rivalry | None:
    """Leave one of the current documents of a protocol's plans that were accepted at the same time.

    As for plans: what the server stored first stays, the others become superseded.

    Args:
        repository: the server.
        own: reference of the document that was just written.
        known: references of the documents that were shown at its review: these are not touched.
        may_update: whether the server lets documents be changed.

    Returns:
        What became of them; None when there was no other, or it is no longer current itself.

    Raises:
        ServerError: the documents could not be looked for, or the search does not yet show the
            document itself: then others may be missing, too.
    """
    document = repository.read(DOCUMENT_REFERENCE, own.partition("/")[2])
    if not is_current(document):
        return None
    rivals = [
        each
        for each in documents_beside(repository, document, shown=True)
        if reference_of(each) not in known and not is_preliminary(each)
    ]
    if not rivals:
        return None
    first, *others = sorted([document, *rivals], key=document_rank)
    gone, left = end_others(repository, others, may_update=may_update)
    authors = [str(each.get("display", "")) for each in first.get("author", ())]
    return Rivalry(
        own=own,
        stays=reference_of(first),
        author=", ".join(each for each in authors if each),
        revoked=gone,
        left=left,
    )


def documents_beside(
    repository: Repository, document: Resource, *, shown: bool = False
) -> list[Resource]:
    """Return the current documents of other plans that were stored together with one, as they are.

    They share patient and protocol with it; one that says it replaces it is no rival.

    Args:
        repository: the server.
        document: the document, as read.
        shown: whether the search must show the document itself, which is current.

    Raises:
        NotShownError: it must be shown and is not.
        ServerError: they could not be looked for.
    """
    patient = bare(str(document.get("subject", {}).get("reference", "")))
    own = reference_of(document)
    listed = current_documents(repository, patient, protocols_in(document))
    if shown and own not in map(reference_of, listed):
        raise NotShownError
    found = [
        repository.read(DOCUMENT_REFERENCE, str(each["id"]))  # A list may leave much out.
        for each in listed
        if reference_of(each) != own and plan_of(each) != plan_of(document)
    ]
    return [
        each
        for each in found
        if is_current(each) and are_together(document, each) and own not in _replaced_by(each)
    ]


def end_others(
    repository: Repository, others: Sequence[Resource], *, may_update: bool
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Mark documents as superseded; return the references of those that ended, and of the rest.

    Args:
        repository: the server.
        others: the documents, as read: one that somebody changed since stays.
        may_update: whether the server lets documents be changed.
    """
    older = [
        {
            "reference": reference_of(each),
            "version": str(each.get("meta", {}).get("versionId", "")),
        }
        for each in others
    ]
    ended = end_documents(repository, older, may_update=may_update)
    gone = tuple(each.reference for each in ended if each.status not in ("", CURRENT))
    return gone, tuple(each.reference for each in ended if each.reference not in gone)


def _replaced_by(document: Resource) -> frozenset[str]:
    """Return the documents that one says it replaces."""
    return frozenset(
        bare(str(each.get("target", {}).get("reference", "")))
        for each in document.get("relatesTo", ())
        if each.get("code") == "replaces"
    )


def document_rank(document: Resource) -> tuple[float, str, str]:
    """Return what orders documents: when the server stored them, then their plans' identifiers."""
    stored = stored_at(document)
    at = stored.timestamp() if stored else 0.0
    return at, plan_of(document) or "", str(document.get("id", ""))
