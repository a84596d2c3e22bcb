"""`%` names (https://hl7.org/fhirpath/N1/#environment-variables, FHIR's own among them).

http://hl7.org/fhir/R4/fhirpath.html#variables
"""

from ivfhir.expressions.fhirpath.compiled import Compiled, Scope, constant
from ivfhir.expressions.fhirpath.nodes import Items
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.run import Run
from ivfhir.expressions.fhirpath.types import SYSTEM
from ivfhir.expressions.values.value import Value
from ivfhir.fhir.types import UCUM

CONSTANTS = {
    "ucum": UCUM,
    "sct": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
}
PREFIXES = {
    "vs-": "http://hl7.org/fhir/ValueSet/",
    "ext-": "http://hl7.org/fhir/StructureDefinition/",
}


def variable(name: str, at: int, scope: Scope) -> Compiled:
    """Return what a `%` name stands for.

    Raises:
        PlacedError: nobody gave a variable of that name, and it is none of FHIR's.
    """
    if name in CONSTANTS:
        return constant(CONSTANTS[name], SYSTEM["String"])
    for prefix, base in PREFIXES.items():
        if name.startswith(prefix):
            return constant(base + name.removeprefix(prefix), SYSTEM["String"])
    if name == "context":
        return Compiled(nodes=lambda run, this: run.context)
    if name == "resource":
        return Compiled(nodes=lambda run, this: run.resource)
    if name == "rootResource":
        return Compiled(nodes=lambda run, this: run.root)
    if scope.names is not None and name not in scope.names:
        raise PlacedError(f"there is no variable %{name}; give it with --var {name}=…", at)

    def found(run: Run, this: Value) -> Items:
        if name not in run.variables:
            raise PlacedError(f"there is no variable %{name}; give it with --var {name}=…", at)
        return run.variables[name]

    return Compiled(nodes=found)
