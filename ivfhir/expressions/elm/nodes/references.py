"""References: to defines, functions, parameters and locals."""

from dataclasses import dataclass, replace

from ivfhir.expressions.elm import shapes
from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import coerced
from ivfhir.expressions.elm.code import UNSET, Expression, Writer, constant
from ivfhir.expressions.elm.nodes.properties import step
from ivfhir.expressions.elm.overloads import operand_types
from ivfhir.expressions.elm.scope import Callee, LibraryKey, Node, Scope, mentions
from ivfhir.expressions.values.value import Value


def compile_expression_ref(scope: Scope, node: Node) -> Expression:
    """Compile the name of a define: its value is computed once a session."""
    library = scope.program.resolve(scope, node)
    define = scope.program.expression(scope, node, library)
    scope.uses.add(define.key)
    value = scope.program.constant_of(library, define.slot)
    if value is UNSET:
        value = define.constant
    if value is not UNSET:
        return constant(value, define.type)
    shape = shapes.remembered(define.shape, define.type)
    return remembered(scope, define.slot, define.type, shape)


def compile_parameter_ref(scope: Scope, node: Node) -> Expression:
    """Compile the name of a parameter."""
    program = scope.program
    library = program.resolve(scope, node)
    slot, type_ = program.parameter(scope, node, library)
    value = program.constant_of(library, slot)
    return remembered(scope, slot, type_) if value is UNSET else constant(value, type_)


def remembered(
    scope: Scope, slot: int, type_: t.ElmType, shape: shapes.Shape = shapes.OPEN
) -> Expression:
    """Return what takes a value from the session's memory, computing it the first time."""
    computes = scope.program.computes

    is_true = shape.known and isinstance(type_, t.TupleOf) and bool(type_.elements)

    def text(m: Writer) -> str:
        if is_true:
            return f"(m[{slot}] or {m.name(computes)}[{slot}](m))"
        v = m.temporary()
        known = f"({v} := m[{slot}]) is not {m.name(UNSET)}"
        return f"({v} if {known} else {m.name(computes)}[{slot}](m))"

    return Expression(type_, text, shape=shape)


SMALL = 7
"""A function of no more nodes stands where it is called; a larger one is called."""


def compile_function_ref(scope: Scope, node: Node) -> Expression:
    """Compile a call.

    A function that only reads an element of its operand is replaced by that, a small one by its
    expression.
    """
    library = scope.program.resolve(scope, node)
    arguments = scope.compile_all(node.get("operand", []))
    definition = scope.program.overload(scope, node, library, arguments)
    types = operand_types(definition)
    body = definition["expression"]
    if len(arguments) == 1 and body.get("type") == "Property":
        source = body.get("source", {})
        if source.get("type") == "OperandRef" and arguments[0].type == types[0]:
            return step(arguments[0], body["path"])
    given = [coerced(a, type_) for a, type_ in zip(arguments, types, strict=True)]
    if may_stand_here(scope, library, definition, given):
        return inlined(scope, library, definition, given)
    passed = (shapes.passed(a.shape, type_) for a, type_ in zip(given, types, strict=True))
    function = scope.program.function(library, definition, tuple(passed))
    scope.uses.add(function.key)
    return call(function, given)


def may_stand_here(
    scope: Scope, library: LibraryKey, definition: Node, arguments: list[Expression]
) -> bool:
    """Return whether a function's expression may stand in the place of its call.

    Each operand has to be of the declared type, and to be computed once at most.
    """
    noted = scope.program.bodies.get(id(definition))
    if noted is None:
        noted = scope.program.bodies[id(definition)] = body_of(definition)
    if noted.size > SMALL or (library, definition["name"]) in scope.inlining:
        return False
    types = operand_types(definition)
    return all(
        argument.type in (type_, t.NULL) and (argument.at_hand or once)
        for argument, type_, once in zip(arguments, types, noted.once, strict=True)
    )


@dataclass(frozen=True, slots=True)
class FunctionBody:
    """What of a function decides whether its expression may stand in the place of a call.

    Args:
        definition: the function; kept, since it is known by its identity.
        size: how many nodes it has, without leaves.
        once: of each operand, whether it is asked for once at most.
    """

    definition: Node
    size: int
    once: tuple[bool, ...]


def body_of(definition: Node) -> FunctionBody:
    """Return what is to be known of a function's expression."""
    body, count = definition["expression"], size(definition["expression"])
    if count > SMALL:
        return FunctionBody(definition, count, ())
    looped, names = loops(body), [operand["name"] for operand in definition.get("operand", [])]
    once = (not looped and mentions(body, name, OPERANDS) <= 1 for name in names)
    return FunctionBody(definition, count, tuple(once))


LOOPS = frozenset({"Query", "ForEach", "Filter", "Sort", "Aggregate"})
OPERANDS = frozenset({"OperandRef", "IdentifierRef"})


def loops(node: Value) -> bool:
    """Return whether a part of a node may be computed more than once."""
    if isinstance(node, list):
        return any(map(loops, node))
    if not isinstance(node, dict):
        return False
    return node.get("type") in LOOPS or any(
        loops(v) for v in node.values() if isinstance(v, list | dict)
    )


def inlined(
    scope: Scope, library: LibraryKey, definition: Node, arguments: list[Expression]
) -> Expression:
    """Return the expression of a function with its operands in their places."""
    inner = scope.program.scope_of(library, definition["name"])
    inner.size, inner.uses = scope.size, scope.uses
    inner.inlining = scope.inlining | {(library, definition["name"])}
    types = operand_types(definition)
    for operand, argument, type_ in zip(
        definition.get("operand", []), arguments, types, strict=True
    ):
        given = replace(argument, type=type_)
        inner.lets[inner.bind(operand["name"], type_, given.shape)] = given
    found = inner.compile(definition["expression"])
    scope.size = inner.size
    return found


def call(function: Callee, arguments: list[Expression]) -> Expression:
    """Return the call of a function; one that is still being compiled calls itself."""

    def text(m: Writer) -> str:
        body = m.name(function.body or function.call)
        return f"{body}({', '.join(['m', *map(m.value, arguments)])})"

    return Expression(function.type, text, shape=function.shape)


LEAVES = frozenset({"Literal", "Null", "OperandRef", "NamedTypeSpecifier"})


def size(node: Value) -> int:
    """Return how many nodes there are in one, itself counted, without leaves."""
    if isinstance(node, list):
        return sum(map(size, node))
    if not isinstance(node, dict):
        return 0
    inner = sum(size(v) for v in node.values() if isinstance(v, list | dict))
    return inner + ("type" in node and node["type"] not in LEAVES)


def compile_local(scope: Scope, node: Node) -> Expression:
    """Compile the name of an operand, alias or let."""
    return scope.local(node["name"])


def compile_identifier_ref(scope: Scope, node: Node) -> Expression:
    """Compile a bare identifier: a local, or an element of the value that is being sorted."""
    name = node["name"]
    return scope.local(name) if name in scope.names else step(scope.local("$this"), name)
