"""Whether units that say they are of UCUM are (http://hl7.org/fhir/R4/datatypes.html#Quantity)."""

from typing import Any

from ivfhir.fhir.r4 import lineage_of
from ivfhir.fhir.types import UCUM
from ivfhir.fhir.ucum import unit_problem
from ivfhir.validation.bindings import CODING, QUANTITY
from ivfhir.validation.issue import Issue, ended
from ivfhir.validation.structure import Visited


def wrong_units(visited: Visited) -> list[Issue]:
    """Return what is wrong with the code of a Quantity or Coding whose system is UCUM."""
    value: Any = visited.value
    if not isinstance(value, dict) or value.get("system") != UCUM:
        return []
    type_name, code = visited.slot.type_name, value.get("code")
    if not isinstance(code, str) or not code:
        return []
    if type_name != CODING and QUANTITY not in lineage_of(type_name):
        return []
    problem = unit_problem(code)
    if problem is None:
        return []
    place = visited.place
    text = f"{place.expression}.code is '{code[:60]}', which {problem}"
    pointer = (*place.pointer, "code")
    expression = f"{place.expression}.code"
    return [Issue("error", "code-invalid", expression, ended(text), "unit", pointer)]
