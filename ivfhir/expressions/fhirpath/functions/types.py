"""What an item is (https://hl7.org/fhirpath/N1/#types-1)."""

from ivfhir.expressions.fhirpath.compiled import (
    Compiled,
    Invocation,
    Many,
    Scope,
    concrete,
    exact,
    of_truth,
)
from ivfhir.expressions.fhirpath.functions.function import Function
from ivfhir.expressions.fhirpath.nodes import Items, Node, element_node, type_of
from ivfhir.expressions.fhirpath.paths import narrowed
from ivfhir.expressions.fhirpath.place import PlacedError
from ivfhir.expressions.fhirpath.run import Run
from ivfhir.expressions.fhirpath.syntax import Member, Tree
from ivfhir.expressions.fhirpath.types import UNTYPED, Type, named_type, resource_type
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values.value import Value

TypeName = tuple[str | None, str]


def types_named(name: TypeName, at: int, scope: Scope) -> tuple[Type, ...]:
    """Return the types that a name means.

    Raises:
        PlacedError: there is no such type.
    """
    found = named_type(*name)
    if not found and not (name[0] == "System" and not scope.strict):
        raise PlacedError(
            f"there is no type {'.'.join(filter(None, name))}: FHIR's primitives are written small "
            "(string), System's great (String)",
            at,
        )
    return found


def name_in(tree: Tree, at: int) -> TypeName:
    """Return the type's name that an argument is."""
    if isinstance(tree, Member):
        if tree.base is None:
            return None, tree.name
        if isinstance(tree.base, Member) and tree.base.base is None:
            return tree.base.name, tree.name
    raise PlacedError("the argument must be a type's name: Patient, FHIR.string or Integer", at)


def is_of(item: Value, types: tuple[Type, ...]) -> bool:
    """Return whether an item is of a type or of one that specialises it."""
    own = type_of(item)
    return any(
        (each.namespace == own.namespace and each.name in own.lineage) or each.name == "Any"
        for each in types
    )


def is_exactly(item: Value, types: tuple[Type, ...]) -> bool:
    """Return whether an item can be taken as a type.

    A primitive only as its very own: a code is a string, but not taken as one, as the official
    suite has it. Others also as a type that they specialise.
    """
    own = type_of(item)
    if own.kind == "primitive":
        return any(each is own for each in types)
    return is_of(item, types)


def type_test(base: Compiled, name: TypeName, at: int, scope: Scope) -> Compiled:
    """Return `is`."""
    types = types_named(name, at, scope)
    nodes = base.nodes

    def truth(run: Run, this: Value) -> Truth:
        items = nodes(run, this)
        if not items:
            return None
        if len(items) > 1:
            raise PlacedError(f"is takes one item, not {len(items)}; use all($this is …)", at)
        return is_of(items[0], types)

    return of_truth(truth)


def cast(base: Compiled, name: TypeName, at: int, scope: Scope) -> Compiled:
    """Return `as`: one item, if it is of the type."""
    types = types_named(name, at, scope)
    if scope.strict:
        check_possible(base, types, at)
    chosen = of_type(base, types, scope)
    if scope.several:
        return chosen
    count = base.nodes

    def only(many: Many) -> Many:
        def found(run: Run, this: Value) -> Items:
            items = many(run, this)
            if len(items) > 1 or (not items and len(count(run, this)) > 1):
                raise PlacedError("as takes one item; use ofType() for several", at)
            return items

        return found

    raw = chosen.raw
    return Compiled(
        nodes=only(chosen.nodes),
        types=chosen.types,
        raws=None if chosen.raws is None else only(chosen.raws),
        one=chosen.one,
        raw=raw,
        ordered=base.ordered,
    )


def check_possible(base: Compiled, types: tuple[Type, ...], at: int) -> None:
    """Refuse a type that the base cannot have."""
    if base.types is None or not base.types:
        return
    for own in base.types:
        if own is UNTYPED or (own.definition is not None and not concrete(own)):
            return
        for each in types:
            if each.name in own.lineage or own.name in each.lineage or each.kind == "primitive":
                return
    raise PlacedError(
        f"this is never a {types[0].name}, but {' or '.join(t.name for t in base.types[:12])}", at
    )


def of_type(base: Compiled, types: tuple[Type, ...], scope: Scope) -> Compiled:
    """Return the items of a type."""
    wanted = types[0] if types else None
    if wanted is not None and base.choice is not None:
        found = narrowed(*base.choice, wanted.name)
        if found is not None:
            return found
    own = exact(base.types, careful=scope.careful)
    if wanted is not None and base.raws is not None and own is not None:
        if own.kind == wanted.kind == "resource":
            return _resources(base.raws, base, wanted)
        if wanted.name in own.lineage:
            return base
    nodes = base.nodes
    return Compiled(
        nodes=lambda run, this: [each for each in nodes(run, this) if is_exactly(each, types)],
        types=tuple(each for each in types) or None,
        ordered=base.ordered,
        raws=_objects(nodes, types, scope),
    )


def _objects(nodes: Many, types: tuple[Type, ...], scope: Scope) -> Many | None:
    """Return the objects of the items, where the type is one whose JSON tells all."""
    if exact(types[:1], careful=scope.careful) is None or len(types) > 1:
        return None

    def found(run: Run, this: Value) -> Items:
        return [each.value for each in nodes(run, this) if is_exactly(each, types)]

    # A specialisation (Age of Quantity) has the same elements, so its JSON is read as the type's.
    return found


def _resources(raws: Many, base: Compiled, wanted: Type) -> Compiled:
    name = wanted.name
    if concrete(wanted):

        def found(run: Run, this: Value) -> Items:
            items = raws(run, this)
            run.spend(len(items))
            return [each for each in items if each.get("resourceType") == name]

    else:

        def found(run: Run, this: Value) -> Items:
            items = raws(run, this)
            run.spend(len(items))
            return [each for each in items if name in _lineage_of(each)]

    return Compiled(
        nodes=lambda run, this: [element_node(each, wanted) for each in found(run, this)],
        types=(wanted,),
        raws=found,
        each=found,
        ordered=base.ordered,
    )


def _lineage_of(resource: Value) -> frozenset[str]:
    return resource_type(resource.get("resourceType")).lineage


def _is(call: Invocation) -> Compiled:
    return type_test(call.base, name_in(call.arguments[0], call.at), call.at, call.scope)


def _as(call: Invocation) -> Compiled:
    return cast(call.base, name_in(call.arguments[0], call.at), call.at, call.scope)


def _of_type(call: Invocation) -> Compiled:
    types = types_named(name_in(call.arguments[0], call.at), call.at, call.scope)
    return of_type(call.base, types, call.scope)


def _type(call: Invocation) -> Compiled:
    nodes = call.base.nodes

    def found(run: Run, this: Value) -> Items:
        return [_described(type_of(each)) for each in nodes(run, this)]

    return Compiled(nodes=found, types=(UNTYPED,), ordered=call.base.ordered)


def _described(type_: Type) -> Node:
    name = type_.name if type_.kind != "backbone" else "BackboneElement"
    return Node({"namespace": type_.namespace, "name": name}, UNTYPED)


FUNCTIONS = {
    "is": Function(_is, 1, 1),
    "as": Function(_as, 1, 1),
    "ofType": Function(_of_type, 1, 1),
    "type": Function(_type),
}
