"""Sort, in queries.

Null comes before everything, and elements that cannot be ordered keep their order.
"""

from collections.abc import Callable
from operator import itemgetter

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import few_of
from ivfhir.expressions.elm.code import Expression, Writer, of_slot
from ivfhir.expressions.elm.nodes.properties import step, steps
from ivfhir.expressions.elm.scope import Node, Scope
from ivfhir.expressions.elm.shapes import element_of
from ivfhir.expressions.fhir_model import primitive_of
from ivfhir.expressions.operators.comparison import sort_key
from ivfhir.expressions.values.value import Value

first = itemgetter(0)


def compile_sort(scope: Scope, node: Node, query: Expression) -> Expression:
    """Return a query sorted by the items of its sort clause."""
    type_ = t.element_of(query.type)
    with scope.inner():
        element = element_of(query.shape)
        slot = scope.bind("$this", type_, element)
        this = of_slot(slot, type_, element)
        keys = [compile_key(scope, item, this) for item in node["by"]]
    descending = [item.get("direction", "asc") in ("desc", "descending") for item in node["by"]]
    last_first = list(zip(keys, descending, strict=True))[::-1]

    def text(m: Writer) -> str:
        v = m.temporary()
        few = few_of(m, v, query)
        given = "".join(f"({m.given(slot, key)}, {down}), " for key, down in last_first)
        return f"({v} if {few} else {m.name(ordered)}({v}, [{given}]))"

    return Expression(query.type, text, shape=query.shape, some=query.some)


def ordered(values: list[Value], keys: list[tuple[Callable[[Value], Value], bool]]) -> list[Value]:
    """Return the values sorted by each key, the last of them first."""
    for key, descending in keys:
        decorated = [(sort_key(key(value)), value) for value in values]
        decorated.sort(key=first, reverse=descending)
        values = [value for _, value in decorated]
    return values


def compile_key(scope: Scope, item: Node, this: Expression) -> Expression:
    """Return the key of one `by` item."""
    if item["type"] == "ByColumn":
        key = scope.built(item, steps, this, item["path"])
    elif item["type"] == "ByExpression":
        key = scope.compile(item["expression"])
    else:
        key = this
    return bare(key)


def bare(key: Expression) -> Expression:
    """Return the value of a key that is a FHIR primitive, other keys as they are."""
    name = str(key.type).removeprefix("FHIR.")
    if isinstance(key.type, str) and key.type.startswith("FHIR.") and primitive_of(name):
        return step(key, "value")
    return key
