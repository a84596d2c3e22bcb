"""What a node becomes: a typed expression that writes its own Python text.

The texts of a whole define or function become one Python function whose operands, aliases and lets
are Python's own local variables; a query in it is a function beside it. The text holds no word of a
library: values are bound to names in the environment of the functions, literals are written by
`repr`. Where something must be called, it is called by what was compiled from that text.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from ivfhir.errors import UnsupportedError
from ivfhir.expressions.elm.shapes import OPEN, Shape, of_constant
from ivfhir.expressions.elm.types import ElmType
from ivfhir.expressions.values.value import Value

DEEPEST = 20
"""Nodes below this depth get a function of their own: Python limits how deep text may nest."""
LITERALS = (str, int, bool, type(None))
INDEX, OFFSET, CLOCK, TERMS = range(4)
"""Places in a session's memory before those of parameters and defines."""

Memory = list[Value]
"""The values of one session, see `program`."""
Body = Callable[..., Value]
"""A body as a function: of the memory and the operands."""
Text = Callable[["Writer"], str]


class _Unset(tuple[()]):
    """What stands in memory where nothing is computed yet; false, so that text may ask by `or`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSET"


UNSET = _Unset()


class RefusedError(UnsupportedError):
    """Operands that an operator is not supported for; whoever knows the node adds its place."""


@dataclass(frozen=True, slots=True)
class Expression:
    """A typed expression.

    Args:
        type: static type of the value.
        text: writes the Python text of the value.
        constant: the value itself, where it depends on nothing; UNSET otherwise.
        truth: writes the Python text that is true when the value is True.
        shape: what is certain of the value.
        flat: of a list of lists: writes the text of the elements of all of them, in one list.
        some: of a list: writes the text of whether it has an element that is not null.
        at_hand: it may be asked for twice: it is a local, or an element of one.
        parent: for an element of a FHIR type: the expression it is an element of.
        owner: the FHIR type of `parent`.
        path: the element's name in `owner`.
    """

    type: ElmType
    text: Text
    constant: Value = UNSET
    truth: Text | None = None
    shape: Shape = OPEN
    flat: Text | None = None
    some: Text | None = None
    at_hand: bool = False
    parent: "Expression | None" = None
    owner: str = ""
    path: str = ""


def constant(value: Value, type_: ElmType) -> Expression:
    """Return an expression that is always the same value."""
    shape = of_constant(value)
    return Expression(type_, lambda m: m.literal(value), value, shape=shape, at_hand=True)


def of_slot(slot: int, type_: ElmType, shape: Shape = OPEN) -> Expression:
    """Return the expression that is an operand, alias or let."""
    return Expression(type_, lambda m: m.slot(slot), shape=shape, at_hand=True)


class Environment:
    """The names that all functions of one body share, and their texts so far.

    Args:
        label: what stands for the file name of the functions in a traceback.
    """

    def __init__(self, label: str = "<clause>") -> None:
        """Begin with nothing bound."""
        self.label = label
        self.names: dict[str, Any] = {}
        self.functions: list[str] = []
        self._known: dict[int, str] = {}

    def name(self, value: Value) -> str:
        """Return the name that a value is bound to."""
        name = self._known.get(id(value))
        if name is None:
            name = self._known[id(value)] = f"k{len(self.names)}"
            self.names[name] = value
        return name

    def define(self, parameters: Iterable[str], lines: list[str]) -> str:
        """Add a function; return its name."""
        name = f"f{len(self.functions)}"
        self.functions.append("\n ".join([f"def {name}({', '.join(parameters)}):", *lines]))
        return name

    def made(self, name: str) -> Body:
        """Return one of the functions, all of them compiled."""
        code = compile("\n".join(self.functions), self.label, "exec")
        exec(code, self.names)  # noqa: S102 - text of this package's making only
        body: Body = self.names[name]
        return body


class Writer:
    """One function in the making.

    Args:
        environment: shared with the functions beside.
        bound: slots that are local variables.
        outer: the function that calls this one, whose locals it may ask for.
        lets: slot -> let that this function computes when it is asked for.
    """

    def __init__(
        self,
        environment: Environment,
        bound: Iterable[int] = (),
        outer: "Writer | None" = None,
        lets: dict[int, Expression] | None = None,
    ) -> None:
        """Begin an empty function."""
        self.environment = environment
        self.bound = set(bound)
        self.outer = outer
        self.asked: set[int] = set()
        self.lines: list[str] = []
        self._lets = lets or {}
        self._temporaries = 0
        self._most = 0
        self._depth = 0

    def name(self, value: Value) -> str:
        """Return the name that a value is bound to."""
        return self.environment.name(value)

    def literal(self, value: Value) -> str:
        """Return the text of a constant."""
        return repr(value) if value.__class__ in LITERALS else self.name(value)

    def temporary(self) -> str:
        """Return a name that no text around uses."""
        self._temporaries += 1
        self._most = max(self._most, self._temporaries)
        return f"v{self._temporaries}"

    def slot(self, number: int) -> str:
        """Return the text of an operand, alias or let; a let is computed in a line before."""
        if number in self.bound or number in self.asked:
            return f"x{number}"
        if number in self._lets:
            text = self.value(self._lets[number])
            self.lines.append(f"x{number} = {text}")
            self.bound.add(number)
            return f"x{number}"
        if self.outer is None:
            raise LookupError(f"slot {number} is not bound")
        self.outer.slot(number)
        self.asked.add(number)
        return f"x{number}"

    def value(self, part: Expression) -> str:
        """Return the text of an expression's value."""
        return self._nested(part.text)

    def beside(self, part: Expression) -> str:
        """Return the text of a value that is computed while other names of a node are in use."""
        outside, self._most = self._most, self._temporaries
        text = self.value(part)
        self._temporaries = self._most
        self._most = max(self._most, outside)
        return text

    def truth(self, part: Expression) -> str:
        """Return text that is true in Python exactly when the value is True."""
        if part.constant is not UNSET:
            return repr(part.constant is True)
        if part.truth is None:
            return self.value(part) if part.shape.known else f"({self.value(part)} is True)"
        return self._nested(part.truth)

    def _nested(self, text: Text) -> str:
        """Return what a node says of itself; temporaries of its text are free again after it."""
        if self._depth >= DEEPEST:
            return self.inside(lambda inner: inner.statement(f"return {text(inner)}"))
        self._depth += 1
        first = self._temporaries
        written = text(self)
        self._temporaries = first
        self._depth -= 1
        return written

    def statement(self, text: str) -> list[str]:
        """Return a statement after the lets that its text asked for."""
        lines = [*self.lines, text]
        self.lines.clear()
        return lines

    def given(self, slot: int, part: Expression) -> str:
        """Return the text of a function of one local."""
        self.bound.add(slot)
        text = self.value(part)
        self.bound.discard(slot)
        return f"(lambda x{slot}: {text})"

    def inside(
        self, write: Callable[["Writer"], list[str]], lets: dict[int, Expression] | None = None
    ) -> str:
        """Return the call of a function made for a part of this one.

        Args:
            write: the lines of the function.
            lets: slot -> let that it computes when it is asked for.
        """
        inner = Writer(self.environment, (), self, lets)
        lines = write(inner)
        passed = ["m", *(self.slot(n) for n in sorted(inner.asked))]
        return f"{self.environment.define(passed, lines)}({', '.join(passed)})"


def made_define(part: Expression, slot: int, label: str) -> Body:
    """Return a define as a function of the memory that keeps the value there.

    Args:
        part: the expression.
        slot: its place in memory.
        label: what stands for its file name in a traceback.
    """
    environment = Environment(label)
    text = Writer(environment).value(part)
    return environment.made(environment.define(["m"], [f"v = m[{slot}] = {text}", "return v"]))


def made_function(part: Expression, operands: int) -> Body:
    """Return the body of a function as a function of the memory and its operands.

    Args:
        part: the expression.
        operands: how many operands it has, in the slots 1, 2 and so on.
    """
    environment, slots = Environment(), range(1, operands + 1)
    text = Writer(environment, slots).value(part)
    return environment.made(
        environment.define(["m", *(f"x{n}" for n in slots)], [f"return {text}"])
    )
