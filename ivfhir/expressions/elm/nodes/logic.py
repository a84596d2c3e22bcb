"""Logic, null tests and choices: And, Or, If, Case, Coalesce and their like."""

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.nodes.literals import coerced
from ivfhir.expressions.elm.scope import Compiled, Frame, Node, Run, Scope
from ivfhir.expressions.operators.equality import pair
from ivfhir.expressions.operators.logical import Truth, implies, not_, xor
from ivfhir.expressions.values.value import Value


def compile_and(scope: Scope, node: Node) -> Compiled:
    """Compile `and`; a chain of them becomes one loop that ends at the first False."""
    first, *others = (scope.compile(part).run for part in chain(node, "And"))
    if len(others) == 1:
        return Compiled(and_of_two(first, others[0]), t.BOOLEAN)
    runs = (first, *others)

    def run(f: Frame) -> Truth:
        result: Truth = True
        for part in runs:
            value = part(f)
            if value is False:
                return False
            if value is None:
                result = None
        return result

    return Compiled(run, t.BOOLEAN)


def and_of_two(left: Run, right: Run) -> Run:
    """Return a and b."""

    def run(f: Frame) -> Truth:
        a = left(f)
        if a is False:
            return False
        b = right(f)
        if b is False:
            return False
        return True if a is not None and b is not None else None

    return run


def compile_or(scope: Scope, node: Node) -> Compiled:
    """Compile `or`; a chain of them becomes one loop that ends at the first True."""
    runs = tuple(scope.compile(part).run for part in chain(node, "Or"))

    def run(f: Frame) -> Truth:
        result: Truth = False
        for part in runs:
            value = part(f)
            if value is True:
                return True
            if value is None:
                result = None
        return result

    return Compiled(run, t.BOOLEAN)


def chain(node: Node, name: str) -> list[Node]:
    """Return the operands of nested nodes of one associative operator, in order."""
    parts: list[Node] = []
    for operand in node["operand"]:
        parts.extend(chain(operand, name) if operand.get("type") == name else [operand])
    return parts


def compile_not(scope: Scope, node: Node) -> Compiled:
    """Compile `not`."""
    run = scope.compile(node["operand"]).run
    return Compiled(lambda f: not_(run(f)), t.BOOLEAN)


def compile_xor(scope: Scope, node: Node) -> Compiled:
    """Compile `xor`."""
    a, b = (part.run for part in scope.compile_all(node["operand"]))
    return Compiled(lambda f: xor(a(f), b(f)), t.BOOLEAN)


def compile_implies(scope: Scope, node: Node) -> Compiled:
    """Compile `implies`."""
    a, b = (part.run for part in scope.compile_all(node["operand"]))
    return Compiled(lambda f: implies(a(f), b(f)), t.BOOLEAN)


def compile_is_null(scope: Scope, node: Node) -> Compiled:
    """Compile `is null`."""
    run = scope.compile(node["operand"]).run
    return Compiled(lambda f: run(f) is None, t.BOOLEAN)


def compile_is_true(scope: Scope, node: Node) -> Compiled:
    """Compile `is true`."""
    run = scope.compile(node["operand"]).run
    return Compiled(lambda f: run(f) is True, t.BOOLEAN)


def compile_is_false(scope: Scope, node: Node) -> Compiled:
    """Compile `is false`."""
    run = scope.compile(node["operand"]).run
    return Compiled(lambda f: run(f) is False, t.BOOLEAN)


def joined(parts: list[Compiled]) -> tuple[list[Run], t.ElmType]:
    """Return branches and the type that holds the value of any of them."""
    type_ = t.choice(part.type for part in parts)
    return [coerced(part, type_).run for part in parts], type_


def compile_if(scope: Scope, node: Node) -> Compiled:
    """Compile `if`: only True takes the first branch."""
    condition = scope.compile(node["condition"]).run
    parts = [scope.compile(node["then"]), scope.compile(node["else"])]
    (then, otherwise), type_ = joined(parts)
    if parts[0].constant is None:
        return Compiled(lambda f: None if condition(f) is True else otherwise(f), type_)
    if parts[1].constant is None:
        return Compiled(lambda f: then(f) if condition(f) is True else None, type_)
    return Compiled(lambda f: then(f) if condition(f) is True else otherwise(f), type_)


def compile_case(scope: Scope, node: Node) -> Compiled:
    """Compile `case`, with or without a comparand."""
    items = node.get("caseItem", [])
    whens = [scope.compile(item["when"]).run for item in items]
    branches = [scope.compile(item["then"]) for item in items] + [scope.compile(node["else"])]
    (*thens, otherwise), type_ = joined(branches)
    cases = list(zip(whens, thens, strict=True))
    if "comparand" in node:
        comparand = scope.compile(node["comparand"]).run

        def compared(f: Frame) -> Value:
            value = comparand(f)
            for when, then in cases:
                if pair(value, when(f)) is True:
                    return then(f)
            return otherwise(f)

        return Compiled(compared, type_)

    def run(f: Frame) -> Value:
        for when, then in cases:
            if when(f) is True:
                return then(f)
        return otherwise(f)

    return Compiled(run, type_)


def compile_coalesce(scope: Scope, node: Node) -> Compiled:
    """Compile `Coalesce` of several values, or of the elements of one list."""
    parts = scope.compile_all(node["operand"])
    if len(parts) == 1 and isinstance(parts[0].type, t.ListOf):
        source = parts[0].run
        element = t.element_of(parts[0].type)
        return Compiled(
            lambda f: next((v for v in source(f) or () if v is not None), None), element
        )
    runs, type_ = joined(parts)

    def run(f: Frame) -> Value:
        for part in runs:
            value = part(f)
            if value is not None:
                return value
        return None

    return Compiled(run, type_)


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
