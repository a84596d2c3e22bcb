"""Sets of codes of which a part may not be known: in, not in, or not known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Listed = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Codes:
    """A set of codes.

    Attributes:
        listed: codes by system that are in.
        unsure: codes by system that may be in.
        open_systems: of which further codes may be in.
        is_open: any code of any system may be in.
        any_case: systems whose codes are the same in any case.
    """

    listed: Listed = field(default_factory=dict)
    unsure: Listed = field(default_factory=dict)
    open_systems: frozenset[str] = frozenset()
    is_open: bool = False
    any_case: frozenset[str] = frozenset()

    def has(self, system: str, code: str) -> bool | None:
        """Return whether a code is in, None where that is not known."""
        if self._among(self.listed, system, code):
            return True
        if self._is_open(system):
            return None
        return None if self._among(self.unsure, system, code) else False

    def has_code(self, code: str) -> bool | None:
        """Return whether a code of whatever system is in, None where that is not known."""
        answers = {self.has(each, code) for each in (*self.listed, *self.unsure)}
        if True in answers:
            return True
        return None if None in answers or self.is_open or self.open_systems else False

    def _among(self, some: Listed, system: str, code: str) -> bool:
        codes = some.get(system, frozenset())
        if code in codes or system not in self.any_case:
            return code in codes
        return code.lower() in {each.lower() for each in codes}

    @property
    def is_whole(self) -> bool:
        """Whether all codes are listed, and none may be written otherwise."""
        return not (self.unsure or self.open_systems or self.is_open or self.any_case)

    def __or__(self, other: "Codes") -> "Codes":
        """Return what is in one of two sets."""
        systems = self._systems() | other._systems()
        return self._made(
            other,
            {each: _of(self.listed, each) | _of(other.listed, each) for each in systems},
            {each: self._possible(each) | other._possible(each) for each in systems},
            self.open_systems | other.open_systems,
            is_open=self.is_open or other.is_open,
        )

    def __and__(self, other: "Codes") -> "Codes":
        """Return what is in both."""
        possible: dict[str, frozenset[str]] = {}
        opened = set[str]()
        for system in self._systems() | other._systems():
            sides = [each._possible(system) for each in (self, other) if not each._is_open(system)]
            if sides:
                possible[system] = sides[0].intersection(*sides)
            else:
                opened.add(system)
                possible[system] = self._possible(system) & other._possible(system)
        sure = {each: _of(self.listed, each) & _of(other.listed, each) for each in possible}
        both_open = self.is_open and other.is_open
        return self._made(other, sure, possible, frozenset(opened), is_open=both_open)

    def __sub__(self, other: "Codes") -> "Codes":
        """Return what is in this set and not in the other."""
        sure = {
            system: codes - other._possible(system)
            for system, codes in self.listed.items()
            if not other._is_open(system)
        }
        possible = {
            each: self._possible(each) - _of(other.listed, each) for each in self._systems()
        }
        return self._made(other, sure, possible, self.open_systems, is_open=self.is_open)

    def _systems(self) -> set[str]:
        return {*self.listed, *self.unsure, *self.open_systems}

    def _is_open(self, system: str) -> bool:
        return self.is_open or system in self.open_systems

    def _possible(self, system: str) -> frozenset[str]:
        """Return the codes of a system that are or may be in, as far as they are listed."""
        return _of(self.listed, system) | _of(self.unsure, system)

    def _made(
        self,
        other: "Codes",
        sure: Listed,
        possible: Listed,
        open_systems: frozenset[str],
        *,
        is_open: bool,
    ) -> "Codes":
        """Return a set made of two, of what is in, and of what is in or may be."""
        unsure = {each: codes - _of(sure, each) for each, codes in possible.items()}
        any_case = self.any_case | other.any_case
        return Codes(_filled(sure), _filled(unsure), open_systems, is_open, any_case)


def listed(system: str, codes: Iterable[str]) -> Codes:
    """Return a set of codes of one system, all known."""
    return Codes({system: frozenset(codes)})


NOT_KNOWN = Codes(is_open=True)


def _filled(some: Listed) -> Listed:
    return {system: codes for system, codes in some.items() if codes}


def _of(some: Listed, system: str) -> frozenset[str]:
    return some.get(system, frozenset())
