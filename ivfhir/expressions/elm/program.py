"""Libraries compiled together.

Names resolved, defines and functions compiled once, places in memory given out.

A session's memory is a list. Its first places are of the session itself (`code.INDEX` and so on),
then every parameter and define of every library has one.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from ivfhir.errors import KnowledgeError
from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.check import check_nodes
from ivfhir.expressions.elm.code import (
    TERMS,
    UNSET,
    Body,
    Expression,
    constant,
    made_define,
    made_function,
)
from ivfhir.expressions.elm.overloads import distance, operand_types, specifier_of
from ivfhir.expressions.elm.scope import LibraryKey, Node, Scope, place
from ivfhir.expressions.elm.shapes import OPEN, Shape, is_structure
from ivfhir.expressions.elm.table import NODES
from ivfhir.expressions.index import Terminology
from ivfhir.expressions.values.value import Value

SectionKey = tuple[LibraryKey, str, str]
Compute = Callable[[list[Value]], Value]

NONE: Mapping[tuple[str, str], Value] = MappingProxyType({})

DEFINE = "define "
"""The beginning of what stands for the file name of a define in a traceback."""
SECTIONS = ("codeSystems", "valueSets", "codes", "concepts", "parameters")


@dataclass(slots=True)
class Cell:
    """A define or function, compiled.

    Args:
        key: ("define", library, name), or ("function", library, name, number, variant).
        slot: its place in memory; 0 for a function, which has none.
        type: static type of its value.
        shape: what is certain of it.
        constant: the list or tuple that it always is; UNSET where it varies.
        uses: what it retrieves (FHIR types) and the keys of what it calls.
        body: computes the value from the memory and the operands.
    """

    key: tuple[Value, ...]
    slot: int = 0
    type: t.ElmType = t.ANY
    shape: Shape = OPEN
    constant: Value = UNSET
    uses: set[Value] = field(default_factory=set)
    body: Body | None = None

    def take(self, compiled: Expression, scope: Scope) -> None:
        """Keep what was found out of its expression."""
        self.type, self.shape = compiled.type, compiled.shape
        self.constant = compiled.constant if is_structure(compiled.type) else UNSET
        self.uses = scope.uses

    def call(self, memory: list[Value], *arguments: Value) -> Value:
        """Call a function that was not compiled yet when its call was."""
        return self.body(memory, *arguments) if self.body else None


class Program:
    """Libraries that are compiled together, each name and version once; more may be linked later.

    Attributes:
        libraries: the ELM of each, by name and version.
        computes: what computes the value of each place in memory.
        template: the memory with which a session begins.
        cells: every define and function, compiled.
        terminology: the codes of the value sets that sessions use when they are given none.
        bodies: what is noted of functions, by the identity of their definitions.
        given: library and parameter -> the value that stands for its default.
        closed: names of libraries whose parameters keep their default: it is compiled as a
            constant, and no session may give another value.
    """

    def __init__(
        self,
        *,
        given: Mapping[tuple[str, str], Value] = NONE,
        closed: Collection[str] = (),
    ) -> None:
        """Begin without libraries."""
        self.given, self.closed = given, closed
        self.libraries: dict[LibraryKey, Node] = {}
        self.computes: list[Compute] = [_never] * (TERMS + 1)
        self.template: list[Value] = [None] * (TERMS + 1)
        self.cells: dict[tuple[Value, ...], Cell] = {}
        self._sections: dict[SectionKey, Node] = {}
        self._defines: dict[tuple[LibraryKey, str], Node] = {}
        self._functions: dict[tuple[LibraryKey, str], list[Node]] = {}
        self._slots: dict[LibraryKey, dict[str, int]] = {}
        self._parameters: dict[str, dict[LibraryKey, tuple[int, t.ElmType]]] = {}
        self._variants: dict[tuple[LibraryKey, str, int], dict[tuple[Shape, ...], int]] = {}
        self.bodies: dict[int, Value] = {}
        self._compiling: set[tuple[Value, ...]] = set()
        self.terminology = Terminology({})

    def link(self, documents: Iterable[Node]) -> None:
        """Take libraries in, and compile all their defines; all of them, or none.

        Args:
            documents: parsed ELM, `{"library": {...}}` or what is inside. What is here already
                stays as it is.

        Raises:
            UnsupportedError: a library uses an operator that is not known.
            KnowledgeError: an include is missing, a name is not defined, a define needs itself, or
                another library of that name and version is here.
        """
        new = dict(self._new(document.get("library", document) for document in documents))
        try:
            for key, elm in new.items():
                self._add(key, elm)
            for library, name in [each for each in self._defines if each[0] in new]:
                self._compile_define(library, name)
        except BaseException:
            self._forget(new)
            raise

    def _new(self, libraries: Iterable[Node]) -> Iterator[tuple[LibraryKey, Node]]:
        """Yield the libraries that are not here, by name and version."""
        for elm in libraries:
            key = (elm["identifier"]["id"], elm["identifier"].get("version"))
            if key not in self.libraries:
                yield key, elm
            elif self.libraries[key] is not elm and self.libraries[key] != elm:
                raise KnowledgeError(
                    f"There are two libraries {key[0]} {key[1] or ''}, and they differ; "
                    "give one of them another name or version."
                )

    def _forget(self, keys: Collection[LibraryKey]) -> None:
        """Remove libraries, with what was being compiled; their places in memory stay empty."""
        self._compiling.clear()
        named: list[dict[Any, Any]] = [self._sections, self._defines, self._functions]
        for table in named:
            for entry in [entry for entry in table if entry[0] in keys]:
                del table[entry]
        whole: list[dict[LibraryKey, Any]] = [self.libraries, self._slots]
        for each in (*whole, *self._parameters.values()):
            for key in keys:
                each.pop(key, None)
        for called, cell in list(self.cells.items()):
            if called[1] in keys or (called[0] == "function" and cell.body is None):
                del self.cells[called]

    def _add(self, key: LibraryKey, elm: Node) -> None:
        """Take a library in: its definitions by name, and a place for each parameter and define."""
        self.libraries[key] = elm
        slots = self._slots[key] = {}
        for section in SECTIONS:
            for definition in elm.get(section, {}).get("def", []):
                self._sections[key, section, definition["name"]] = definition
                if section == "parameters":
                    check_nodes(key[0], definition["name"], definition.get("default"))
                    at = (self._place(), parameter_type(definition))
                    self._parameters.setdefault(definition["name"], {})[key] = at
        for definition in elm.get("statements", {}).get("def", []):
            name = definition["name"]
            check_nodes(key[0], name, definition.get("expression"))
            if definition.get("type") == "FunctionDef":
                self._functions.setdefault((key, name), []).append(definition)
            elif "expression" in definition:
                self._defines[key, name] = definition
                slots[name] = self._place()

    def _place(self) -> int:
        """Return a new place in memory."""
        self.template.append(UNSET)
        self.computes.append(_never)
        return len(self.template) - 1

    @property
    def defines(self) -> Collection[tuple[LibraryKey, str]]:
        """Every define, by library and name."""
        return self._defines.keys()

    def slots(self, library: LibraryKey) -> Mapping[str, int]:
        """Return the place of each define of a library in memory, by name."""
        return self._slots.get(library, {})

    def scope_of(self, library: LibraryKey, define: str) -> Scope:
        """Return a new scope for compiling in a library."""
        return Scope(self, library, define, NODES)

    def resolve(self, scope: Scope, node: Node) -> LibraryKey:
        """Return the library that a reference names; the scope's own where it names none."""
        return self.resolve_in(scope, node, scope.library)

    def resolve_in(self, scope: Scope, node: Node, library: LibraryKey) -> LibraryKey:
        """Return the library that a reference inside another library names."""
        alias = node.get("libraryName")
        if alias is None:
            return library
        for include in includes(self.libraries[library]):
            if include["localIdentifier"] == alias:
                found = self.included(include)
                wanted = f"{include['path'].split('/')[-1]} {include.get('version') or ''}".strip()
                problem = "is missing" if not found else "is here in several versions; name one"
                if len(found) == 1:
                    return found[0]
                raise KnowledgeError(
                    place(scope.library[0], scope.define, node) + f"library {wanted} {problem}"
                )
        raise KnowledgeError(
            place(scope.library[0], scope.define, node) + f"{alias} is not included"
        )

    def included(self, include: Node) -> list[LibraryKey]:
        """Return the libraries that an include can mean: several where it names no version."""
        name, version = include["path"].split("/")[-1], include.get("version")
        return [key for key in self.libraries if key[0] == name and version in (key[1], None)]

    def reachable(self, library: LibraryKey) -> tuple[LibraryKey, ...]:
        """Return a library and all that it includes, itself first."""
        found: dict[LibraryKey, None] = {}
        waiting = [library]
        while waiting:
            current = waiting.pop(0)
            if current not in found:
                found[current] = None
                for include in includes(self.libraries[current]):
                    waiting.extend(self.included(include))
        return tuple(found)

    def definition(self, scope: Scope, node: Node, library: LibraryKey, section: str) -> Node:
        """Return the definition of a code, concept, value set, code system or parameter."""
        found = self._sections.get((library, section, node["name"]))
        if found is None:
            message = f"{node['name']} is not defined among the {section} of {library[0]}"
            raise KnowledgeError(place(scope.library[0], scope.define, node) + message)
        return found

    def expression(self, scope: Scope, node: Node, library: LibraryKey) -> Cell:
        """Return a define, compiled."""
        name = node["name"]
        if (library, name) not in self._defines:
            message = f"{name} is not defined in {library[0]}"
            raise KnowledgeError(place(scope.library[0], scope.define, node) + message)
        return self._compile_define(library, name)

    def _compile_define(self, library: LibraryKey, name: str) -> Cell:
        """Return a define, compiled if it was not yet."""
        key = ("define", library, name)
        cell = self.cells.get(key)
        if cell is not None and key not in self._compiling:
            return cell
        if key in self._compiling:
            raise KnowledgeError(f"{library[0]}.cql: {name}: the define needs itself")
        self._compiling.add(key)
        cell = self.cells[key] = Cell(key, self._slots[library][name])
        scope = self.scope_of(library, name)
        compiled = scope.compile(self._defines[library, name]["expression"])
        cell.take(compiled, scope)
        self.template[cell.slot] = compiled.constant
        label = f"{DEFINE}{library[0]}: {name}"
        self.computes[cell.slot] = made_define(compiled, cell.slot, label)
        self._compiling.discard(key)
        return cell

    def parameter(self, scope: Scope, node: Node, library: LibraryKey) -> tuple[int, t.ElmType]:
        """Return the place and type of a parameter; its default is compiled the first time."""
        definition = self.definition(scope, node, library, "parameters")
        slot, type_ = self._parameters[node["name"]][library]
        if self.computes[slot] is _never:
            self._compile_default(library, definition, slot)
        return slot, type_

    def parameter_places(self, name: str) -> Mapping[LibraryKey, tuple[int, t.ElmType]]:
        """Return the place in memory and the type of a parameter in each library that has it."""
        return self._parameters.get(name, {})

    def constant_of(self, library: LibraryKey, slot: int) -> Value:
        """Return what a closed library's parameter or define always is; UNSET where it varies."""
        return self.template[slot] if library[0] in self.closed else UNSET

    def _compile_default(self, library: LibraryKey, definition: Node, slot: int) -> None:
        """Compile the default of a parameter; null when it has none."""
        name = definition["name"]
        scope = self.scope_of(library, name)
        default, own = definition.get("default"), (library[0], name)
        compiled = scope.compile(default) if default else constant(None, t.NULL)
        if own in self.given:
            compiled = constant(self.given[own], compiled.type)
        if library[0] in self.closed:
            self.template[slot] = compiled.constant
        label = f"{DEFINE}{library[0]}: {name}"
        self.computes[slot] = made_define(compiled, slot, label)

    def overload(
        self, scope: Scope, node: Node, library: LibraryKey, arguments: list[Expression]
    ) -> Node:
        """Return the function that a call means.

        By name, number of operands, signature, types of operands.
        """
        candidates = [
            candidate
            for candidate in self._functions.get((library, node["name"]), [])
            if len(candidate.get("operand", [])) == len(arguments)
        ]
        if len(candidates) > 1:
            wanted = [t.from_specifier(specifier) for specifier in node.get("signature", [])]
            types = wanted or [argument.type for argument in arguments]
            candidates.sort(key=lambda candidate: distance(types, operand_types(candidate)))
        if not candidates:
            message = f"function {node['name']} is not defined in {library[0]}"
            raise KnowledgeError(place(scope.library[0], scope.define, node) + message)
        if candidates[0].get("external") or "expression" not in candidates[0]:
            scope.refuse(node, f"external function {node['name']} is not supported")
        return candidates[0]

    def function(self, library: LibraryKey, definition: Node, shapes: tuple[Shape, ...]) -> Cell:
        """Return a function of operands of these shapes, compiled if it was not yet.

        A recursive one has its declared type meanwhile.
        """
        name = definition["name"]
        number = self._functions[library, name].index(definition)
        variants = self._variants.setdefault((library, name, number), {})
        key = ("function", library, name, number, variants.setdefault(shapes, len(variants)))
        if key in self.cells:
            return self.cells[key]
        cell = self.cells[key] = Cell(key, type=declared_type(definition))
        scope = self.scope_of(library, name)
        for operand, shape in zip(definition.get("operand", []), shapes, strict=True):
            scope.bind(operand["name"], t.from_specifier(specifier_of(operand)), shape)
        compiled = scope.compile(definition["expression"])
        cell.take(compiled, scope)
        cell.body = made_function(compiled, len(definition.get("operand", [])))
        return cell


def includes(library: Node) -> list[Node]:
    """Return what a library includes, as it is written there."""
    found: list[Node] = library.get("includes", {}).get("def", [])
    return found


def parameter_type(definition: Node) -> t.ElmType:
    """Return the type of a parameter, however the translator wrote it."""
    if "parameterTypeSpecifier" in definition:
        return t.from_specifier(definition["parameterTypeSpecifier"])
    if "parameterType" in definition:
        return t.named(definition["parameterType"])
    return declared_type(definition)


def declared_type(definition: Node) -> t.ElmType:
    """Return the type that the translator noted for a definition, Any when it noted none."""
    if "resultTypeName" in definition:
        return t.named(definition["resultTypeName"])
    return t.from_specifier(definition.get("resultTypeSpecifier"))


def failing_define(error: BaseException) -> str:
    """Return library and name of the define that was being computed when an error arose."""
    found = ""
    trace = error.__traceback__
    while trace is not None:
        label = trace.tb_frame.f_code.co_filename
        found = label.removeprefix(DEFINE) if label.startswith(DEFINE) else found
        trace = trace.tb_next
    return found


def _never(memory: list[Value]) -> Value:
    """Stand where nothing is compiled."""
    raise AssertionError("not compiled")
