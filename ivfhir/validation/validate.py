"""A resource beside R4's definitions: everything that is wrong with it."""

from ivfhir.fhir.types import Json
from ivfhir.validation.issue import Issue
from ivfhir.validation.structure import Structure


def validate_resource(raw: Json) -> list[Issue]:
    """Return what is wrong with a resource: shape, cardinality, types and formats.

    Args:
        raw: parsed JSON; nothing of it is changed.
    """
    structure = Structure(lambda *element: None)
    structure.resource(raw)
    return structure.issues
