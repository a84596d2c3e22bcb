"""A plan for a server that takes no CarePlan: a DocumentReference with its PDF and its data.

The data are the whole plan as a Bundle, from which any system can take it later. Each version of a
plan is a document of its own, known by a digest of the data; a newer one `replaces` the older. See
http://hl7.org/fhir/R4/documentreference.html.
"""

import base64
import hashlib
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from ivfhir.errors import InputError
from ivfhir.fhir.contained import collection_bundle
from ivfhir.fhir.json import dumps, loads
from ivfhir.fhir.types import CARE_PLAN, DOCUMENT_REFERENCE, Resource
from ivfhir.pdf import to_pdf
from ivfhir.plan_document import to_html
from ivfhir.writing.bundle import PLAN_SYSTEM, created_entry, part_value, value_of
from ivfhir.writing.content import PDF, is_pdf

DOCUMENT_SYSTEM = "https://ivfhir.example/fhir/plan-document"
"""System of the identifier that all documents of one plan share."""

DATA = "application/fhir+json"
_URI = "urn:ietf:rfc:3986"
_DIGITS = 32
_ACCEPTED = frozenset({"active", "on-hold", "completed", "revoked"})


def plan_bundle(care_plan: Resource, plan_id: str) -> bytes:
    """Return a plan and all it contains as a collection Bundle in JSON; same plan, same bytes.

    Args:
        care_plan: with its parts contained.
        plan_id: the identifier that it is known by on every server; the CarePlan gets it.
    """
    plan = dict(care_plan)
    if value_of(plan) is None:
        own = {"system": PLAN_SYSTEM, "value": plan_id}
        plan["identifier"] = [*plan.get("identifier", ()), own]
    return dumps(collection_bundle(plan)).encode()


def document_entry(
    care_plan: Resource,
    *,
    plan_id: str,
    conditional: Callable[[str], bool],
    replaces: Sequence[str] = (),
    value: str = "",
) -> dict[str, Any]:
    """Return the entry that creates the document of a plan, its PDF still missing.

    Args:
        care_plan: with its parts contained, its references as the server's.
        plan_id: the plan's identifier; with the plan's content it gives that of the document.
        conditional: tells whether a type is created only when its identifier is new.
        replaces: references of the documents whose place it takes.
        value: the identifier value of the document, where it is not the one of its content:
            from `value_again`.
    """
    data = plan_bundle(care_plan, plan_id)
    document = _document(care_plan, plan_id, data)
    if replaces:
        targets = ({"reference": each} for each in replaces)
        document["relatesTo"] = [{"code": "replaces", "target": each} for each in targets]
    value = value or part_value(plan_id, hashlib.sha256(data).hexdigest()[:_DIGITS])
    return created_entry(document, value, {}, conditional, tagged={DOCUMENT_REFERENCE})


def value_again(value: str, after: Iterable[str]) -> str:
    """Return the identifier value of the document of a plan that is again what it once was.

    Args:
        value: that of its content, which the earlier document has.
        after: references of the documents whose content was another; same ones, same value.
    """
    came = ",".join(sorted(after)).encode()
    return part_value(value, hashlib.sha256(came).hexdigest()[:_DIGITS])


def has_content_of(document: Resource, value: str) -> bool:
    """Tell whether a document has the content of that value, be it for the first time or again."""
    own = str(value_of(document))
    return own == value or own.startswith(part_value(value, ""))


def with_pdf(bundle: Resource, care_plan: Resource, patient: Resource | None) -> Resource:
    """Return a transaction whose document, its first entry, has its PDF.

    Args:
        bundle: what `document_entry` made is first in it.
        care_plan: as for `document_entry`.
        patient: the Patient on that server; None where it cannot be read.

    Raises:
        SettingsError: what draws it is not installed.
    """
    first, *others = bundle["entry"]
    document = first["resource"]
    made = _attachment(PDF, draw(care_plan, patient), care_plan)
    content = [{"attachment": made}, *(each for each in document["content"] if not is_pdf(each))]
    return {**bundle, "entry": [{**first, "resource": {**document, "content": content}}, *others]}


def draw(care_plan: Resource, patient: Resource | None) -> bytes:
    """Return the PDF of a plan.

    Raises:
        SettingsError: what draws it is not installed.
    """
    return to_pdf(to_html(care_plan, patient=patient))


def contents_of(document: Resource) -> dict[str, bytes]:
    """Return what is attached to a document that `document_entry` made, by content type."""
    attachments = (each["attachment"] for each in document["content"])
    return {str(each["contentType"]): base64.b64decode(each["data"]) for each in attachments}


def protocols_in(document: Resource) -> frozenset[str]:
    """Return the protocols that the plan of a document follows, in whatever version."""
    related = document.get("context", {}).get("related", ())
    named = (each.get("identifier", {}) for each in related)
    return frozenset(
        str(each.get("value", "")).partition("|")[0]
        for each in named
        if each.get("system") == _URI and each.get("value")
    )


def plan_of(document: Resource) -> str | None:
    """Return the identifier of the plan that a document is of; None for another's document."""
    for each in document.get("identifier", ()):
        if each.get("system") == DOCUMENT_SYSTEM:
            return str(each.get("value", ""))
    return None


def status_in(document: Resource) -> str:
    """Return the status of the plan whose data a document, read as a whole, has; '' for no such.

    `docStatus` is final of a plan that is carried out and of one that is over.
    """
    return str(plan_in(document).get("status", ""))


def plan_in(document: Resource) -> Resource:
    """Return the CarePlan whose data a document, read as a whole, has; empty for no such."""
    for each in document.get("content", ()):
        attachment = each.get("attachment", {})
        if attachment.get("contentType") != DATA:
            continue
        try:
            text = base64.b64decode(str(attachment.get("data", "")), validate=True).decode()
            bundle = loads(text, place="the document's data")
        except (InputError, ValueError):
            continue
        entries = bundle.get("entry") if isinstance(bundle, dict) else None
        first = entries[0] if isinstance(entries, list) and entries else {}
        plan = first.get("resource") if isinstance(first, dict) else None
        if isinstance(plan, dict) and plan.get("resourceType") == CARE_PLAN:
            return plan
    return {}


def _document(care_plan: Resource, plan_id: str, data: bytes) -> Resource:
    status = str(care_plan.get("status", ""))
    wrong = status == "entered-in-error"
    document: Resource = {
        "resourceType": DOCUMENT_REFERENCE,
        "identifier": [{"system": DOCUMENT_SYSTEM, "value": plan_id}],
        "status": "entered-in-error" if wrong else "current",
    }
    standing = "preliminary" if status == "draft" else "final" if status in _ACCEPTED else ""
    if wrong or standing:
        document["docStatus"] = "entered-in-error" if wrong else standing
    document |= {"type": {"text": "Treatment plan"}, "subject": care_plan["subject"]}
    created = str(care_plan.get("created", ""))
    if _is_instant(created):
        document["date"] = created
    if care_plan.get("author"):
        document["author"] = [care_plan["author"]]
    document["description"] = _title(care_plan)
    document["content"] = [{"attachment": _attachment(DATA, data, care_plan)}]
    context: Resource = {"period": care_plan["period"]} if care_plan.get("period") else {}
    named = [*care_plan.get("instantiatesCanonical", ()), *care_plan.get("instantiatesUri", ())]
    if named:
        related = [{"identifier": {"system": _URI, "value": each}} for each in named]
        context["related"] = related
    return document | ({"context": context} if context else {})


def _attachment(content_type: str, data: bytes, care_plan: Resource) -> Resource:
    attachment: Resource = {
        "contentType": content_type,
        "data": base64.b64encode(data).decode(),
        "size": len(data),
        # R4 asks for SHA-1: http://hl7.org/fhir/R4/datatypes.html#attachment
        "hash": base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode(),
        "title": _title(care_plan),
    }
    if content_type == PDF:
        attachment["language"] = "en"
    if care_plan.get("created"):
        attachment["creation"] = care_plan["created"]
    return attachment


def _title(care_plan: Resource) -> str:
    return str(care_plan.get("title") or "Treatment plan")


def _is_instant(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False
