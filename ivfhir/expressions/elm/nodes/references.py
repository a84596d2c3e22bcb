"""References: to defines, functions, parameters and locals."""

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.fusion import Fusion
from ivfhir.expressions.elm.nodes.literals import coerced
from ivfhir.expressions.elm.nodes.properties import local, step
from ivfhir.expressions.elm.scope import UNSET, Compiled, Frame, Node, Scope
from ivfhir.expressions.values.value import Value


def compile_expression_ref(scope: Scope, node: Node) -> Compiled:
    """Compile the name of a define: its value is computed once a session."""
    library = scope.program.resolve(scope, node)
    cell = scope.program.expression(scope, node, library)
    scope.uses.add(cell.key)
    return remembered(scope, cell.slot, cell.type)


def compile_parameter_ref(scope: Scope, node: Node) -> Compiled:
    """Compile the name of a parameter."""
    library = scope.program.resolve(scope, node)
    slot, type_ = scope.program.parameter(scope, node, library)
    return remembered(scope, slot, type_)


def remembered(scope: Scope, slot: int, type_: t.ElmType) -> Compiled:
    """Return what takes a value from the session's memory, computing it the first time."""
    computes = scope.program.computes

    def run(f: Frame) -> Value:
        memory = f[0]
        value = memory[slot]
        return computes[slot](memory) if value is UNSET else value

    def emit(m: Fusion) -> str:
        v = m.temporary()
        compute = f"{m.name(computes)}[{slot}]({m.memory})"
        return f"({v} if ({v} := {m.memory}[{slot}]) is not {m.name(UNSET)} else {compute})"

    return Compiled(run, type_, emit=emit)


def compile_function_ref(scope: Scope, node: Node) -> Compiled:
    """Compile a call; a function that only reads an element of its operand is replaced by that."""
    library = scope.program.resolve(scope, node)
    arguments = scope.compile_all(node.get("operand", []))
    definition = scope.program.overload(scope, node, library, arguments)
    body = definition["expression"]
    if len(arguments) == 1 and body.get("type") == "Property":
        source = body.get("source", {})
        if source.get("type") == "OperandRef" and arguments[0].type == operand_types(definition)[0]:
            return step(scope, node, arguments[0], body["path"])
    pairs = zip(arguments, operand_types(definition), strict=True)
    arguments = [coerced(argument, type_) for argument, type_ in pairs]
    cell = scope.program.function(library, definition)
    scope.uses.add(cell.key)
    run = cell.caller([a.run for a in arguments])
    return Compiled(run, cell.type, emit=cell.emit(arguments))


def operand_types(definition: Node) -> list[t.ElmType]:
    """Return the declared types of a function's operands."""
    return [t.from_specifier(specifier_of(operand)) for operand in definition.get("operand", [])]


def specifier_of(operand: Node) -> Node | None:
    """Return the type specifier of an operand, however the translator wrote it."""
    if "operandTypeSpecifier" in operand:
        specifier: Node = operand["operandTypeSpecifier"]
        return specifier
    if "operandType" in operand:
        return {"type": "NamedTypeSpecifier", "name": operand["operandType"]}
    return None


def compile_local(scope: Scope, node: Node) -> Compiled:
    """Compile the name of an operand or alias."""
    return local(scope, node, node["name"])


def compile_let_ref(scope: Scope, node: Node) -> Compiled:
    """Compile the name of a let: computed when first asked for, for each element."""
    name = node["name"]
    if name not in scope.names or scope.names[name][0] not in scope.lets:
        return local(scope, node, name)
    slot, type_ = scope.names[name]
    let, compute = scope.lets[slot]
    if compute is None:
        return let

    def run(f: Frame) -> Value:
        value = f[slot]
        return compute(f) if value is UNSET else value

    def emit(m: Fusion) -> str:
        known = m.let(slot)
        if known is not None:
            return known
        v = m.temporary()
        otherwise = f"{m.name(compute)}({m.frame()})"
        return f"({v} if ({v} := {m.slot(slot)}) is not {m.name(UNSET)} else {otherwise})"

    return Compiled(run, type_, emit=emit)


def compile_identifier_ref(scope: Scope, node: Node) -> Compiled:
    """Compile a bare identifier: a local, or an element of the value that is being sorted."""
    name = node["name"]
    if name in scope.names:
        return compile_let_ref(scope, node)
    return step(scope, node, local(scope, node, "$this"), name)


NODES = {
    "ExpressionRef": compile_expression_ref,
    "ParameterRef": compile_parameter_ref,
    "FunctionRef": compile_function_ref,
    "OperandRef": compile_local,
    "AliasRef": compile_local,
    "QueryLetRef": compile_let_ref,
    "IdentifierRef": compile_identifier_ref,
}
