"""What a server says of itself: whether it takes a plan, and which types it creates only once.

See http://hl7.org/fhir/R4/capabilitystatement.html. What the statement leaves open is not held
against the server: the transaction is whole or nothing, so asking is safe.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from ivfhir.fhir.types import PROVENANCE, Resource

_WHOLE = "A plan is written in one piece or not at all."
NO_TRANSACTIONS = (
    "The EHR's server takes no transactions, so a plan cannot be written in one piece."
)


@dataclass(frozen=True)
class WriteSupport:
    """What a server says about writing a plan.

    Attributes:
        hindrances: why it cannot take one, a sentence each.
        doubts: what it does not say, a sentence each.
        conditional: the types that it can create only when their identifier is new.
    """

    hindrances: tuple[str, ...]
    doubts: tuple[str, ...]
    conditional: frozenset[str]


def read_write_support(
    capabilities: Resource | None, resource_types: Collection[str]
) -> WriteSupport:
    """Return what a CapabilityStatement says of the types of a plan.

    Args:
        capabilities: the statement; None when the server does not show one.
        resource_types: the types of the plan.
    """
    rest = _server_rest(capabilities or {})
    if rest is None:
        doubt = f"The EHR's server does not say what it can do. {_WHOLE}"
        return WriteSupport((), (doubt,), frozenset(resource_types))
    offered = {str(entry.get("type")): entry for entry in rest.get("resource", ())}
    hindrances, doubts = [], []
    system = {entry.get("code") for entry in rest.get("interaction", ())}
    if system and "transaction" not in system:
        hindrances.append(NO_TRANSACTIONS)
    refused = [name for name in sorted(resource_types) if not _creates(offered.get(name, {}))]
    if refused:
        hindrances.append(f"The EHR's server does not let anyone create {', '.join(refused)}.")
    silent = [name for name in sorted(resource_types) if name not in offered]
    if silent and offered:
        doubts.append(
            f"The EHR's server does not say that it takes {', '.join(silent)}. "
            "If it refuses one entry, nothing is written."
        )
    conditional = (
        {name for name in resource_types if _finds(offered.get(name), name)}
        if offered
        else set(resource_types)
    )
    return WriteSupport(tuple(hindrances), tuple(doubts), frozenset(conditional))


def says_create(capabilities: Resource, resource_type: str) -> bool:
    """Tell whether a CapabilityStatement says in so many words that the type can be created."""
    rest = _server_rest(capabilities) or {}
    return any(
        entry.get("type") == resource_type
        and "create" in {each.get("code") for each in entry.get("interaction", ())}
        for entry in rest.get("resource", ())
    )


def _server_rest(capabilities: Resource) -> dict[str, Any] | None:
    return next(
        (rest for rest in capabilities.get("rest", ()) if rest.get("mode") == "server"), None
    )


def _creates(offered: Resource) -> bool:
    codes = {entry.get("code") for entry in offered.get("interaction", ())}
    return not codes or "create" in codes


def _finds(offered: Resource | None, resource_type: str) -> bool:
    """Return whether the server can search the type for what a plan's parts carry."""
    if offered is None:
        return False
    names = {entry.get("name") for entry in offered.get("searchParam", ())}
    return not names or ("_tag" if resource_type == PROVENANCE else "identifier") in names
