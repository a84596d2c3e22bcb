"""References: to defines, functions, parameters and locals."""

from ivfhir.expressions.elm import shapes
from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import coerced
from ivfhir.expressions.elm.code import UNSET, Expression, Writer, constant
from ivfhir.expressions.elm.nodes.properties import step
from ivfhir.expressions.elm.overloads import operand_types
from ivfhir.expressions.elm.scope import Callee, Node, Scope


def compile_expression_ref(scope: Scope, node: Node) -> Expression:
    """Compile the name of a define: its value is computed once a session."""
    library = scope.program.resolve(scope, node)
    define = scope.program.expression(scope, node, library)
    scope.uses.add(define.key)
    value = scope.program.constant_of(library, define.slot)
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

    def text(m: Writer) -> str:
        v = m.temporary()
        known = f"({v} := m[{slot}]) is not {m.name(UNSET)}"
        return f"({v} if {known} else {m.name(computes)}[{slot}](m))"

    return Expression(type_, text, shape=shape)


LOGIC = frozenset({"And", "Or", "Not", "Equal", "IsNull", "IsTrue", "IsFalse"})
LEAVES = frozenset({"Literal", "OperandRef"})
LOCALS = frozenset({"Literal", "OperandRef", "AliasRef", "QueryLetRef"})


def compile_function_ref(scope: Scope, node: Node) -> Expression:
    """Compile a call.

    A function that only reads an element of its operand is replaced by that, one that is mere logic
    of locals by its expression.
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
    passed = (shapes.passed(a.shape, type_) for a, type_ in zip(given, types, strict=True))
    function = scope.program.function(library, definition, tuple(passed))
    scope.uses.add(function.key)
    if is_logic(body) and given == arguments and all(map(is_at_hand, node["operand"], given)):
        return inlined(scope.program.scope_of(library, node["name"]), definition, given)
    return call(function, given)


def is_logic(node: Node) -> bool:
    """Return whether a node is comparisons and logic of operands and literals, and no more."""
    if node.get("type") in LEAVES:
        return True
    operand = node.get("operand", [])
    operands = operand if isinstance(operand, list) else [operand]
    return node.get("type") in LOGIC and all(map(is_logic, operands))


def is_at_hand(node: Node, part: Expression) -> bool:
    """Return whether an operand is a local or an element of one's tuple: cheap to ask for twice."""
    local = node.get("type") in LOCALS or (node.get("type") == "Property" and "scope" in node)
    return local and not part.owner


def inlined(scope: Scope, definition: Node, arguments: list[Expression]) -> Expression:
    """Return the expression of a function with its operands in their places."""
    for operand, argument in zip(definition["operand"], arguments, strict=True):
        scope.lets[scope.bind(operand["name"], argument.type, argument.shape)] = argument
    return scope.compile(definition["expression"])


def call(function: Callee, arguments: list[Expression]) -> Expression:
    """Return the call of a function; one that is still being compiled calls itself."""

    def text(m: Writer) -> str:
        body = m.name(function.body or function.call)
        return f"{body}({', '.join(['m', *map(m.value, arguments)])})"

    return Expression(function.type, text, shape=function.shape)


def compile_local(scope: Scope, node: Node) -> Expression:
    """Compile the name of an operand, alias or let."""
    return scope.local(node["name"])


def compile_identifier_ref(scope: Scope, node: Node) -> Expression:
    """Compile a bare identifier: a local, or an element of the value that is being sorted."""
    name = node["name"]
    return scope.local(name) if name in scope.names else step(scope.local("$this"), name)
