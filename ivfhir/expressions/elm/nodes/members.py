"""ForEach, Filter and Current: FHIRPath's way to go through a list."""

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.code import Expression, of_slot
from ivfhir.expressions.elm.nodes.queries import Loop, Source, bound, many
from ivfhir.expressions.elm.scope import Node, Scope


def compile_for_each(scope: Scope, node: Node) -> Expression:
    """Compile ForEach: an element of each member of a list."""
    with scope.inner():
        source = bind_member(scope, node)
        return many(Loop([source]), scope.compile(node["element"]))


def compile_filter(scope: Scope, node: Node) -> Expression:
    """Compile Filter: the members of a list that pass a condition."""
    with scope.inner():
        source = bind_member(scope, node)
        member = of_slot(source.slot, t.element_of(source.expression.type), source.element)
        return many(Loop([source], conditions=[scope.compile(node["condition"])]), member)


def bind_member(scope: Scope, node: Node) -> Source:
    """Compile the list that ForEach or Filter goes through, and bind its member."""
    expression = scope.compile(node["source"])
    return bound(scope, node.get("scope", "$this"), expression, plural=True)


def compile_current(scope: Scope, node: Node) -> Expression:
    """Compile Current: the member that is being visited."""
    return scope.local(node.get("scope", "$this"))
