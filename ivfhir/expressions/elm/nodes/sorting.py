"""Sort, in queries.

Null comes before everything, and elements that cannot be ordered keep their order.
"""

from operator import itemgetter

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.fusion import Fusion, fuse
from ivfhir.expressions.elm.nodes.properties import of_slot, step, steps
from ivfhir.expressions.elm.scope import Compiled, Frame, Node, Run, Scope
from ivfhir.expressions.fhir_model import primitive_of
from ivfhir.expressions.operators.comparison import sort_key
from ivfhir.expressions.values.value import Value

first = itemgetter(0)
Key = tuple[Run, bool]
"""What gives the key of the element being sorted, and whether the greatest comes first."""


def compile_sort(scope: Scope, node: Node, query: Compiled) -> Compiled:
    """Return a query sorted by the items of its sort clause."""
    type_ = t.element_of(query.type)
    with scope.inner():
        slot = scope.bind("$this", type_)
        keys = [compile_key(scope, item, of_slot(slot, type_)) for item in node["by"]]
    keys.reverse()
    source = query.run

    def ordered(values: list[Value], f: Frame) -> list[Value]:
        for key, descending in keys:
            decorated = []
            for value in values:
                f[slot] = value
                decorated.append((sort_key(key(f)), value))
            decorated.sort(key=first, reverse=descending)
            values = [value for _, value in decorated]
        return values

    def run(f: Frame) -> list[Value] | None:
        values = source(f)
        return values if values is None or len(values) <= 1 else ordered(values, f)

    def emit(m: Fusion) -> str:
        v = m.temporary()
        plain = f"({v} := {m.value(query)}) is None or len({v}) <= 1"
        return f"({v} if {plain} else {m.name(ordered)}({v}, {m.frame()}))"

    return Compiled(run, query.type, emit=emit)


def compile_key(scope: Scope, item: Node, this: Compiled) -> Key:
    """Return the key of one `by` item."""
    descending = item.get("direction", "asc") in ("desc", "descending")
    if item["type"] == "ByColumn":
        key = steps(scope, item, this, item["path"])
    elif item["type"] == "ByExpression":
        key = scope.compile(item["expression"])
    else:
        key = this
    return fuse(bare(scope, item, key)), descending


def bare(scope: Scope, item: Node, key: Compiled) -> Compiled:
    """Return the value of a key that is a FHIR primitive, other keys as they are."""
    name = str(key.type).removeprefix("FHIR.")
    if isinstance(key.type, str) and key.type.startswith("FHIR.") and primitive_of(name):
        return step(scope, item, key, "value")
    return key
