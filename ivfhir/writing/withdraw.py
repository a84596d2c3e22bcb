"""Copies of a plan that a careless server stored: the oldest stays, the others are marked."""

from collections.abc import Mapping
from typing import Any

from ivfhir.errors import (
    ForbiddenError,
    NotFoundError,
    RejectedError,
    ServerError,
    UnauthorisedError,
)
from ivfhir.fhir.references import reference_of
from ivfhir.fhir.types import BUNDLE, PROVENANCE, REQUEST_GROUP, Resource
from ivfhir.repository import Repository
from ivfhir.writing.bundle import created_entries, identifier_query, value_of
from ivfhir.writing.content import is_as_written, written_digest
from ivfhir.writing.ending import status_name, status_of
from ivfhir.writing.read_back import find_parts, is_withdrawn, read_references, references_in

_WRONG = "entered-in-error"
_REFUSALS = (ForbiddenError, NotFoundError, RejectedError)


_INCOMPLETE = {"system": "https://ivfhir.example/fhir/withdrawn", "code": "incomplete"}
"""Tag of what was withdrawn since the rest of its plan was refused: it never counted."""


def as_incomplete(resource: Resource) -> Resource:
    """Return a stored part marked as entered in error, since the rest of its plan was refused."""
    meta = resource.get("meta", {})
    tagged = {**meta, "tag": [*meta.get("tag", ()), _INCOMPLETE]}
    return resource | {"meta": tagged, status_name(resource["resourceType"]): _WRONG}


def is_incomplete(resource: Resource) -> bool:
    """Tell whether a resource was withdrawn by `as_incomplete`, not by somebody who saw it."""
    return _INCOMPLETE in resource.get("meta", {}).get("tag", ())


def withdraw_copies(
    repository: Repository, bundle: Resource, places: Mapping[str, str], *, strict: bool = False
) -> tuple[dict[str, str], tuple[str, ...], tuple[str, ...]]:
    """Leave one plan on the server.

    The plan that stays is the oldest, then the lowest id: whoever settles it comes to the same. A
    Provenance cannot be marked; that of a copy stays, and points to what was marked. A copy with
    which somebody has worked is theirs, and is left.

    Args:
        repository: the server.
        bundle: the transaction.
        places: where the parts of the plan are, by identifier value.
        strict: only what the server refuses to mark is left; any other failure is raised, since
            another try can do it.

    Returns:
        Where the parts of the plan that stays are; references that were marked; references that
        could not be, or that somebody has worked with.

    Raises:
        ServerError: the server could not be searched; when strict, also that it failed to mark.
    """
    first = created_entries(bundle)[0]["resource"]
    plan_id, plan_type = str(value_of(first)), str(first["resourceType"])
    plans = [
        plan
        for plan in repository.search(plan_type, identifier_query(plan_type, plan_id))
        if not is_withdrawn(plan)
    ]
    if len(plans) <= 1 and not _strays(plans, places):
        return dict(places), (), ()
    parts = find_parts(repository, bundle)
    for value, reference in places.items():
        if reference not in map(reference_of, parts.get(value, ())):  # No search finds it.
            read = read_references(repository, [reference], strict=True)
            # What carries another's identifier is not this part, whatever the server said of it.
            own = [each for each in read if value_of(each) in (value, None)]
            standing = [each for each in own if not is_withdrawn(each)]
            parts[value] = [*parts.get(value, ()), *standing]
    kept = _kept(parts, plan_id)
    sent = {str(value_of(each["resource"])): each["resource"] for each in created_entries(bundle)}
    found = [
        (resource, is_touched(resource, sent[value]))
        for value, resources in parts.items()
        for resource in resources
        if reference_of(resource) != kept[value] and resource["resourceType"] != PROVENANCE
    ]
    copies = [resource for resource, touched in found if not touched]
    left = tuple(reference_of(resource) for resource, touched in found if touched)
    if not copies:
        return kept, (), left
    references = tuple(reference_of(resource) for resource in copies)
    try:
        repository.transact(
            {
                "resourceType": BUNDLE,
                "type": "transaction",
                "entry": [_mark(copy) for copy in copies],
            }
        )
    except UnauthorisedError:
        raise
    except ServerError as error:
        if strict and not isinstance(error, _REFUSALS):
            raise
        return kept, (), (*left, *references)
    return kept, references, left


def _strays(plans: list[Resource], places: Mapping[str, str]) -> bool:
    """Tell whether a group of requests was created to which the plan that stands does not point.

    That is what a conditional create leaves that finds the plan and overlooks its group.
    """
    pointed = {each for plan in plans for each in references_in(plan)}
    groups = [each for each in places.values() if each.startswith(f"{REQUEST_GROUP}/")]
    return bool(plans) and any(each not in pointed for each in groups)


def _kept(parts: Mapping[str, list[Resource]], plan_id: str) -> dict[str, str]:
    """Return the references of the plan that stays: what it and its RequestGroup point to.

    Of what they do not point to (a Provenance) the copy stays that points to the plan.
    """
    plan = parts[plan_id][0]
    groups = {
        reference_of(copy): copy
        for copies in parts.values()
        for copy in copies
        if copy["resourceType"] == REQUEST_GROUP
    }
    pointed = set(references_in(plan))
    for reference in tuple(pointed):
        pointed.update(references_in(groups.get(reference, {})))
    kept = {}
    for value, copies in parts.items():
        chosen = [
            copy
            for copy in copies
            if reference_of(copy) in pointed or reference_of(plan) in references_in(copy)
        ] or copies
        kept[value] = reference_of(chosen[0]) if chosen else ""
    kept[plan_id] = reference_of(plan)
    return kept


def is_touched(copy: Resource, sent: Resource) -> bool:
    """Tell whether somebody has changed a copy since it was stored, as far as can be seen."""
    if is_as_written(copy):
        return False
    first = copy.get("meta", {}).get("versionId") == "1"  # As the server stored what was sent.
    changed = written_digest(copy) is not None and not first
    return changed or status_of(copy) != status_of(sent)


def _mark(resource: Resource) -> dict[str, Any]:
    reference = reference_of(resource)
    request: dict[str, Any] = {"method": "PUT", "url": reference}
    version = resource.get("meta", {}).get("versionId")
    if version:
        request["ifMatch"] = f'W/"{version}"'
    name = status_name(resource["resourceType"])
    return {"resource": resource | {name: _WRONG}, "request": request}
