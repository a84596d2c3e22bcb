"""Contained resources lifted out to stand beside their container.

See http://hl7.org/fhir/R4/references.html#contained.
"""

import uuid
from collections.abc import Callable

from ivfhir.fhir.json import dumps
from ivfhir.fhir.references import renamed_references
from ivfhir.fhir.types import BUNDLE, Resource

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "https://ivfhir.example/fhir")
"""Of the names that `collection_bundle` makes out of what a resource says."""


def lift_contained(container: Resource, name: Callable[[Resource], str]) -> dict[str, Resource]:
    """Return the container and what it contained, each under its own name, references rewritten.

    Args:
        container: a resource with `contained`; it is not changed.
        name: returns the reference under which a resource will be known, such as `urn:uuid:…`.

    Returns:
        Name -> resource; the container first, the others in their order.
    """
    contained: list[Resource] = container.get("contained", [])
    names = {f"#{each['id']}": name(each) for each in contained} | {"#": name(container)}
    outer = {key: value for key, value in container.items() if key != "contained"}
    lifted = {name(container): renamed_references(outer, names)}
    for each in contained:
        lifted[names[f"#{each['id']}"]] = renamed_references(each, names)
    return lifted


def collection_bundle(container: Resource) -> Resource:
    """Return a collection Bundle of the container and what it contained.

    Full URLs are made out of the container's text, so that same inputs give same bytes.
    """
    text = dumps(container)

    def name(resource: Resource) -> str:
        return f"urn:uuid:{uuid.uuid5(NAMESPACE, text + resource.get('id', ''))}"

    entries = lift_contained(container, name).items()
    return {
        "resourceType": BUNDLE,
        "type": "collection",
        "entry": [{"fullUrl": url, "resource": resource} for url, resource in entries],
    }
