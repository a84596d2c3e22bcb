"""An ELM library, ready to evaluate.

What it declares, what it retrieves, and sessions over a patient.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from ivfhir.errors import KnowledgeError
from ivfhir.expressions.elm.program import Program, parameter_type
from ivfhir.expressions.elm.scope import DefineKey, LibraryKey
from ivfhir.expressions.elm.session import Session
from ivfhir.expressions.elm.types import cql_name
from ivfhir.expressions.index import CodePair, ResourceIndex
from ivfhir.expressions.values.value import Value


@dataclass(frozen=True, slots=True)
class ParameterInfo:
    """A parameter that a library declares.

    Args:
        name: its name.
        type_name: CQL type without namespace, such as `Integer`; for types that are not named, a
            description.
        has_default: it has a value when none is given.
    """

    name: str
    type_name: str
    has_default: bool


class ElmLibrary:
    """A compiled library. Make it with `load_libraries`.

    Args:
        program: the libraries it was compiled with.
        key: its name and version.
    """

    def __init__(self, program: Program, key: LibraryKey) -> None:
        """Keep the program; nothing is computed yet."""
        self._program = program
        self._key = key
        self._elm = program.libraries[key]
        self._reached = reachable(program, key)

    @property
    def name(self) -> str:
        """The library's name."""
        return self._key[0]

    @property
    def version(self) -> str | None:
        """The library's version."""
        return self._key[1]

    @property
    def key(self) -> LibraryKey:
        """The library's name and version."""
        return self._key

    @property
    def defines(self) -> tuple[str, ...]:
        """Names of the defines, in the order of the source; functions and the context are none."""
        contexts = {c["name"] for c in self._elm.get("contexts", {}).get("def", [])}
        statements = self._elm.get("statements", {}).get("def", [])
        named = (s["name"] for s in statements if s.get("type") != "FunctionDef")
        return tuple(name for name in named if name not in contexts)

    def type_of(self, define: str) -> str | None:
        """Return the type of a define as CQL writes it; None when there is none of that name.

        A tuple is `Tuple`, whatever its elements; what ELM does not tell is `Any`.
        """
        cell = self._program.cells.get(("define", self._key, define))
        return None if cell is None else cql_name(cell.type)

    @cached_property
    def parameters(self) -> Mapping[str, ParameterInfo]:
        """The parameters that this library and the ones it includes declare, by name."""
        found: dict[str, ParameterInfo] = {}
        for key in self._reached:
            for d in self._program.libraries[key].get("parameters", {}).get("def", []):
                type_name = str(parameter_type(d)).removeprefix("System.")
                found.setdefault(d["name"], ParameterInfo(d["name"], type_name, "default" in d))
        return found

    @property
    def value_sets(self) -> frozenset[str]:
        """Canonicals of the value sets that the defines of this library use.

        Through everything they call.
        """
        used = self._uses((("define", self._key, name) for name in self.defines), frozenset())
        return frozenset(use[1] for use in used if use[0] == "value set")

    def retrieved_types(self, define: str, *, stop: Collection[DefineKey] = ()) -> frozenset[str]:
        """Return the FHIR types that a define retrieves, itself or through what it calls.

        Args:
            define: name of a define of this library.
            stop: library and name of defines whose own retrieves do not count: it is not looked
                into them.

        Raises:
            KnowledgeError: there is no define of that name.
        """
        key = ("define", self._key, define)
        if key not in self._program.cells:
            raise KnowledgeError(f"{self.name} has no define {define}")
        used = self._uses((key,), frozenset(stop) - {(self._key, define)})
        return frozenset(use for use in used if isinstance(use, str))

    def _uses(
        self, keys: Iterable[tuple[Value, ...]], stop: frozenset[DefineKey]
    ) -> Iterator[Value]:
        """Give what defines and functions use, through everything they call.

        But not through some defines.
        """
        waiting, seen = list(keys), set[Value]()
        while waiting:
            key = waiting.pop()
            if key in seen:
                continue
            seen.add(key)
            for use in self._program.cells[key].uses:
                if isinstance(use, str) or use[0] == "value set":
                    yield use
                elif use[0] == "function" or use[1:] not in stop:
                    waiting.append(use)

    def session(
        self,
        index: ResourceIndex,
        *,
        parameters: Mapping[str, Value] | None = None,
        preset: Mapping[DefineKey, Value] | None = None,
        value_sets: Mapping[str, Collection[CodePair]] | None = None,
    ) -> Session:
        """Return an evaluation of this library over one patient.

        Args:
            index: the patient's resources.
            parameters: values by name; each reaches every included library that declares the name.
            preset: values of defines by library and name: such a define is not computed.
            value_sets: canonical -> codes; None takes those of the index.

        Raises:
            ParameterError: a parameter is not declared, or its value is of the wrong type.
            KnowledgeError: a preset names no define.
        """
        return Session(
            self._program,
            self._key,
            index,
            reached=self._reached,
            parameters=parameters or {},
            preset=preset or {},
            value_sets=value_sets,
        )


def reachable(program: Program, key: LibraryKey) -> tuple[LibraryKey, ...]:
    """Return a library and all that it includes, itself first."""
    found: dict[LibraryKey, None] = {}
    waiting = [key]
    while waiting:
        current = waiting.pop(0)
        if current in found:
            continue
        found[current] = None
        for include in program.libraries[current].get("includes", {}).get("def", []):
            name, version = include["path"].split("/")[-1], include.get("version")
            waiting.extend(k for k in program.libraries if k[0] == name and version in (k[1], None))
    return tuple(found)


def load_libraries(libraries: Iterable[Mapping[str, Value]]) -> Mapping[LibraryKey, ElmLibrary]:
    """Return the libraries compiled, by name and version; includes are resolved among them.

    Args:
        libraries: parsed ELM JSON of each library (parse decimals as they are: literals are strings
            in ELM).

    Raises:
        UnsupportedError: an operator is not supported; the message has library, define and place.
        KnowledgeError: an include or a name is missing, or a define needs itself.
    """
    program = Program(dict(library) for library in libraries)
    return {key: ElmLibrary(program, key) for key in program.libraries}
