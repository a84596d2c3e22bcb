"""Logic, null tests and choices: And, Or, If, Case, Coalesce and their like."""

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import lenient
from ivfhir.expressions.elm.fusion import Fusion, strict
from ivfhir.expressions.elm.nodes.literals import coerced
from ivfhir.expressions.elm.scope import UNSET, Compiled, Emit, Frame, Node, Scope
from ivfhir.expressions.operators.equality import pair
from ivfhir.expressions.operators.logical import Truth, implies, not_, xor
from ivfhir.expressions.values.value import Value


def compile_and(scope: Scope, node: Node) -> Compiled:
    """Compile `and`; a chain of them becomes one loop that ends at the first False."""
    parts = scope.compile_all(chain(node, "And"))
    runs = tuple(part.run for part in parts)

    def run(f: Frame) -> Truth:
        result: Truth = True
        for part in runs:
            value = part(f)
            if value is False:
                return False
            if value is None:
                result = None
        return result

    def truth(m: Fusion) -> str:
        return f"({' and '.join(map(m.truth, parts))})"

    return Compiled(run, t.BOOLEAN, emit=chained(parts, "False", "True"), truth=truth)


def compile_or(scope: Scope, node: Node) -> Compiled:
    """Compile `or`; a chain of them becomes one loop that ends at the first True."""
    parts = scope.compile_all(chain(node, "Or"))
    runs = tuple(part.run for part in parts)

    def run(f: Frame) -> Truth:
        result: Truth = False
        for part in runs:
            value = part(f)
            if value is True:
                return True
            if value is None:
                result = None
        return result

    def truth(m: Fusion) -> str:
        return f"({' or '.join(map(m.truth, parts))})"

    return Compiled(run, t.BOOLEAN, emit=chained(parts, "True", "False"), truth=truth)


def chained(parts: list[Compiled], decisive: str, otherwise: str) -> Emit:
    """Return the text of a chain: the decisive truth if a part is it, null if one is null."""

    def emit(m: Fusion) -> str:
        names = [m.temporary() for _ in parts]
        decided = " or ".join(
            f"({name} := {m.value(part)}) is {decisive}"
            for name, part in zip(names, parts, strict=True)
        )
        unknown = " or ".join(f"{name} is None" for name in names)
        return f"({decisive} if {decided} else None if {unknown} else {otherwise})"

    return emit


def chain(node: Node, name: str) -> list[Node]:
    """Return the operands of nested nodes of one associative operator, in order."""
    parts: list[Node] = []
    for operand in node["operand"]:
        parts.extend(chain(operand, name) if operand.get("type") == name else [operand])
    return parts


def compile_not(scope: Scope, node: Node) -> Compiled:
    """Compile `not`."""
    part = scope.compile(node["operand"])
    run = part.run
    return Compiled(
        lambda f: not_(run(f)),
        t.BOOLEAN,
        emit=strict(lambda _, v: f"not {v[0]}", part),
        truth=lambda m: f"({m.value(part)} is False)",
    )


def compile_xor(scope: Scope, node: Node) -> Compiled:
    """Compile `xor`."""
    return lenient(xor, t.BOOLEAN, *scope.compile_all(node["operand"]))


def compile_implies(scope: Scope, node: Node) -> Compiled:
    """Compile `implies`."""
    return lenient(implies, t.BOOLEAN, *scope.compile_all(node["operand"]))


def compile_is_null(scope: Scope, node: Node) -> Compiled:
    """Compile `is null`."""
    return identity(scope.compile(node["operand"]), None)


def compile_is_true(scope: Scope, node: Node) -> Compiled:
    """Compile `is true`."""
    return identity(scope.compile(node["operand"]), True)


def compile_is_false(scope: Scope, node: Node) -> Compiled:
    """Compile `is false`."""
    return identity(scope.compile(node["operand"]), False)


def identity(part: Compiled, value: Truth) -> Compiled:
    """Return whether a value is null, True or False."""
    run = part.run

    def emit(m: Fusion) -> str:
        text = m.value(part) if part.constant is UNSET else m.name(part.constant)
        return f"({text} is {value})"

    return Compiled(lambda f: run(f) is value, t.BOOLEAN, emit=emit, truth=emit)


def joined(parts: list[Compiled]) -> tuple[list[Compiled], t.ElmType]:
    """Return branches and the type that holds the value of any of them."""
    type_ = t.choice(part.type for part in parts)
    return [coerced(part, type_) for part in parts], type_


def compile_if(scope: Scope, node: Node) -> Compiled:
    """Compile `if`: only True takes the first branch."""
    condition = scope.compile(node["condition"])
    parts, type_ = joined([scope.compile(node["then"]), scope.compile(node["else"])])
    when, then, otherwise = condition.run, parts[0].run, parts[1].run

    def run(f: Frame) -> Value:
        return then(f) if when(f) is True else otherwise(f)

    return Compiled(run, type_, emit=branches([(condition, parts[0])], parts[1]))


def branches(cases: list[tuple[Compiled, Compiled]], otherwise: Compiled) -> Emit:
    """Return the text that is the value of the first case whose condition is True."""

    def emit(m: Fusion) -> str:
        texts = [f"{m.value(then)} if {m.truth(when)} else " for when, then in cases]
        return f"({''.join(texts)}{m.value(otherwise)})"

    return emit


def compile_case(scope: Scope, node: Node) -> Compiled:
    """Compile `case`, with or without a comparand."""
    items = node.get("caseItem", [])
    whens = [scope.compile(item["when"]) for item in items]
    ends = [scope.compile(item["then"]) for item in items] + [scope.compile(node["else"])]
    (*thens, last), type_ = joined(ends)
    if "comparand" in node:
        comparand = scope.compile(node["comparand"])
        whens = [lenient(pair, t.BOOLEAN, comparand, when) for when in whens]
    otherwise = last.run
    cases = [(when.run, then.run) for when, then in zip(whens, thens, strict=True)]

    def run(f: Frame) -> Value:
        for when, then in cases:
            if when(f) is True:
                return then(f)
        return otherwise(f)

    return Compiled(run, type_, emit=branches(list(zip(whens, thens, strict=True)), last))


def compile_coalesce(scope: Scope, node: Node) -> Compiled:
    """Compile `Coalesce` of several values, or of the elements of one list."""
    parts = scope.compile_all(node["operand"])
    if len(parts) == 1 and isinstance(parts[0].type, t.ListOf):
        source = parts[0].run
        element = t.element_of(parts[0].type)
        return Compiled(
            lambda f: next((v for v in source(f) or () if v is not None), None), element
        )
    parts, type_ = joined(parts)
    if parts[0].constant not in (UNSET, None):
        return parts[0]
    runs = [part.run for part in parts]

    def run(f: Frame) -> Value:
        for part in runs:
            value = part(f)
            if value is not None:
                return value
        return None

    def emit(m: Fusion) -> str:
        *first, last = parts
        v = m.temporary()
        texts = [f"{v} if ({v} := {m.value(part)}) is not None else " for part in first]
        return f"({''.join(texts)}{m.value(last)})"

    return Compiled(run, type_, emit=emit)


NODES = {
    "And": compile_and,
    "Or": compile_or,
    "Not": compile_not,
    "Xor": compile_xor,
    "Implies": compile_implies,
    "IsNull": compile_is_null,
    "IsTrue": compile_is_true,
    "IsFalse": compile_is_false,
    "If": compile_if,
    "Case": compile_case,
    "Coalesce": compile_coalesce,
}
