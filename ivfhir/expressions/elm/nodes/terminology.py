"""Codes, concepts, value sets and code systems."""

from collections.abc import Callable, Collection

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import lenient, of_memory, strict
from ivfhir.expressions.elm.code import TERMS, UNSET, Expression, Memory, constant
from ivfhir.expressions.elm.scope import LibraryKey, Node, Scope
from ivfhir.expressions.index import CodePair, Terminology, code_pairs
from ivfhir.expressions.operators.equality import codes_of, equivalent
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values import Code, CodeSystem, Concept, ValueSet
from ivfhir.expressions.values.value import Value


def compile_code_ref(scope: Scope, node: Node) -> Expression:
    """Compile the name of a code."""
    return constant(code_of(scope, node), t.CODE)


def code_of(scope: Scope, node: Node) -> Code:
    """Return the code that a name stands for."""
    library = scope.program.resolve(scope, node)
    definition = scope.program.definition(scope, node, library, "codes")
    system = definition.get("codeSystem")
    return code_in(scope, library, definition["id"], system, definition.get("display"))


def code_in(
    scope: Scope, library: LibraryKey, code: str, system: Node | None, display: str | None
) -> Code:
    """Return a code of a code system that a library names."""
    if system is None:
        return Code(code, None, None, display)
    where = scope.program.resolve_in(scope, system, library)
    definition = scope.program.definition(scope, system, where, "codeSystems")
    return Code(code, definition["id"], definition.get("version"), display)


def compile_code(scope: Scope, node: Node) -> Expression:
    """Compile a code literal."""
    code = code_in(scope, scope.library, node["code"], node.get("system"), node.get("display"))
    return constant(code, t.CODE)


def compile_concept(scope: Scope, node: Node) -> Expression:
    """Compile a concept literal."""
    codes = tuple(compile_code(scope, code).constant for code in node.get("code", []))
    return constant(Concept(codes, node.get("display")), t.CONCEPT)


def compile_concept_ref(scope: Scope, node: Node) -> Expression:
    """Compile the name of a concept."""
    library = scope.program.resolve(scope, node)
    definition = scope.program.definition(scope, node, library, "concepts")
    inner = scope.program.scope_of(library, scope.define)
    codes = tuple(code_of(inner, code) for code in definition.get("code", []))
    return constant(Concept(codes, definition.get("display")), t.CONCEPT)


def compile_value_set_ref(scope: Scope, node: Node) -> Expression:
    """Compile the name of a value set: its reference, or its codes in the older form of ELM."""
    reference = value_set_of(scope, node)
    if node.get("preserve") is True:
        return constant(reference, t.VALUE_SET)
    return expanded(reference)


def value_set_of(scope: Scope, node: Node) -> ValueSet:
    """Return the value set that a name stands for."""
    library = scope.program.resolve(scope, node)
    definition = scope.program.definition(scope, node, library, "valueSets")
    scope.uses.add(("value set", definition["id"]))
    return ValueSet(definition["id"], definition.get("version"), definition["name"])


def compile_code_system_ref(scope: Scope, node: Node) -> Expression:
    """Compile the name of a code system."""
    library = scope.program.resolve(scope, node)
    definition = scope.program.definition(scope, node, library, "codeSystems")
    system = CodeSystem(definition["id"], definition.get("version"), definition["name"])
    return constant(system, t.CODE_SYSTEM)


def expansion(memory: Memory, value_set: ValueSet) -> Collection[CodePair]:
    """Return the codes of a value set.

    Raises:
        CqlError: the session was given no expansion of it.
    """
    terms: Terminology = memory[TERMS]
    return terms.expansions[expanded_name(terms, value_set)]


def expanded_name(terms: Terminology, value_set: ValueSet) -> str:
    """Return the canonical that the expansion of a value set has, with or without its version.

    Raises:
        CqlError: there is none.
    """
    canonical = value_set.id or ""
    if canonical in terms.expansions:
        return canonical
    if f"{canonical}|{value_set.version}" in terms.expansions:
        return f"{canonical}|{value_set.version}"
    raise CqlError(f"value set {canonical} has no expansion")


def expanded(value_set: ValueSet) -> Expression:
    """Return what lists the codes of a value set."""

    def codes(memory: Memory) -> list[Code]:
        return [Code(code, system) for system, code in expansion(memory, value_set)]

    return of_memory(codes, t.ListOf(t.CODE))


def compile_expand(scope: Scope, node: Node) -> Expression:
    """Compile ExpandValueSet."""
    operand = scope.compile(node["operand"])
    if operand.constant is UNSET:
        scope.refuse(node, "a value set that is not named in the library cannot be expanded")
    return expanded(operand.constant)


def compile_in_value_set(scope: Scope, node: Node) -> Expression:
    """Compile `code in value set`.

    An element of a resource is looked up as it is, with no Concept made of it.
    """
    value_set = value_set_operand(scope, node)
    plural = node["type"] == "AnyInValueSet"
    code = node["codes"] if plural else node["code"]
    raw = raw_concept(scope, code)
    operand = raw or scope.compile(code)
    pairs_of: Callable[[Value], list[CodePair]] = code_pairs if raw else value_pairs

    def member(memory: Memory, value: Value) -> Truth:
        if value is None:
            return False if plural else None
        codes = expansion(memory, value_set)
        if value.__class__ is str:
            return any(value == known for _, known in codes)
        return any(pair in codes for pair in pairs_of(value))

    return of_memory(member, t.BOOLEAN, operand)


def value_set_operand(scope: Scope, node: Node) -> ValueSet:
    """Return the value set that an InValueSet or AnyInValueSet names."""
    if "valueset" in node:
        return value_set_of(scope, node["valueset"])
    expression = scope.compile(node["valuesetExpression"])
    if not isinstance(expression.constant, ValueSet):
        scope.refuse(node, "a value set that is not named in the library is not supported")
    return expression.constant


def raw_concept(scope: Scope, node: Node) -> Expression | None:
    """Return the element that FHIRHelpers would turn into a Concept or Code.

    None for other expressions.
    """
    if node.get("type") != "FunctionRef" or node.get("name") not in ("ToConcept", "ToCode"):
        return None
    if scope.program.resolve(scope, node)[0] != "FHIRHelpers":
        return None
    operand = scope.compile(node["operand"][0])
    return operand if operand.type in ("FHIR.CodeableConcept", "FHIR.Coding") else None


def value_pairs(value: Value) -> list[CodePair]:
    """Return the codes of a value as (system, code)."""
    if isinstance(value, list):
        return [pair for item in value for pair in value_pairs(item)]
    return [(code.system, code.code) for code in codes_of(value) if code is not None and code.code]


def compile_in_code_system(scope: Scope, node: Node) -> Expression:
    """Compile `code in code system`: whether the code says that it is of the system."""
    plural = node["type"] == "AnyInCodeSystem"
    operand = scope.compile(node["codes" if plural else "code"])
    reference = node.get("codesystem") or node.get("codesystemExpression") or {}
    system = compile_code_system_ref(scope, reference).constant

    def of_system(value: Value) -> Truth:
        if value is None:
            return False if plural else None
        return any(known == system.id for known, _ in value_pairs(value))

    return lenient(of_system, t.BOOLEAN, operand)


def compile_equivalent(scope: Scope, node: Node) -> Expression:
    """Compile `~`; an element against codes that are known is looked up as it is."""
    for element, other in (node["operand"], node["operand"][::-1]):
        raw = raw_concept(scope, element)
        constant_side = scope.compile(other) if raw else None
        known = constant_codes(constant_side) if constant_side else None
        if raw is not None and known:
            return any_of(raw, known)
    return lenient(equivalent, t.BOOLEAN, *scope.compile_all(node["operand"]))


def constant_codes(compiled: Expression) -> frozenset[CodePair] | None:
    """Return the codes of an expression that is always the same code or concept.

    None for others.
    """
    value = compiled.constant
    return frozenset(value_pairs(value)) if isinstance(value, Code | Concept) else None


def any_of(element: Expression, known: frozenset[CodePair]) -> Expression:
    """Return whether an element carries one of some codes."""

    def check(value: Value) -> bool:
        return any(pair in known for pair in code_pairs(value))

    return lenient(check, t.BOOLEAN, element)


def to_concept(operand: Expression) -> Expression:
    """Return ToConcept; of a code that is known it is known too."""
    value = operand.constant
    if isinstance(value, Code):
        return constant(Concept((value,), value.display), t.CONCEPT)
    return strict(concept_of, t.CONCEPT, operand)


def concept_of(codes: Value) -> Concept:
    """Return the concept of a code or of several."""
    return Concept(tuple(codes if isinstance(codes, list) else codes_of(codes)))
