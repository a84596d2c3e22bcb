"""The functions of FHIRPath, by name: a module for each chapter of the specification."""

from ivfhir.expressions.fhirpath.functions import (
    boundaries,
    conversion,
    existence,
    fhir,
    filtering,
    math,
    strings,
    subsetting,
    tree,
    types,
    utility,
)
from ivfhir.expressions.fhirpath.functions.function import Function

FUNCTIONS: dict[str, Function] = {
    **existence.FUNCTIONS,
    **filtering.FUNCTIONS,
    **subsetting.FUNCTIONS,
    **conversion.FUNCTIONS,
    **strings.FUNCTIONS,
    **math.FUNCTIONS,
    **boundaries.FUNCTIONS,
    **tree.FUNCTIONS,
    **types.FUNCTIONS,
    **utility.FUNCTIONS,
    **fhir.FUNCTIONS,
}
