"""Fusion: the body of a define, a function or a clause as one Python function.

Calling a closure for each node costs more than what most nodes do. So a node that can says its own
Python text in terms of the texts of its operands, and the text of a whole body becomes one function
whose operands, aliases and lets are Python's own local variables. Every other node is called as the
closure it is, over a frame made for it. The text holds no word of a library: values are bound in
the environment of the function, literals are written by `repr`.
"""

from collections.abc import Callable, Iterable
from typing import Any

from ivfhir.expressions.elm.scope import UNSET, Compiled, Emit, Run
from ivfhir.expressions.values.value import Value

DEEPEST = 20
"""Nodes below this depth get a function of their own: Python limits how deep text may nest."""
LITERALS = (str, int, bool, type(None))
Body = Callable[..., Value]
"""A body as a function: of the memory and the operands."""


class Environment:
    """The names that all functions of one body share, and the functions made so far.

    Args:
        label: what stands for the file name of the functions in a traceback.
    """

    def __init__(self, label: str = "<clause>") -> None:
        """Begin with nothing bound."""
        self.label = label
        self.names: dict[str, Any] = {}
        self._known: dict[int, str] = {}

    def name(self, value: Value) -> str:
        """Return the name that a value is bound to."""
        name = self._known.get(id(value))
        if name is None:
            name = self._known[id(value)] = f"k{len(self.names)}"
            self.names[name] = value
        return name

    def function(self, text: str) -> Body:
        """Return the function that the text defines; it is called `made` there."""
        made: dict[str, Body] = {}
        code = compile(text, self.label, "exec")
        exec(code, self.names, made)  # noqa: S102 - text of this module's making only
        return made["made"]


class Fusion:
    """One function in the making.

    Args:
        environment: shared with the functions inside.
        size: slots of the frame that closures are given.
        bound: slots that are local variables; None for a function of a frame, where all are in it.
        outer: the function around this one, whose locals it may ask for.
    """

    def __init__(
        self,
        environment: Environment,
        size: int = 1,
        bound: Iterable[int] | None = (),
        outer: "Fusion | None" = None,
    ) -> None:
        """Begin an empty function."""
        self.environment = environment
        self.size = size
        self.bound = None if bound is None else set(bound)
        self.outer = outer
        self.asked: set[int] = set()
        self.lines: list[str] = []
        self._lets: dict[int, Compiled] = {}
        self._temporaries = 0
        self._depth = 0

    @property
    def memory(self) -> str:
        """The text of the session's memory."""
        return "f[0]" if self.bound is None else "m"

    def name(self, value: Value) -> str:
        """Return the name that a value is bound to."""
        return self.environment.name(value)

    def literal(self, value: Value) -> str:
        """Return the text of a constant."""
        return repr(value) if value.__class__ in LITERALS else self.name(value)

    def temporary(self) -> str:
        """Return a name that no text around uses."""
        self._temporaries += 1
        return f"v{self._temporaries}"

    def slot(self, number: int) -> str:
        """Return the text of an operand, alias or let."""
        if self.bound is None:
            return f"f[{number}]"
        if number not in self.bound:
            if self.outer is None:
                raise LookupError(f"slot {number} is not bound")
            self.outer.slot(number)
            self.asked.add(number)
        return f"x{number}"

    def let(self, number: int) -> str | None:
        """Return the text of a let, computed in a line before; None where it is in a frame."""
        if self.bound is None:
            return None
        if number in self.bound or number in self.asked:
            return f"x{number}"
        if number in self._lets:
            text = self.value(self._lets[number])
            self.lines.append(f"x{number} = {text}")
            self.bound.add(number)
            return f"x{number}"
        if self.outer is None or self.outer.let(number) is None:
            return None
        return self.slot(number)

    def frame(self) -> str:
        """Return the text of the frame for a closure: what is not known yet is unset there."""
        if self.bound is None:
            return "f"
        visible = self.visible()
        slots = [self.slot(n) if n in visible else "U" for n in range(1, self.size)]
        self.environment.names["U"] = UNSET
        return f"[{', '.join([self.memory, *slots])}]"

    def visible(self) -> set[int]:
        """Return the slots that are local variables here or around."""
        around = self.outer.visible() if self.outer is not None else set()
        return around | (self.bound or set())

    def value(self, part: Compiled) -> str:
        """Return the text of an expression's value."""
        if part.constant is not UNSET:
            return self.literal(part.constant)
        if part.emit is None:
            return f"{self.name(part.run)}({self.frame()})"
        return self._nested(part.emit)

    def truth(self, part: Compiled) -> str:
        """Return text that is true in Python exactly when the value is True."""
        if part.truth is None:
            return f"({self.value(part)} is True)"
        return self._nested(part.truth)

    def _nested(self, emit: Emit) -> str:
        """Return what a node says of itself; temporaries of its text are free again after it."""
        if self._depth >= DEEPEST:
            return self.inside(lambda inner: [f"return {emit(inner)}"])
        self._depth += 1
        first = self._temporaries
        text = emit(self)
        self._temporaries = first
        self._depth -= 1
        return text

    def inside(
        self,
        write: Callable[["Fusion"], list[str]],
        arguments: dict[str, str] | None = None,
        lets: dict[int, Compiled] | None = None,
    ) -> str:
        """Return the call of a function made for a part of this one.

        Args:
            write: the lines of the function.
            arguments: names of its own parameters -> texts of their values here.
            lets: slot -> let that it computes when it is asked for.
        """
        if self.bound is None:
            inner = Fusion(self.environment, self.size, None)
        else:
            inner = Fusion(self.environment, self.size, (), self)
        inner._lets = lets or {}
        lines = write(inner)
        passed = {f"x{n}": self.slot(n) for n in sorted(inner.asked)} | (arguments or {})
        given = "f" if self.bound is None else "m"
        head = f"def made({', '.join([given, *passed])}):"
        function = self.environment.function("\n ".join([head, *lines]))
        return f"{self.name(function)}({', '.join([given, *passed.values()])})"


def fuse(part: Compiled) -> Run:
    """Return an expression as one function of a frame."""
    if part.emit is None or part.slot is not None or part.constant is not UNSET:
        return part.run
    environment = Environment()
    text = Fusion(environment, bound=None).value(part)
    return environment.function(f"def made(f):\n return {text}")


def remember(part: Compiled, slot: int) -> Run:
    """Return what computes an expression and keeps its value in a frame slot."""
    environment = Environment()
    text = Fusion(environment, bound=None).value(part)
    return environment.function(f"def made(f):\n v = f[{slot}] = {text}\n return v")


def fuse_define(part: Compiled, size: int, slot: int, label: str) -> Body:
    """Return a define as a function of the memory that keeps the value there.

    Args:
        part: the expression.
        size: slots of the frame that closures in it are given.
        slot: its place in memory.
        label: what stands for its file name in a traceback.
    """
    environment = Environment(label)
    text = Fusion(environment, size).value(part)
    return environment.function(f"def made(m):\n v = m[{slot}] = {text}\n return v")


def fuse_function(part: Compiled, size: int, operands: int) -> Body:
    """Return the body of a function as a function of the memory and its operands.

    Args:
        part: the expression.
        size: slots of the frame that closures in it are given.
        operands: how many operands it has, in the slots 1, 2 and so on.
    """
    environment = Environment()
    slots = range(1, operands + 1)
    text = Fusion(environment, size, slots).value(part)
    head = f"def made({', '.join(['m', *(f'x{n}' for n in slots)])}):"
    return environment.function(f"{head}\n return {text}")


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
        text = m.value(part)
        if text.isidentifier() and text[0] == "x":
            values.append(text)
            tests.append(f"{text} is not None")
            continue
        name = m.temporary()
        values.append(name)
        tests.append(f"({name} := {text}) is not None")
    return values, tests
