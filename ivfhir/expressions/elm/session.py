"""One evaluation: a library over one patient, each define computed at most once."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from ivfhir.errors import EvaluationError, KnowledgeError, ParameterError
from ivfhir.expressions.elm import types as t
from ivfhir.expressions.elm.code import CLOCK, INDEX, OFFSET, TERMS, UNSET
from ivfhir.expressions.elm.program import Program, failing_define
from ivfhir.expressions.elm.scope import DefineKey, LibraryKey
from ivfhir.expressions.elm.shapes import fitted, remembered
from ivfhir.expressions.elm.type_tests import tester
from ivfhir.expressions.index import ResourceIndex, Terminology
from ivfhir.expressions.operators.errors import CqlError
from ivfhir.expressions.values import Date, DateTime, Typed, Uncertain
from ivfhir.expressions.values.value import Value

INSTANT = "AsOf"
"""The parameter that is the instant of the evaluation.

Now(), and the offset of times that have none.
"""


class Session:
    """The values of a library's defines for one patient. Make it with `ElmLibrary.session`.

    Args:
        program: the libraries.
        library: the one whose defines are asked for by name.
        memory: what is known so far; shared with the sessions of other libraries.
        reached: the libraries whose parameters are set in the memory.
    """

    def __init__(
        self,
        program: Program,
        library: LibraryKey,
        memory: list[Value],
        reached: Mapping[LibraryKey, None],
    ) -> None:
        """Keep the memory; nothing is computed yet."""
        self._program = program
        self._library = library
        self._memory = memory
        self._reached = reached
        self._slots = program.slots(library)

    @classmethod
    def begin(
        cls,
        program: Program,
        reached: Mapping[LibraryKey, None],
        index: ResourceIndex,
        *,
        parameters: Mapping[str, Value],
        preset: Mapping[DefineKey, Value],
        terminology: Terminology,
    ) -> "Session":
        """Lay out the memory for libraries and all they include; the session is the first one's."""
        memory = program.template.copy()
        memory[INDEX], memory[OFFSET], memory[TERMS] = index, 0, terminology
        session = cls(program, next(iter(reached)), memory, reached)
        for name, value in parameters.items():
            session._set_parameter(name, value)
        for key, value in preset.items():
            session._preset(key, value)
        return session

    def of(self, library: LibraryKey) -> "Session":
        """Return the session of another library, over the same memory: what is known stays known.

        Raises:
            KnowledgeError: the session was not begun for that library, nor for one that includes
                it.
        """
        if library not in self._reached:
            raise KnowledgeError(f"{library[0]} is no library of this session")
        return Session(self._program, library, self._memory, self._reached)

    def _set_parameter(self, name: str, value: Value) -> None:
        """Put a parameter into the memory of every library that declares it."""
        places = self._program.parameter_places(name)
        declared = [key for key in self._reached if key in places]
        if not declared:
            raise ParameterError(f"{self._library[0]} has no parameter {name}")
        if any(key[0] in self._program.closed for key in declared):
            raise ParameterError(f"parameter {name} is fixed; a site's overlay may change it")
        own = [places[key] for key in declared]
        values = {type_: as_parameter(name, value, type_) for _, type_ in own}
        for slot, type_ in own:
            self._memory[slot] = given = values[type_]
            if name == INSTANT and isinstance(given, DateTime):
                self._memory[CLOCK] = given
                self._memory[OFFSET] = given.offset or 0

    def _preset(self, key: DefineKey, value: Value) -> None:
        """Put the value of a define into memory."""
        slot = self._program.slots(key[0]).get(key[1])
        if slot is None:
            raise KnowledgeError(f"{key[0][0]} has no define {key[1]} to preset")
        cell = self._program.cells["define", *key]
        if cell.constant is not UNSET:
            raise KnowledgeError(f"{key[1]} of {key[0][0]} is always the same; it takes no preset")
        try:
            self._memory[slot] = fitted(value, remembered(cell.shape, cell.type), cell.type)
        except ValueError:
            raise KnowledgeError(f"{key[1]} of {key[0][0]} is never null; preset a value") from None

    def value(self, define: str, library: LibraryKey | None = None) -> Value:
        """Return the value of a define, computed the first time it is asked for.

        Args:
            define: its name.
            library: name and version of the library that has it; None is the session's own.

        Returns:
            None, bool, int, Decimal, str, a value of `ivfhir.expressions.values`, a list, a dict
            for a tuple, or the JSON of a resource or element. A number known only as a range is
            None.

        Raises:
            KnowledgeError: there is no define of that name.
            EvaluationError: it failed on this patient's data; names library and define.
        """
        slots = self._slots if library is None else self._program.slots(library)
        slot = slots.get(define)
        if slot is None:
            raise KnowledgeError(f"{(library or self._library)[0]} has no define {define}")
        value = self._memory[slot]
        return plain(self._computed(slot) if value is UNSET else value)

    def _computed(self, slot: int) -> Value:
        """Return the value of the define at a place in memory, computed now."""
        try:
            return self._program.computes[slot](self._memory)
        except CqlError as error:
            raise EvaluationError(f"{failing_define(error)}: {error}") from error
        except Exception as error:
            reason = f"{type(error).__name__} while evaluating"
            raise EvaluationError(f"{failing_define(error)}: {reason}") from error

    def is_computed(self, define: str) -> bool:
        """Return whether the value of a define is known already."""
        slot = self._slots.get(define)
        return slot is not None and self._memory[slot] is not UNSET


WRAPPED: frozenset[type] = frozenset({Typed, Uncertain})
"""What the elements of a list may be that callers see as something else."""


def plain(value: Value) -> Value:
    """Return a value as callers see it: bare JSON of elements, nothing for what is not certain."""
    if value.__class__ is list:
        return value if WRAPPED.isdisjoint(map(type, value)) else [plain(v) for v in value]
    if isinstance(value, Uncertain):
        return None
    return value.raw if isinstance(value, Typed) else value


CONVERTERS: dict[t.ElmType, Callable[[Value], Value]] = {
    t.DECIMAL: lambda v: Decimal(v) if v.__class__ is int else v,
    t.DATE: lambda v: Date.of(v) if v.__class__ is date else v,
    t.DATE_TIME: lambda v: DateTime.of(v) if isinstance(v, datetime) else v,
}
"""What makes a plain Python value the CQL value of a parameter's type."""


parameter_test = lru_cache(maxsize=64)(tester)
"""What tells whether a value is of a parameter's type."""


def as_parameter(name: str, value: Value, type_: t.ElmType) -> Value:
    """Return a parameter's value as CQL has it.

    Raises:
        ParameterError: it is not of the declared type.
    """
    if value is None:
        return None
    converted = CONVERTERS[type_](value) if type_ in CONVERTERS else value
    if not parameter_test(type_)(converted):
        wanted = str(type_).removeprefix("System.")
        raise ParameterError(f"parameter {name}: a {type(value).__name__} is no {wanted}")
    return converted
