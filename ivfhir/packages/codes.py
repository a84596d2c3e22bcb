"""Sets of codes of which a part may not be known: in, not in, or not known."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Listed = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Codes:
    """A set of codes.

    Attributes:
        listed: codes by system that are in.
        open_systems: of which further codes may be in.
        is_open: any code of any system may be in.
    """

    listed: Listed = field(default_factory=dict)
    open_systems: frozenset[str] = frozenset()
    is_open: bool = False

    def has(self, system: str, code: str) -> bool | None:
        """Return whether a code is in, None where that is not known."""
        if code in self.listed.get(system, ()):
            return True
        return None if self.is_open or system in self.open_systems else False

    def has_code(self, code: str) -> bool | None:
        """Return whether a code of whatever system is in, None where that is not known."""
        if any(code in each for each in self.listed.values()):
            return True
        return None if self.is_open or self.open_systems else False

    @property
    def is_whole(self) -> bool:
        """Whether all codes are listed."""
        return not self.is_open and not self.open_systems

    def __or__(self, other: "Codes") -> "Codes":
        """Return what is in one of two sets."""
        systems = dict.fromkeys([*self.listed, *other.listed])
        return Codes(
            {each: _of(self, each) | _of(other, each) for each in systems},
            self.open_systems | other.open_systems,
            self.is_open or other.is_open,
        )

    def __and__(self, other: "Codes") -> "Codes":
        """Return what is in both."""
        both = {each: _of(self, each) & _of(other, each) for each in self.listed}
        unsure = {
            system
            for one, two in ((self, other), (other, self))
            for system in [*one.listed, *one.open_systems]
            if two.is_open or system in two.open_systems
        }
        return Codes(
            {system: codes for system, codes in both.items() if codes},
            frozenset(unsure),
            self.is_open and other.is_open,
        )

    def __sub__(self, other: "Codes") -> "Codes":
        """Return what is in this set and not in the other."""
        if other.is_open:
            return Codes({}, frozenset(self.listed) | self.open_systems, self.is_open)
        left = {
            system: codes - _of(other, system)
            for system, codes in self.listed.items()
            if system not in other.open_systems
        }
        unsure = frozenset(self.listed) & other.open_systems
        return Codes(left, self.open_systems | unsure, self.is_open)


def listed(system: str, codes: Iterable[str]) -> Codes:
    """Return a set of codes of one system, all known."""
    return Codes({system: frozenset(codes)})


NOT_KNOWN = Codes(is_open=True)


def _of(codes: Codes, system: str) -> frozenset[str]:
    return codes.listed.get(system, frozenset())
