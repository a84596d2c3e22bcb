"""Sort, in queries.

Null comes before everything, and elements that cannot be ordered keep their order.
"""

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.fusion import fuse
from ivfhir.expressions.elm.nodes.properties import of_slot, step, steps
from ivfhir.expressions.elm.scope import Compiled, Frame, Node, Run, Scope
from ivfhir.expressions.fhir_model import primitive_of
from ivfhir.expressions.operators.comparison import sort_key
from ivfhir.expressions.values.value import Value

Key = tuple[Run, bool]
"""What gives the key of the element being sorted, and whether the greatest comes first."""


def compile_sort(scope: Scope, node: Node, source: Run, type_: t.ElmType) -> Run:
    """Return the sorted list of a query.

    Args:
        scope: where the query is.
        node: its sort clause.
        source: gives the list.
        type_: type of its elements.
    """
    with scope.inner():
        slot = scope.bind("$this", type_)
        keys = [compile_key(scope, item, of_slot(slot, type_)) for item in node["by"]]
    keys.reverse()

    def run(f: Frame) -> list[Value] | None:
        values = source(f)
        if values is None or len(values) <= 1:
            return values  # type: ignore[no-any-return]  # a list or None
        for key, descending in keys:
            decorated = []
            for value in values:
                f[slot] = value
                decorated.append((sort_key(key(f)), value))
            decorated.sort(key=lambda pair: pair[0], reverse=descending)
            values = [value for _, value in decorated]
        return values  # type: ignore[no-any-return]  # a list

    return run


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
