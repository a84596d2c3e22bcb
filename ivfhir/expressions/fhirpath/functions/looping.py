"""`$index` while a criterion is asked of one item after the other."""

from collections.abc import Callable

from ivfhir.expressions.fhirpath.compiled import One
from ivfhir.expressions.fhirpath.run import Run
from ivfhir.expressions.fhirpath.syntax import Tree, uses
from ivfhir.expressions.values.value import Value

Numbered = Callable[[Run, Value, int], Value]


def numbered(function: One, criterion: Tree) -> Numbered:
    """Return the function with the number of the item; `$index` is set where it is asked for."""
    if not uses(criterion, "$index"):
        return lambda run, item, number: function(run, item)

    def with_index(run: Run, item: Value, number: int) -> Value:
        outer, run.index = run.index, number
        try:
            return function(run, item)
        finally:
            run.index = outer

    return with_index
