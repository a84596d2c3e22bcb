"""Children and descendants (https://hl7.org/fhirpath/N1/#tree-navigation): in no order."""

from ivfhir.expressions.fhirpath.compiled import Compiled, Invocation
from ivfhir.expressions.fhirpath.functions.function import Function
from ivfhir.expressions.fhirpath.nodes import Items, children_of
from ivfhir.expressions.fhirpath.run import Run
from ivfhir.expressions.values.value import Value


def children(call: Invocation) -> Compiled:
    """Return the elements directly below."""
    nodes = call.base.nodes

    def found(run: Run, this: Value) -> Items:
        items = [child for each in nodes(run, this) for child in children_of(each)]
        run.spend(len(items))
        return items

    return Compiled(nodes=found, ordered=False)


def descendants(call: Invocation) -> Compiled:
    """Return all elements below, at any depth."""
    nodes = call.base.nodes

    def found(run: Run, this: Value) -> Items:
        items: Items = []
        level = nodes(run, this)
        while level:
            level = [child for each in level for child in children_of(each)]
            run.spend(len(level))
            items += level
        return items

    return Compiled(nodes=found, ordered=False)


FUNCTIONS = {"children": Function(children), "descendants": Function(descendants)}
