"""Logic, null tests and choices: And, Or, If, Case, Coalesce and their like."""

from dataclasses import replace

from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.calls import joined, lenient, of_all, strict_words
from ivfhir.expressions.elm.code import UNSET, Expression, Writer, constant
from ivfhir.expressions.elm.scope import Node, Scope
from ivfhir.expressions.elm.shapes import KNOWN
from ivfhir.expressions.operators.equality import pair
from ivfhir.expressions.operators.logical import Truth
from ivfhir.expressions.values.value import Value


def compile_and(scope: Scope, node: Node) -> Expression:
    """Compile `and`; a chain of them ends at the first False."""
    return chained(scope.compile_all(chain(node, "And")), "and", decisive=False)


def compile_or(scope: Scope, node: Node) -> Expression:
    """Compile `or`; a chain of them ends at the first True."""
    return chained(scope.compile_all(chain(node, "Or")), "or", decisive=True)


def chain(node: Node, name: str) -> list[Node]:
    """Return the operands of nested nodes of one associative operator, in order."""
    parts: list[Node] = []
    for operand in node["operand"]:
        parts.extend(chain(operand, name) if operand.get("type") == name else [operand])
    return parts


def chained(parts: list[Expression], word: str, *, decisive: bool) -> Expression:
    """Return a chain: the decisive truth if a part is it, null if one is null."""

    def text(m: Writer) -> str:
        names = [m.temporary() for _ in parts]
        decided = " or ".join(
            f"({name} := {m.value(part)}) is {decisive}"
            for name, part in zip(names, parts, strict=True)
        )
        unknown = " or ".join(f"{name} is None" for name in names)
        return f"({decisive} if {decided} else None if {unknown} else {not decisive})"

    def truth(m: Writer) -> str:
        return f"({f' {word} '.join(map(m.truth, parts))})"

    def both(m: Writer) -> str:
        return f"({f' {word} '.join(map(m.value, parts))})"

    certain = of_all(*parts)
    return Expression(t.BOOLEAN, both if certain.known else text, truth=truth, shape=certain)


def negated(part: Expression) -> Expression:
    """Return `not`."""
    if part.shape.known:
        return Expression(t.BOOLEAN, lambda m: f"(not {m.truth(part)})", shape=KNOWN)
    text = strict_words(lambda _, v: f"not {v[0]}", t.BOOLEAN, part).text
    return Expression(t.BOOLEAN, text, truth=identity(part, False).text)


def is_null(part: Expression) -> Expression:
    """Return `is null`."""
    return identity(part, None)


def is_true(part: Expression) -> Expression:
    """Return `is true`."""
    return identity(part, True)


def is_false(part: Expression) -> Expression:
    """Return `is false`."""
    return identity(part, False)


def identity(part: Expression, value: Truth) -> Expression:
    """Return whether a value is null, True or False."""
    if part.constant is not UNSET:
        return constant(part.constant is value, t.BOOLEAN)

    def text(m: Writer) -> str:
        return f"({m.value(part)} is {value})"

    return Expression(t.BOOLEAN, text, truth=text, shape=KNOWN)


def choose(condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    """Return `if`: only True takes the first branch."""
    return branches([condition], [then, otherwise])


def branches(conditions: list[Expression], results: list[Expression]) -> Expression:
    """Return the result of the first condition that is True, the last one if none is."""
    (*thens, last), type_, shape = joined(results)

    def text(m: Writer) -> str:
        cases = zip(thens, conditions, strict=True)
        texts = [f"{m.value(then)} if {m.truth(when)} else " for then, when in cases]
        return f"({''.join(texts)}{m.value(last)})"

    return Expression(type_, text, shape=shape)


def compile_if(scope: Scope, node: Node) -> Expression:
    """Compile `if`."""
    return choose(*(scope.compile(node[name]) for name in ("condition", "then", "else")))


def compile_case(scope: Scope, node: Node) -> Expression:
    """Compile `case`, with or without a comparand."""
    items = node.get("caseItem", [])
    whens = [scope.compile(item["when"]) for item in items]
    results = [scope.compile(item["then"]) for item in items] + [scope.compile(node["else"])]
    if "comparand" in node:
        return matched(scope.compile(node["comparand"]), whens, results)
    return branches(whens, results)


def matched(
    comparand: Expression, whens: list[Expression], results: list[Expression]
) -> Expression:
    """Return the result beside the first value that a comparand equals, the last one if none."""
    texts = comparand.type == t.STRING and all(each.constant.__class__ is str for each in whens)
    (*thens, last), type_, shape = joined(results)
    if not texts or any(then.constant is UNSET for then in thens):
        tests = [lenient(pair, t.BOOLEAN, comparand, when) for when in whens]
        return branches(tests, results)
    pairs = zip(whens, thens, strict=True)
    table = {when.constant: then.constant for when, then in reversed(list(pairs))}

    def text(m: Writer) -> str:
        v, unset = m.temporary(), m.name(UNSET)
        found = f"{m.name(table)}.get({m.value(comparand)}, {unset})"
        return f"({v} if ({v} := {found}) is not {unset} else {m.value(last)})"

    return Expression(type_, text, shape=shape)


def coalesce(*parts: Expression) -> Expression:
    """Return the first of several values, or of the elements of one list, that is not null."""
    if len(parts) == 1 and isinstance(parts[0].type, t.ListOf):
        return lenient(first_known, t.element_of(parts[0].type), parts[0])
    (*others, last), type_, shape = joined(list(parts))
    first = (others or [last])[0]
    if first.constant not in (UNSET, None) or first.shape.known:
        return first
    shape = replace(shape, known=last.shape.known)

    def text(m: Writer) -> str:
        v = m.temporary()
        texts = [f"{v} if ({v} := {m.value(part)}) is not None else " for part in others]
        return f"({''.join(texts)}{m.value(last)})"

    return Expression(type_, text, shape=shape)


def first_known(values: list[Value] | None) -> Value:
    """Return the first element that is not null."""
    return next((value for value in values or () if value is not None), None)
