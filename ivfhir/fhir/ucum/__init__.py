"""Whether a text is a unit of UCUM, by UCUM's own grammar and table (https://ucum.org/ucum)."""

from ivfhir.fhir.ucum.grammar import unit_problem

__all__ = ["unit_problem"]
