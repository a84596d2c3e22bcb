"""What a node compiler knows: the library, the define, its local names; and what it makes.

A compiled expression is a function of a frame, a list. Frame slot 0 is the memory of the session
(see `session`); the others hold the operands, aliases and lets of one define or function, each at a
place fixed when compiling.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from ivfhir.errors import UnsupportedError
from ivfhir.expressions.elm.types import ElmType
from ivfhir.expressions.values.value import Value

if TYPE_CHECKING:
    from ivfhir.expressions.elm.fusion import Fusion
    from ivfhir.expressions.elm.program import Program

Node = dict[str, Value]
Frame = list[Value]
Run = Callable[[Frame], Value]
Reader = Callable[[Value], Value]
Emit = Callable[["Fusion"], str]
LibraryKey = tuple[str, str | None]
"""Name and version of a library."""

INDEX, OFFSET, CLOCK, TERMS = range(4)
"""Places in a session's memory before those of parameters and defines."""


class _Unset:
    """What stands in memory where nothing is computed yet."""

    def __repr__(self) -> str:
        return "UNSET"


UNSET = _Unset()


@dataclass(frozen=True, slots=True)
class Compiled:
    """A compiled expression.

    Args:
        run: computes the value from a frame.
        type: static type of the value.
        constant: the value itself, where it depends on nothing; UNSET otherwise.
        slot: the frame slot that is the value, where the expression only names a local.
        parent: for an element of a FHIR type: the expression it is an element of.
        owner: the FHIR type of `parent`.
        path: the element's name in `owner`.
        emit: the Python text of the value (see `fusion`); None where only the closure will do.
        truth: the Python text that is true when the value is True.
    """

    run: Run
    type: ElmType
    constant: Value = UNSET
    slot: int | None = None
    parent: "Compiled | None" = None
    owner: str = ""
    path: str = ""
    emit: "Emit | None" = None
    truth: "Emit | None" = None


def constant(value: Value, type_: ElmType) -> Compiled:
    """Return an expression that is always the same value."""
    return Compiled(lambda _: value, type_, constant=value)


NodeCompiler = Callable[["Scope", Node], Compiled]


@dataclass(slots=True)
class Scope:
    """The place where a node is compiled.

    Args:
        program: all libraries that are compiled together.
        library: name and version of the library of the node.
        define: name of the define or function.
        nodes: compiler of each node type.
        names: local names -> frame slot and type.
        lets: frame slot of a query's let -> it, and what computes and keeps it in a frame; None
            for a let that is asked for once.
        size: slots of the frame used so far.
        uses: what the define retrieves and calls: FHIR types as strings, defines and functions by
            key.
    """

    program: "Program"
    library: LibraryKey
    define: str
    nodes: Mapping[str, NodeCompiler]
    names: dict[str, tuple[int, ElmType]] = field(default_factory=dict)
    lets: dict[int, "tuple[Compiled, Run | None]"] = field(default_factory=dict)
    size: int = 1
    uses: set[Value] = field(default_factory=set)

    def compile(self, node: Node) -> Compiled:
        """Return the compiled node.

        Raises:
            UnsupportedError: the node's type is not one that is known.
        """
        compiler = self.nodes.get(node.get("type", ""))
        if compiler is None:
            self.refuse(node, f"operator {node.get('type')} is not supported")
        return compiler(self, node)

    def compile_all(self, nodes: list[Node]) -> list[Compiled]:
        """Return each node compiled."""
        return [self.compile(node) for node in nodes]

    def bind(self, name: str, type_: ElmType) -> int:
        """Return the new frame slot of a local name."""
        slot = self.size
        self.size += 1
        self.names[name] = (slot, type_)
        return slot

    def unnamed(self) -> int:
        """Return a new frame slot that no expression can name."""
        self.size += 1
        return self.size - 1

    @contextmanager
    def inner(self) -> Iterator[None]:
        """Forget the names bound inside the block when it ends."""
        saved = dict(self.names)
        yield
        self.names = saved

    def refuse(self, node: Node, reason: str) -> NoReturn:
        """Refuse the library because of a node.

        Raises:
            UnsupportedError: always; names library, define and place.
        """
        raise UnsupportedError(place(self.library[0], self.define, node) + reason)


def place(library: str, define: str, node: Node) -> str:
    """Return the beginning of a message about a node: file, define and position."""
    locator = node.get("locator")
    where = f" ({str(locator).split('-', maxsplit=1)[0]})" if locator else ""
    return f"{library}.cql: {define}{where}: "
