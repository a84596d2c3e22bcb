"""Whether a resource is what FHIR R4 says, from the specification's own definitions."""

from ivfhir.validation.issue import Issue
from ivfhir.validation.validate import conforms, validate_resource

__all__ = ["Issue", "conforms", "validate_resource"]
