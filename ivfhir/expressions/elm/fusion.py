"""Fusion: the body of a define, a function or a clause as one Python function.

Calling a closure for each node costs more than what most nodes do. So a node that can says its own
Python text in terms of the texts of its operands, and the text of a whole body becomes one
function; every other node is called as the closure it is. The text holds no word of a library:
values are bound in the environment of the function, literals are written by `repr`.
"""

from collections.abc import Callable
from typing import Any

from ivfhir.expressions.elm.scope import UNSET, Compiled, Emit, Run
from ivfhir.expressions.values.value import Value

DEEPEST = 20
"""Nodes below this depth get a function of their own: Python limits how deep text may nest."""
LITERALS = (str, int, bool, type(None))


class Fusion:
    """One function in the making: its environment and its temporary names."""

    def __init__(self) -> None:
        """Begin with nothing bound."""
        self.environment: dict[str, Any] = {}
        self._known: dict[int, str] = {}
        self._temporaries = 0
        self._depth = 0

    def name(self, value: Value) -> str:
        """Return the name that a value is bound to."""
        name = self._known.get(id(value))
        if name is None:
            name = self._known[id(value)] = f"k{len(self.environment)}"
            self.environment[name] = value
        return name

    def literal(self, value: Value) -> str:
        """Return the text of a constant."""
        return repr(value) if value.__class__ in LITERALS else self.name(value)

    def temporary(self) -> str:
        """Return a name that is not used yet."""
        self._temporaries += 1
        return f"v{self._temporaries}"

    def value(self, part: Compiled) -> str:
        """Return the text of an expression's value."""
        if part.constant is not UNSET:
            return self.literal(part.constant)
        if part.emit is None:
            return f"{self.name(part.run)}(f)"
        return self._nested(part, part.emit)

    def truth(self, part: Compiled) -> str:
        """Return text that is true in Python exactly when the value is True."""
        if part.truth is None or self._depth >= DEEPEST:
            return f"({self.value(part)} is True)"
        return self._nested(part, part.truth)

    def _nested(self, part: Compiled, emit: Emit) -> str:
        """Return what a part says of itself, one level deeper."""
        if self._depth >= DEEPEST:
            return f"{self.name(fuse(part))}(f)"
        self._depth += 1
        text = emit(self)
        self._depth -= 1
        return text


def fuse(part: Compiled) -> Run:
    """Return an expression as one function of a frame."""
    if part.emit is None or part.slot is not None or part.constant is not UNSET:
        return part.run
    fusion = Fusion()
    text = f"lambda f: {fusion.value(part)}"
    function: Run = eval(text, fusion.environment)  # noqa: S307 - text of this module's making only
    return function


def remember(part: Compiled, slot: int) -> Run:
    """Return what computes an expression and keeps its value in a frame slot."""
    fusion = Fusion()
    text = f"lambda f: [v := {fusion.value(part)}, f.__setitem__({slot}, v)][0]"
    function: Run = eval(text, fusion.environment)  # noqa: S307 - text of this module's making only
    return function


def applied(function: Callable[..., Value], *parts: Compiled) -> Emit:
    """Return the text of a function applied to values, null when any of them is null."""
    return strict(lambda m, values: f"{m.name(function)}({', '.join(values)})", *parts)


def operation(symbol: str, *parts: Compiled) -> Emit:
    """Return the text of a Python operator between two values, null when either is null."""
    return strict(lambda _, values: f"{values[0]} {symbol} {values[1]}", *parts)


def strict(body: Callable[[Fusion, list[str]], str], *parts: Compiled) -> Emit:
    """Return text that is null when any part is, and otherwise `body` of the parts' texts."""

    def emit(m: Fusion) -> str:
        values, tests = guarded(m, parts)
        text = body(m, values)
        return f"({text} if {' and '.join(tests)} else None)" if tests else f"({text})"

    return emit


def strict_truth(body: Callable[[Fusion, list[str]], str], *parts: Compiled) -> Emit:
    """Return text that is true when no part is null and `body` of the parts' texts is true."""

    def emit(m: Fusion) -> str:
        values, tests = guarded(m, parts)
        return f"({' and '.join([*tests, body(m, values)])})"

    return emit


def guarded(m: Fusion, parts: tuple[Compiled, ...]) -> tuple[list[str], list[str]]:
    """Return the texts of values, and the tests that none of them is null."""
    values, tests = [], []
    for part in parts:
        if part.constant is not UNSET and part.constant is not None:
            values.append(m.literal(part.constant))
            continue
        text, name = m.value(part), m.temporary()
        values.append(name)
        tests.append(f"({name} := {text}) is not None")
    return values, tests
