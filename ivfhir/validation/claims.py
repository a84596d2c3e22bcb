"""Which profiles a resource claims that are not checked (http://hl7.org/fhir/R4/resource.html#Meta)."""

from typing import Any

from ivfhir.fhir.types import STRUCTURE_DEFINITIONS, Resource
from ivfhir.validation.issue import Issue
from ivfhir.validation.structure import Visited


def unchecked_profiles(visited: Visited) -> list[Issue]:
    """Return information for each profile that a resource claims, but for its own type's."""
    if visited.slot.owner is not None:
        return []
    resource: Any = visited.value
    own = STRUCTURE_DEFINITIONS + visited.slot.type_name
    return [
        _issue(visited, index, claim)
        for index, claim in enumerate(_claims(resource))
        if isinstance(claim, str) and claim.partition("|")[0] != own
    ]


def _claims(resource: Resource) -> list[Any]:
    meta = resource.get("meta")
    claims = meta.get("profile") if isinstance(meta, dict) else None
    return claims if isinstance(claims, list) else []


def _issue(visited: Visited, index: int, claim: str) -> Issue:
    place = visited.place
    expression = f"{place.expression}.meta.profile[{index}]"
    said = f"{expression} claims {claim[:200]}, which is not checked."
    pointer = (*place.pointer, "meta", "profile", index)
    return Issue("information", "informational", expression, said, "profile", pointer)
