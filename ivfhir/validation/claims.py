"""Which profiles a resource claims (http://hl7.org/fhir/R4/resource.html#Meta)."""

from collections.abc import Iterator
from typing import Any

from ivfhir.validation.issue import Issue
from ivfhir.validation.structure import Visited


def claims_of(visited: Visited) -> Iterator[tuple[int, str]]:
    """Yield number and canonical of each profile that a resource claims."""
    resource: Any = visited.value
    meta = resource.get("meta")
    claims = meta.get("profile") if isinstance(meta, dict) else None
    for index, claim in enumerate(claims if isinstance(claims, list) else []):
        if isinstance(claim, str):
            yield index, claim


def unchecked(visited: Visited, index: int, claim: str, why: str) -> Issue:
    """Return the information that a claim is not checked, and why."""
    place = visited.place
    expression = f"{place.expression}.meta.profile[{index}]"
    said = f"{expression} claims {claim[:200]}, which is not checked: {why.rstrip('.')}."
    pointer = (*place.pointer, "meta", "profile", index)
    return Issue("information", "informational", expression, said, "profile", pointer)
