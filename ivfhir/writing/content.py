"""Is a stored resource still as this app wrote it? A tag that it was written with tells.

The tag holds a digest of the content. It is found on the resource itself, so it answers also when
the app's database is new, or when another app wrote the plan; a version number would not: it also
counts changes of metadata alone, and FHIR gives it no order.
"""

import hashlib
import json
from decimal import Decimal
from typing import Any

from ivfhir.fhir.references import parse_literal
from ivfhir.fhir.types import CARE_PLAN, DOCUMENT_REFERENCE, Resource
from ivfhir.writing.ending import END_STATUS

CONTENT_SYSTEM = "https://ivfhir.example/fhir/content"
"""System of the tags that hold a digest of what was written."""

_NOT_CONTENT = frozenset({"id", "meta", "text"})
_PLAN_TYPES = frozenset(END_STATUS) - {DOCUMENT_REFERENCE} | {CARE_PLAN}

PDF = "application/pdf"


def content_tag(resource: Resource) -> dict[str, str]:
    """Return the tag to write a resource with."""
    return {"system": CONTENT_SYSTEM, "code": content_digest(resource)}


def is_as_written(resource: Resource) -> bool:
    """Return whether a stored resource carries the digest of its own content.

    False when it was changed, by whomever, and when it carries no such tag.
    """
    digest = content_digest(resource)
    return any(
        (tag.get("system"), tag.get("code")) == (CONTENT_SYSTEM, digest)
        for tag in resource.get("meta", {}).get("tag", ())
    )


def written_digest(resource: Resource) -> str | None:
    """Return the digest that a stored resource was written with; None when it carries none."""
    tags = resource.get("meta", {}).get("tag", ())
    return next((tag.get("code") for tag in tags if tag.get("system") == CONTENT_SYSTEM), None)


def content_digest(resource: Resource) -> str:
    """Return the SHA-256, as hex, of a resource without id, meta and narrative.

    Order of elements, spelling of numbers and of references do not count, nor where the plan's
    other parts are stored: a server may change these when it stores a resource. Nor does a PDF: it
    is drawn from the rest, and another release of the program that draws gives other bytes.
    """
    content = {name: value for name, value in resource.items() if name not in _NOT_CONTENT}
    if resource["resourceType"] == DOCUMENT_REFERENCE:
        content["content"] = [each for each in resource.get("content", ()) if not is_pdf(each)]
    text = json.dumps(plain(content, ""), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def is_pdf(content: Resource) -> bool:
    """Tell whether a content of a DocumentReference is a PDF."""
    return bool(content.get("attachment", {}).get("contentType") == PDF)


def plain(value: object, name: str = "") -> Any:  # noqa: ANN401 - raw JSON
    """Return an element in the one spelling that counts: numbers and references made alike.

    Args:
        value: the element.
        name: what it is called in its parent.
    """
    if isinstance(value, str):  # Most are, and every part is gone through several times.
        return _target(value) if name == "reference" else value
    if isinstance(value, dict):
        return {
            key: member if type(member) is str and key != "reference" else plain(member, key)
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [plain(member, name) for member in value]
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return f"{Decimal(str(value)).normalize():f}"
    return value


def _target(reference: str) -> str:
    """Return `Type/id` of a reference; nothing but that it is one, for a part of the plan."""
    if is_of_a_plan(reference):
        return "part"
    literal = parse_literal(reference)
    return reference if literal is None else str(literal.key)


def is_of_a_plan(reference: str) -> bool:
    """Tell whether a reference may be to a plan or to one of its parts."""
    literal = parse_literal(reference)
    if literal is None:
        return reference.startswith("urn:")
    return literal.key.resource_type in _PLAN_TYPES
