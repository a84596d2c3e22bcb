"""What the front end knows while a node is compiled: the library, the define, its local names."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NoReturn, Protocol

from ivfhir.errors import UnsupportedError
from ivfhir.expressions.elm.code import Body, Expression, RefusedError, of_slot
from ivfhir.expressions.elm.shapes import OPEN, Shape
from ivfhir.expressions.elm.types import ElmType
from ivfhir.expressions.values.value import Value

Node = dict[str, Value]
LibraryKey = tuple[str, str | None]
"""Name and version of a library."""
NodeCompiler = Callable[["Scope", Node], Expression]
DefineKey = tuple[LibraryKey, str]
"""A define: its library and its name."""


class Callee(Protocol):
    """A define or function that is called: where it is in memory, its type, what it computes."""

    key: tuple[Value, ...]
    slot: int
    type: ElmType
    shape: Shape
    constant: Value
    body: Body | None

    def call(self, memory: list[Value], *arguments: Value) -> Value:
        """Call it, though it may not be compiled yet."""
        ...


class Libraries(Protocol):
    """What names mean in the libraries that are compiled together (see `program`)."""

    computes: list[Callable[[list[Value]], Value]]
    bodies: dict[int, Value]

    def resolve(self, scope: "Scope", node: Node) -> LibraryKey:
        """Return the library that a reference names."""
        ...

    def resolve_in(self, scope: "Scope", node: Node, library: LibraryKey) -> LibraryKey:
        """Return the library that a reference inside another library names."""
        ...

    def definition(self, scope: "Scope", node: Node, library: LibraryKey, section: str) -> Node:
        """Return the definition of a code, concept, value set, code system or parameter."""
        ...

    def expression(self, scope: "Scope", node: Node, library: LibraryKey) -> Callee:
        """Return a define."""
        ...

    def constant_of(self, library: LibraryKey, slot: int) -> Value:
        """Return what a closed library's parameter or define always is; UNSET where it varies."""
        ...

    def parameter(self, scope: "Scope", node: Node, library: LibraryKey) -> tuple[int, ElmType]:
        """Return the place and type of a parameter."""
        ...

    def overload(
        self, scope: "Scope", node: Node, library: LibraryKey, arguments: list[Expression]
    ) -> Node:
        """Return the function that a call means."""
        ...

    def function(self, library: LibraryKey, definition: Node, shapes: tuple[Shape, ...]) -> Callee:
        """Return a function of operands of these shapes."""
        ...

    def scope_of(self, library: LibraryKey, define: str) -> "Scope":
        """Return a new scope for compiling in a library."""
        ...


@dataclass(slots=True)
class Scope:
    """The place where a node is compiled.

    Args:
        program: all libraries that are compiled together.
        library: name and version of the library of the node.
        define: name of the define or function.
        nodes: compiler of each node type.
        names: local names -> slot, type and shape.
        lets: slot -> the let of a query that stands itself where it is asked for.
        size: slots used so far.
        uses: what the define retrieves and calls: FHIR types as strings, defines and functions by
            key.
        inlining: library and name of the functions whose expressions stand around the node.
    """

    program: Libraries
    library: LibraryKey
    define: str
    nodes: Mapping[str, NodeCompiler]
    names: dict[str, tuple[int, ElmType, Shape]] = field(default_factory=dict)
    lets: dict[int, Expression] = field(default_factory=dict)
    size: int = 1
    uses: set[Value] = field(default_factory=set)
    inlining: frozenset[DefineKey] = frozenset()

    def compile(self, node: Node) -> Expression:
        """Return what the node means.

        Raises:
            UnsupportedError: the node's type, or its operands, are not supported.
        """
        compiler = self.nodes.get(node.get("type", ""))
        if compiler is None:
            self.refuse(node, f"operator {node.get('type')} is not supported")
        return self.built(node, compiler, self, node)

    def built(self, node: Node, build: Callable[..., Expression], *given: Value) -> Expression:
        """Return what is built for a node.

        Raises:
            UnsupportedError: its operands are not supported.
        """
        try:
            return build(*given)
        except RefusedError as error:
            self.refuse(node, str(error))

    def compile_all(self, nodes: list[Node]) -> list[Expression]:
        """Return each node compiled."""
        return [self.compile(node) for node in nodes]

    def bind(self, name: str, type_: ElmType, shape: Shape = OPEN) -> int:
        """Return the new slot of a local name."""
        slot = self.size
        self.size += 1
        self.names[name] = (slot, type_, shape)
        return slot

    def unnamed(self) -> int:
        """Return a new slot that no expression can name."""
        self.size += 1
        return self.size - 1

    def local(self, name: str) -> Expression:
        """Return the expression that is a local: an alias, a let or an operand.

        Raises:
            RefusedError: there is none of that name.
        """
        if name not in self.names:
            raise RefusedError(f"there is no {name} here")
        slot, type_, shape = self.names[name]
        return self.lets.get(slot) or of_slot(slot, type_, shape)

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
        raise UnsupportedError(place(self.library[0], self.define, node) + reason) from None


def mentions(node: Value, name: str, kinds: frozenset[str]) -> int:
    """Return in how many places of a node a local name is asked for, by nodes of some types."""
    if isinstance(node, list):
        return sum(mentions(item, name, kinds) for item in node)
    if not isinstance(node, dict):
        return 0
    here = node.get("type") in kinds and node.get("name") == name
    return here + sum(mentions(v, name, kinds) for v in node.values() if isinstance(v, list | dict))


def place(library: str, define: str, node: Node) -> str:
    """Return the beginning of a message about a node: file, define and position."""
    locator = node.get("locator")
    where = f" ({str(locator).split('-', maxsplit=1)[0]})" if locator else ""
    return f"{library}.cql: {define}{where}: "
