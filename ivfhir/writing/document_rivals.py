"""Two sessions that accept at once where plans go in as documents: one document stays current.

As of plans (`ivfhir.writing.rivals`): after a document is written it is looked again, and of those
that nobody saw before, the one that the server stored first stays.
"""

from collections.abc import Collection

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
        ServerError: the documents could not be looked for.
    """
    document = repository.read(DOCUMENT_REFERENCE, own.partition("/")[2])
    if not is_current(document):
        return None
    patient = bare(str(document.get("subject", {}).get("reference", "")))
    listed = current_documents(repository, patient, protocols_in(document))
    found = [
        repository.read(DOCUMENT_REFERENCE, str(each["id"]))
        for each in listed
        if reference_of(each) not in (own, *known)
        and plan_of(each) != plan_of(document)
        and not is_preliminary(each)
    ]
    rivals = [
        each
        for each in found
        if is_current(each) and are_together(document, each) and own not in _replaced_by(each)
    ]
    if not rivals:
        return None
    first, *others = sorted([document, *rivals], key=_document_rank)
    older = [
        {
            "reference": reference_of(each),
            "version": str(each.get("meta", {}).get("versionId", "")),
        }
        for each in others
    ]
    ended = end_documents(repository, older, may_update=may_update)
    authors = [str(each.get("display", "")) for each in first.get("author", ())]
    gone = {each.reference for each in ended if each.status not in ("", CURRENT)}
    return Rivalry(
        own=own,
        stays=reference_of(first),
        author=", ".join(each for each in authors if each),
        revoked=tuple(each.reference for each in ended if each.reference in gone),
        left=tuple(each.reference for each in ended if each.reference not in gone),
    )


def _replaced_by(document: Resource) -> frozenset[str]:
    """Return the documents that one says it replaces."""
    return frozenset(
        bare(str(each.get("target", {}).get("reference", "")))
        for each in document.get("relatesTo", ())
        if each.get("code") == "replaces"
    )


def _document_rank(document: Resource) -> tuple[float, str, str]:
    stored = stored_at(document)
    at = stored.timestamp() if stored else 0.0
    return at, plan_of(document) or "", str(document.get("id", ""))
