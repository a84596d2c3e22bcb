"""The elements that every resource may have, of the JSON kinds that FHIR gives them.

Who reads a resource from a server relies on these without looking: its id as a key, `meta` and
`identifier` as objects. Source: http://hl7.org/fhir/R4/resource.html
"""

from ivfhir.fhir.types import Json


def has_common_shape(resource: Json) -> bool:
    """Tell whether a JSON value is a resource whose common elements are of the right kind."""
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        return False
    meta = resource.get("meta", {})
    contained = resource.get("contained", [])
    identifiers = resource.get("identifier", [])
    return (
        isinstance(resource.get("id", ""), str)
        and isinstance(meta, dict)
        and all(isinstance(meta.get(name, ""), str) for name in ("versionId", "lastUpdated"))
        and _are_objects(meta.get("tag", []), texts=("system", "code"))
        and isinstance(resource.get("text", {}), dict)
        and _are_objects(contained, texts=("id",))
        and all(
            map(_is_identifier, identifiers if isinstance(identifiers, list) else [identifiers])
        )
    )


def _is_identifier(identifier: Json) -> bool:
    if not isinstance(identifier, dict):
        return False
    kind = identifier.get("type", {})
    return (
        isinstance(identifier.get("value", ""), str)
        and isinstance(identifier.get("system", ""), str)
        and isinstance(kind, dict)
        and _are_objects(kind.get("coding", []))
    )


def _are_objects(items: Json, *, texts: tuple[str, ...] = ()) -> bool:
    """Tell whether a value is a list of objects, which have nothing but text under some names."""
    return isinstance(items, list) and all(
        isinstance(item, dict) and all(isinstance(item.get(name, ""), str) for name in texts)
        for item in items
    )
