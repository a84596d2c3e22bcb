"""Expressions that are a Python function or a few words of Python over their operands."""

from collections.abc import Callable

from ivfhir.expressions.elm.code import UNSET, Expression, Text, Writer, constant
from ivfhir.expressions.elm.shapes import KNOWN, OPEN, Shape, any_of
from ivfhir.expressions.elm.types import ElmType, choice, wrapper
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.values.value import Value

Function = Callable[..., Value]
Words = Callable[[Writer, list[str]], str]
"""Writes Python text from the texts of operands."""


def lenient(
    function: Function, type_: ElmType, *parts: Expression, shape: Shape = OPEN
) -> Expression:
    """Return a function of values that may be null.

    Args:
        function: computes the value.
        type_: its type.
        parts: the operands.
        shape: what is certain of the value, whatever the operands are.
    """

    def text(m: Writer) -> str:
        return f"{m.name(function)}({', '.join(map(m.value, parts))})"

    return Expression(type_, text, shape=shape)


def of_memory(function: Function, type_: ElmType, *parts: Expression) -> Expression:
    """Return a function of the session's memory and values that may be null."""

    def text(m: Writer) -> str:
        return f"{m.name(function)}({', '.join(['m', *map(m.value, parts)])})"

    return Expression(type_, text)


def foldable(function: Function, type_: ElmType, *parts: Expression) -> Expression:
    """Return a function of values that may be null, its value where all of them are constants."""
    if all(part.constant is not UNSET for part in parts):
        try:
            return constant(function(*(part.constant for part in parts)), type_)
        except CqlError:
            pass
    return lenient(function, type_, *parts)


def strict(function: Function, type_: ElmType, *parts: Expression) -> Expression:
    """Return a function of values that is null when any of them is null."""
    return Expression(type_, guarded(called(function), parts))


def called(function: Function) -> Words:
    """Return the words of a call."""
    return lambda m, values: f"{m.name(function)}({', '.join(values)})"


def strict_words(
    words: Words, type_: ElmType, *parts: Expression, shape: Shape = OPEN
) -> Expression:
    """Return words of Python that are null when any operand is null."""
    return Expression(type_, guarded(words, parts), shape=shape)


def of_all(*parts: Expression) -> Shape:
    """Return the shape of a value that is null only when a part is."""
    return KNOWN if all(part.shape.known for part in parts) else OPEN


def strict_test(
    words: Words, type_: ElmType, *parts: Expression, shape: Shape = OPEN
) -> Expression:
    """Return words whose value is a truth, null when any operand is null.

    Args:
        words: what is written of operands that are not null.
        type_: its type.
        parts: the operands.
        shape: what is certain of it.
    """

    def truth(m: Writer) -> str:
        values, tests = guards(m, parts)
        return f"({' and '.join([*tests, words(m, values)])})"

    return Expression(type_, guarded(words, parts), truth=truth, shape=shape)


def guarded(words: Words, parts: tuple[Expression, ...]) -> Text:
    """Return the text that is null when any part is, and otherwise the words of the parts."""

    def text(m: Writer) -> str:
        values, tests = guards(m, parts)
        body = words(m, values)
        return f"({body} if {' and '.join(tests)} else None)" if tests else f"({body})"

    return text


def guards(m: Writer, parts: tuple[Expression, ...]) -> tuple[list[str], list[str]]:
    """Return the texts of values, and the tests that none of them is null.

    Words may ask for each value once: what is known not to be null is written where they ask.
    """
    values, tests = [], []
    for part in parts:
        if part.shape.known:
            values.append(m.beside(part))
            continue
        text = m.value(part)
        if text.isidentifier() and text[0] == "x":
            values.append(text)
            tests.append(f"{text} is not None")
            continue
        name = m.temporary()
        values.append(name)
        tests.append(f"({name} := {text}) is not None")
    return values, tests


def few_of(m: Writer, name: str, query: Expression) -> str:
    """Return text that names a list, and is true where it is null or has at most one element."""
    if query.shape.known:
        return f"len({name} := {m.value(query)}) < 2"
    return f"({name} := {m.value(query)}) is None or len({name}) < 2"


def coerced(part: Expression, target: ElmType) -> Expression:
    """Return the expression with values that tell their own type where the target type is open."""
    wrap = wrapper(part.type, target)
    return part if wrap is None else lenient(wrap, target, part)


def joined(parts: list[Expression]) -> tuple[list[Expression], ElmType, Shape]:
    """Return branches, the type that holds the value of any of them, and the shape of all."""
    type_ = choice(part.type for part in parts)
    same = [coerced(part, type_) for part in parts]
    return same, type_, any_of(part.shape for part in same)
