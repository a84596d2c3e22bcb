"""An accepted plan as one transaction: what it contains becomes separate resources.

Every resource carries a business identifier made from the plan's own (a Provenance, which has no
identifier, carries it as a tag), and is created only when the server holds none of that
identifier: sending the same plan again creates nothing. See
http://hl7.org/fhir/R4/http.html#transaction and http://hl7.org/fhir/R4/http.html#ccreate.
"""

import uuid
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from ivfhir.fhir.references import reference_of, renamed_references
from ivfhir.fhir.types import BUNDLE, CARE_PLAN, PROVENANCE, REQUEST_GROUP, Resource
from ivfhir.writing.content import content_tag
from ivfhir.writing.ending import END_STATUS, as_ended

PLAN_SYSTEM = "https://ivfhir.example/fhir/plan"
"""System of the business identifiers of plans and their parts."""

_NAMESPACE = uuid.UUID("5f0b2c86-6b1d-5c0e-9a3e-2f7a4d1c8e90")
_TAGGED = frozenset(END_STATUS) - {CARE_PLAN, REQUEST_GROUP}
"""Types that a later plan ends only while they are as they were written."""


def part_value(plan_id: str, part_id: str | None = None) -> str:
    """Return the identifier value of a plan, or of the part that it contains under `part_id`."""
    return plan_id if part_id is None else f"{plan_id}.{part_id}"


def identifier_query(resource_type: str, value: str) -> dict[str, str]:
    """Return the search that finds what carries the identifier value."""
    name = "_tag" if resource_type == PROVENANCE else "identifier"
    return {name: f"{PLAN_SYSTEM}|{value}"}


def value_of(resource: Resource) -> str | None:
    """Return the plan identifier value that a resource carries, None when it carries none."""
    identifiers = resource.get("identifier", ())
    carried = identifiers if isinstance(identifiers, (list, tuple)) else [identifiers]
    for entry in (*carried, *resource.get("meta", {}).get("tag", ())):
        if entry.get("system") == PLAN_SYSTEM:
            value = entry.get("value", entry.get("code"))
            return None if value is None else str(value)
    return None


def to_transaction(
    accepted: Resource,
    *,
    plan_id: str,
    revoke: Sequence[Resource] = (),
    conditional: Callable[[str], bool] = lambda resource_type: True,
) -> Resource:
    """Return the transaction Bundle of an accepted plan.

    Args:
        accepted: the CarePlan with its contained RequestGroup, requests, goals and Provenance.
        plan_id: the plan's identifier; the same id gives the same bytes.
        revoke: CarePlans that this plan replaces, and what ends with them, as read: each gets the
            end's status of its type, only while it is still at the version that was read.
        conditional: tells whether the server can create a type only when the identifier is new; of
            the others the transaction alone keeps them whole.
    """
    parts = {resource["id"]: resource for resource in accepted.get("contained", ())}
    names = {f"#{part_id}": full_url(part_value(plan_id, part_id)) for part_id in parts}
    names["#"] = full_url(part_value(plan_id))
    plan = {name: value for name, value in accepted.items() if name not in ("contained", "id")}
    entries = [created_entry(plan, part_value(plan_id), names, conditional)]
    for part_id, part in parts.items():
        bare = {name: value for name, value in part.items() if name != "id"}
        entries.append(created_entry(bare, part_value(plan_id, part_id), names, conditional))
    entries += [revocation(resource) for resource in revoke]
    return {"resourceType": BUNDLE, "type": "transaction", "entry": entries}


def to_care_plan_alone(
    accepted: Resource,
    *,
    plan_id: str,
    conditional: Callable[[str], bool] = lambda resource_type: True,
) -> Resource:
    """Return the transaction Bundle of an accepted plan that goes in as one CarePlan.

    Its RequestGroup, requests and goals stay inside; there is no Provenance, which would have to
    point to what is inside another resource.

    Args:
        accepted: as for `to_transaction`.
        plan_id: as for `to_transaction`.
        conditional: as for `to_transaction`.
    """
    inside = [each for each in accepted["contained"] if each["resourceType"] != PROVENANCE]
    plan = {name: value for name, value in accepted.items() if name != "id"}
    entry = created_entry({**plan, "contained": inside}, part_value(plan_id), {}, conditional)
    return {"resourceType": BUNDLE, "type": "transaction", "entry": [entry]}


def created_entries(bundle: Resource) -> list[dict[str, Any]]:
    """Return the entries of the transaction that create something."""
    return [entry for entry in bundle["entry"] if entry["request"]["method"] == "POST"]


def full_url(value: str) -> str:
    """Return the name that a resource of this identifier value has inside a transaction."""
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, f'{PLAN_SYSTEM}|{value}')}"


def created_entry(
    resource: Resource,
    value: str,
    names: Mapping[str, str],
    conditional: Callable[[str], bool],
    *,
    tagged: Container[str] = _TAGGED,
) -> dict[str, Any]:
    """Return the entry that creates one resource under an identifier value.

    Args:
        resource: without its id.
        value: the plan's identifier value, or that of one of its parts.
        names: reference as written -> full URL in the transaction.
        conditional: as for `to_transaction`.
        tagged: the types that carry a digest of what was written.
    """
    resource_type = resource["resourceType"]
    marked: Resource = renamed_references(resource, names)
    if resource_type == PROVENANCE:
        meta = dict(marked.get("meta", {}))
        meta["tag"] = [*meta.get("tag", ()), {"system": PLAN_SYSTEM, "code": value}]
        marked["meta"] = meta
    else:
        identifier = {"system": PLAN_SYSTEM, "value": value}
        marked["identifier"] = [*marked.get("identifier", ()), identifier]
    if resource_type in tagged:
        meta = dict(marked.get("meta", {}))
        meta["tag"] = [*meta.get("tag", ()), content_tag(marked)]
        marked["meta"] = meta
    request = {"method": "POST", "url": resource_type}
    if conditional(resource_type):
        ((name, token),) = identifier_query(resource_type, value).items()
        request["ifNoneExist"] = f"{name}={token}"
    return {"fullUrl": full_url(value), "resource": marked, "request": request}


def revocation(resource: Resource) -> dict[str, Any]:
    """Return the entry that ends a resource as it was read, while it is still at that version."""
    reference = reference_of(resource)
    request = {"method": "PUT", "url": reference}
    version = resource.get("meta", {}).get("versionId")
    if version:
        request["ifMatch"] = f'W/"{version}"'
    return {
        "fullUrl": f"urn:uuid:{uuid.uuid5(_NAMESPACE, reference)}",
        "resource": as_ended(resource),
        "request": request,
    }
