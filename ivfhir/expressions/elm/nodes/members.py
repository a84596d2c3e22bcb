"""ForEach, Filter and Current: FHIRPath's way to go through a list."""

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.nodes.properties import of_slot
from ivfhir.expressions.elm.nodes.queries import Loop, Source, many
from ivfhir.expressions.elm.scope import Compiled, Node, Scope


def compile_for_each(scope: Scope, node: Node) -> Compiled:
    """Compile ForEach: an element of each member of a list."""
    with scope.inner():
        source = bind_member(scope, node)
        return many(Loop([source]), scope.compile(node["element"]))


def compile_filter(scope: Scope, node: Node) -> Compiled:
    """Compile Filter: the members of a list that pass a condition."""
    with scope.inner():
        source = bind_member(scope, node)
        member = of_slot(source.slot, t.element_of(source.expression.type))
        loop = Loop([source], where=scope.compile(node["condition"]))
        return many(loop, member)


def bind_member(scope: Scope, node: Node) -> Source:
    """Compile the list that ForEach or Filter goes through, and bind its member."""
    compiled = scope.compile(node["source"])
    name = node.get("scope", "$this")
    return Source(scope.bind(name, t.element_of(compiled.type)), compiled, many=True)


def compile_current(scope: Scope, node: Node) -> Compiled:
    """Compile Current: the member that is being visited."""
    name = node.get("scope", "$this")
    if name not in scope.names:
        scope.refuse(node, f"there is no {name} here")
    return of_slot(*scope.names[name])


NODES = {
    "ForEach": compile_for_each,
    "Filter": compile_filter,
    "Current": compile_current,
}
