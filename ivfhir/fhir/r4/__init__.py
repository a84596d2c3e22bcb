"""The types of FHIR R4 and their elements, from the specification's own StructureDefinitions."""

from ivfhir.fhir.r4.model import (
    Definition,
    Element,
    definition_of,
    is_resource,
    lineage_of,
    type_names,
)

__all__ = ["Definition", "Element", "definition_of", "is_resource", "lineage_of", "type_names"]
