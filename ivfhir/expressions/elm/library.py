"""An ELM library, ready to evaluate.

What it declares, what it retrieves, and sessions over a patient.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain

from ivfhir.errors import KnowledgeError
from ivfhir.expressions.elm.program import Program, parameter_type
from ivfhir.expressions.elm.scope import DefineKey, LibraryKey
from ivfhir.expressions.elm.session import Session
from ivfhir.expressions.elm.types import cql_name
from ivfhir.expressions.index import CodePair, ResourceIndex, Terminology
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
        self._reached = program.reachable(key)
        self._together: dict[tuple[ElmLibrary, ...], dict[LibraryKey, None]] = {}

    @property
    def program(self) -> Program:
        """The program that it is compiled in."""
        return self._program

    @property
    def key(self) -> LibraryKey:
        """Its name and version."""
        return self._key

    @property
    def name(self) -> str:
        """The library's name."""
        return self._key[0]

    @property
    def version(self) -> str | None:
        """The library's version."""
        return self._key[1]

    @cached_property
    def defines(self) -> tuple[str, ...]:
        """Names of the defines, in the order of the source; functions and the context are none."""
        contexts = {c["name"] for c in self._elm.get("contexts", {}).get("def", [])}
        statements = self._elm.get("statements", {}).get("def", [])
        named = (s["name"] for s in statements if s.get("type") != "FunctionDef")
        return tuple(name for name in named if name not in contexts)

    def has(self, define: str) -> bool:
        """Return whether there is a define of that name."""
        return define in self._program.slots(self._key)

    def type_of(self, define: str) -> str | None:
        """Return the type of a define as CQL writes it; None when there is none of that name.

        A tuple is `Tuple`, whatever its elements; what ELM does not tell is `Any`.
        """
        cell = self._program.cells.get(("define", self._key, define))
        return None if cell is None else cql_name(cell.type)

    @cached_property
    def parameters(self) -> Mapping[str, ParameterInfo]:
        """The parameters that this library and the ones it includes declare, by name."""
        return self._declared(self._reached)

    @cached_property
    def own_parameters(self) -> Mapping[str, ParameterInfo]:
        """The parameters that this library itself declares, by name."""
        return self._declared([self._key])

    def _declared(self, keys: Iterable[LibraryKey]) -> Mapping[str, ParameterInfo]:
        found: dict[str, ParameterInfo] = {}
        for key in keys:
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

    @cached_property
    def used_defines(self) -> frozenset[DefineKey]:
        """The defines of this library, and all that they call."""
        own = [("define", self._key, name) for name in self.defines]
        return frozenset((key[1], key[2]) for key in self._closure(own) if key[0] == "define")

    def called_by(self, define: str) -> frozenset[DefineKey]:
        """Return the defines that a define of this library calls, through everything."""
        reached = self._closure([("define", self._key, define)])
        return frozenset((key[1], key[2]) for key in reached if key[0] == "define")

    def _uses(
        self, keys: Iterable[tuple[Value, ...]], stop: frozenset[DefineKey]
    ) -> Iterator[Value]:
        """Give what defines and functions use, through everything they call.

        But not through some defines.
        """
        for key in self._closure(keys, stop):
            for use in self._program.cells[key].uses:
                if isinstance(use, str) or use[0] == "value set":
                    yield use

    def _closure(
        self, keys: Iterable[tuple[Value, ...]], stop: frozenset[DefineKey] = frozenset()
    ) -> Iterator[tuple[Value, ...]]:
        """Give the keys of defines and functions, and of everything they call, each once."""
        waiting, seen = list(keys), set[Value]()
        while waiting:
            key = waiting.pop()
            if key not in seen:
                seen.add(key)
                yield key
                for use in self._program.cells[key].uses:
                    called = not isinstance(use, str) and use[0] != "value set"
                    if called and (use[0] == "function" or use[1:] not in stop):
                        waiting.append(use)

    def session(
        self,
        index: ResourceIndex,
        *,
        parameters: Mapping[str, Value] | None = None,
        preset: Mapping[DefineKey, Value] | None = None,
        value_sets: Mapping[str, Collection[CodePair]] | None = None,
        beside: Iterable["ElmLibrary"] = (),
    ) -> Session:
        """Return an evaluation of this library over one patient, and of others beside it.

        Args:
            index: the patient's resources.
            parameters: values by name; each reaches every library that declares the name, of these
                and of those that they include.
            preset: values of defines, by library and name: such a define is not computed.
            value_sets: canonical -> codes; None takes those of the index, and where it has none,
                those that were linked with the libraries.
            beside: libraries of the same program whose values are wanted too (`Session.of`).

        Raises:
            ParameterError: a parameter is not declared, or its value is of the wrong type.
            KnowledgeError: a preset names no define.
        """
        beside = tuple(beside)
        reached = self._together.get(beside)
        if reached is None:
            every = (library._reached for library in beside)
            reached = self._together[beside] = dict.fromkeys(chain(self._reached, *every))
        given = index.value_sets if value_sets is None else value_sets
        return Session.begin(
            self._program,
            reached,
            index,
            parameters=parameters or {},
            preset=preset or {},
            terminology=Terminology(given) if given else self._program.terminology,
        )


def load_libraries(libraries: Iterable[Mapping[str, Value]]) -> Mapping[LibraryKey, ElmLibrary]:
    """Return the libraries compiled, by name and version; includes are resolved among them.

    Args:
        libraries: parsed ELM JSON of each library (parse decimals as they are: literals are strings
            in ELM).

    Raises:
        UnsupportedError: an operator is not supported; the message has library, define and place.
        KnowledgeError: an include or a name is missing, or a define needs itself.
    """
    program = Program()
    program.link(dict(library) for library in libraries)
    return {key: ElmLibrary(program, key) for key in program.libraries}
