"""References between resources, and the one that says whom a resource is about.

See http://hl7.org/fhir/R4/references.html.
"""

import json
import operator
import re
from collections.abc import Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from ivfhir.fhir.json import Written
from ivfhir.fhir.types import Json, Resource

SUBJECT_ELEMENTS = ("subject", "patient", "beneficiary", "for", "individual")
"""The elements by which R4 types say whom they are about, in the order in which they are asked."""

_LITERAL = re.compile(
    r"(?P<base>https?://\S+/)?(?P<type>[A-Z][A-Za-z]+)/(?P<id>[A-Za-z0-9.\-_]{1,255})"
    r"(/_history/[^/\s]+)?"
)
_REFERENCE = re.compile(r'"reference": ("(?:[^"\\]|\\.)*")')
"""A reference in a line of JSON; the quotes of a text that says the same are written otherwise."""
_ABSOLUTE = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")


class Key(NamedTuple):
    """What a resource is known by: type and id, `Condition/c1`."""

    resource_type: str
    resource_id: str

    def __str__(self) -> str:
        """Return the relative reference."""
        return f"{self.resource_type}/{self.resource_id}"


class Literal(NamedTuple):
    """A literal reference, taken apart; `base` ends in a slash, and is empty in a relative one."""

    base: str
    key: Key


def parse_literal(reference: str) -> Literal | None:
    """Return base, type and id of `Type/id` or `https://host/path/Type/id`, its version dropped.

    Other forms (`urn:uuid:…`, `#contained`, a search) give None.
    """
    match = _LITERAL.fullmatch(reference)
    if match is None:
        return None
    return Literal(match["base"] or "", Key(match["type"], match["id"]))


def is_absolute(uri: str) -> bool:
    """Return whether a URI has a scheme, `https:` or `urn:`, and no blanks."""
    return _ABSOLUTE.fullmatch(uri) is not None


def absolute_reference(reference: str, full_url: str | None) -> str:
    """Return a relative reference made absolute by the address of the resource that holds it.

    What is not relative, or is held by a resource without a RESTful address, comes back as it is:
    http://hl7.org/fhir/R4/bundle.html#references.
    """
    own = parse_literal(full_url) if full_url is not None else None
    target = parse_literal(reference)
    if own is None or not own.base or target is None or target.base:
        return reference
    return own.base + reference


def key_of(resource: Resource) -> Key | None:
    """Return the type and id of a resource; None when it has no id."""
    resource_id = resource.get("id")
    return Key(resource["resourceType"], resource_id) if isinstance(resource_id, str) else None


def reference_of(resource: Resource) -> str:
    """Return `Type/id` of a resource that has an id."""
    return f"{resource['resourceType']}/{resource['id']}"


def subject_of(resource: Resource) -> Resource | None:
    """Return the Reference element that says whom the resource is about, None when it says nothing.

    A list (an Appointment's or a DSTU2 element) counts when it holds one Reference.
    """
    for name in SUBJECT_ELEMENTS:
        reference: Any = resource.get(name)
        if isinstance(reference, list) and len(reference) == 1:
            reference = reference[0]
        if isinstance(reference, dict):
            return reference
    return None


def is_about_another(resource: Resource, patient: str) -> bool:
    """Return whether a resource names whom it is about, and that is not `patient`, `Patient/id`.

    One that names nobody by a literal reference may be about the patient: this gives False.
    """
    reference = (subject_of(resource) or {}).get("reference")
    literal = parse_literal(reference) if isinstance(reference, str) else None
    return literal is not None and str(literal.key) != patient


def names_somebody(resource: Resource) -> bool:
    """Return whether the resource says whom it is about, be it of the input or not.

    A Reference with a display only, or to a resource contained in this one, says it to no one else.
    """
    subject = subject_of(resource)
    if subject is None:
        return False
    reference = subject.get("reference")
    if isinstance(reference, str) and reference:
        return not reference.startswith("#")
    return bool(identifier_tokens(subject.get("identifier")))


def identifier_tokens(element: Json) -> frozenset[tuple[str, str]]:
    """Return (system, value) of an Identifier or a list of them; one without a value is skipped."""
    identifiers = element if isinstance(element, list) else [element]
    return frozenset(
        (str(identifier.get("system", "")), identifier["value"])
        for identifier in identifiers
        if isinstance(identifier, dict) and isinstance(identifier.get("value"), str)
    )


def renamed_references(element: Json, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - raw JSON
    """Return a copy of an element in which each reference in `names` has its new name.

    What holds none of them is not copied again, but shared with the element. The copy of a
    `Written` is one, too, with its own line.

    Args:
        element: a resource or any part of one; it is not changed.
        names: reference as written -> what it becomes.
    """
    if isinstance(element, Written):
        line = _renamed_line(element.line, names)
        is_same = line == element.line
        return Written(element if is_same else json.loads(line, parse_float=Decimal), line)
    renamed = _renamed(element, names)
    return dict(renamed) if isinstance(renamed, dict) and renamed is element else renamed


def _renamed_line(line: str, names: Mapping[str, str]) -> str:
    """Return a line of JSON in which each reference in `names` has its new name."""

    def renamed(match: re.Match[str]) -> str:
        written = match[1]
        old = json.loads(written) if "\\" in written else written[1:-1]
        return f'"reference": {encode_basestring(names[old])}' if old in names else match[0]

    return _REFERENCE.sub(renamed, line)


def _renamed(element: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401 - raw JSON
    """Return the element itself where nothing in it has another name."""
    if isinstance(element, dict):
        changed = {}
        for name, member in element.items():
            if type(member) is str:
                if name == "reference" and member in names:
                    changed[name] = names[member]
            elif isinstance(member, (dict, list)):
                new = _renamed(member, names)
                if new is not member:
                    changed[name] = new
        return {**element, **changed} if changed else element
    if isinstance(element, list):
        items = [
            _renamed(each, names) if isinstance(each, (dict, list)) else each for each in element
        ]
        same = all(map(operator.is_, items, element))
        return element if same else items
    return element
