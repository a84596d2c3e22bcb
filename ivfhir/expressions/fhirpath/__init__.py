"""FHIRPath for R4: text to closures (https://hl7.org/fhirpath/N1/, http://hl7.org/fhir/R4/fhirpath.html)."""

from ivfhir.expressions.fhirpath.expression import FhirPath, compile_fhirpath
from ivfhir.expressions.fhirpath.nodes import Items, Node, to_json, type_of
from ivfhir.expressions.fhirpath.run import Services

__all__ = ["FhirPath", "Items", "Node", "Services", "compile_fhirpath", "to_json", "type_of"]
