"""A plan that goes in as a document: which documents of earlier plans there are, and what ends."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ivfhir.errors import ServerError
from ivfhir.fhir.references import reference_of
from ivfhir.fhir.types import BUNDLE, DOCUMENT_REFERENCE, Resource
from ivfhir.knowledge.load import ClinicalProtocol
from ivfhir.writing.bundle import created_entries
from ivfhir.writing.document import document_entry, plan_of, with_pdf
from ivfhir.writing.earlier_documents import UNREAD, EndedDocument, end_documents
from ivfhir.writing.ending import END_STATUS
from smart_app.smart.launch import Launch
from smart_app.store import Draft
from smart_app.visit.reading import Reading
from smart_app.visit.way import means_of, server_for

GAVE_WAY = "this document gave way to another one of the same moment"
CHOSEN, NOT_ALLOWED = "chosen", "not-allowed"
"""Why documents of earlier plans stay: the clinician chose it, or nobody lets the app end them."""


def earlier_documents(
    reading: Reading, protocol: ClinicalProtocol
) -> tuple[dict[str, str], ...] | None:
    """Return what a page says of the current documents of the protocol's plans.

    Of each its reference, version, title and date, and the identifier of its `plan`. None where
    they could not be looked for.
    """
    if reading.documents_unread:
        return None
    return tuple(
        {
            "reference": reference_of(each),
            "version": str(each.get("meta", {}).get("versionId", "")),
            "title": str(each.get("description", "Treatment plan")),
            "date": str(each.get("date", "")),
            "plan": plan_of(each) or "",
        }
        for each in reading.documents_of(protocol)
    )


def may_end_documents(launch: Launch) -> bool:
    """Return whether EHR and granted scopes let the document of an earlier plan be ended.

    Raises:
        UnauthorisedError: the token expired.
    """
    return means_of(launch).may_update(DOCUMENT_REFERENCE)


def settled_documents(
    launch: Launch, draft: Draft, reading: Reading, protocol: ClinicalProtocol, *, replace: bool
) -> dict[str, Any]:
    """Return what becomes of the documents of the protocol's plans when a new one is written.

    Those that are `ended`, those that are `kept` and why, and whether they are `unread`. One that
    an earlier try of this draft left is of the same plan: it ends whatever was chosen.
    """
    found = earlier_documents(reading, protocol)
    may = may_end_documents(launch)
    own = [each for each in found or () if each["plan"] == draft.id]
    others = [each for each in found or () if each["plan"] != draft.id]
    ends = replace and may
    return {
        "ended": [*own, *(others if ends else [])],
        "kept": [] if ends else others,
        "why": "" if ends or not others else CHOSEN if may else NOT_ALLOWED,
        "unread": found is None,
    }


def document_bundle(
    launch: Launch,
    draft: Draft,
    accepted: Resource,
    reading: Reading,
    *,
    replaces: Sequence[Mapping[str, str]],
    has_pdf: bool,
) -> Resource:
    """Return the transaction that creates the document of an accepted plan.

    Args:
        launch: the launch.
        draft: the plan's draft.
        accepted: the plan.
        reading: the record.
        replaces: the documents whose place it takes.
        has_pdf: whether a document to read can be made here.
    """
    entry = document_entry(
        accepted,
        plan_id=draft.id,
        conditional=means_of(launch).conditional,
        replaces=[each["reference"] for each in replaces],
    )
    bundle: Resource = {"resourceType": BUNDLE, "type": "transaction", "entry": [entry]}
    return with_pdf(bundle, accepted, reading.record.patient) if has_pdf else bundle


def ended_of(documents: Mapping[str, Any] | None) -> list[Mapping[str, str]]:
    """Return the documents that end with a plan, of what `settled_documents` gave."""
    return list((documents or {}).get("ended", ()))


def end_with(
    launch: Launch, kept: Mapping[str, Any], *, gave_way: bool = False
) -> list[dict[str, str]]:
    """End the documents whose place a written one takes, and return what became of each.

    Only afterwards: what cannot be ended must not take the new plan away.

    Args:
        launch: the launch.
        kept: the receipt's body.
        gave_way: the written one ended itself for one of the same moment, so those of other plans
            are left to whoever accepted that one.
    """
    written = {each["reference"] for each in kept["entries"]}  # The same plan may be found again.
    older = [each for each in ended_of(kept.get("documents")) if each["reference"] not in written]
    own = plan_of(created_entries(kept["bundle"])[0]["resource"])
    left = [each for each in older if gave_way and each["plan"] != own]
    older = [each for each in older if each not in left]
    told = [_told(EndedDocument(each["reference"], "", GAVE_WAY)) for each in left]
    if not older:
        return told
    try:
        may = may_end_documents(launch)
        ended = end_documents(server_for(launch, kept), older, may_update=may)
    except ServerError:
        ended = tuple(EndedDocument(each["reference"], "", UNREAD) for each in older)
    return [*told, *map(_told, ended)]


def _told(ended: EndedDocument) -> dict[str, str]:
    return {**asdict(ended), "wanted": END_STATUS[DOCUMENT_REFERENCE]}
