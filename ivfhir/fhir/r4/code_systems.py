"""The codes of HL7's own code systems (made by tools/r4; which are there stands there)."""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """All codes of a code system.

    Attributes:
        codes: as they are written.
        case_counts: whether another case is another code.
    """

    codes: frozenset[str]
    case_counts: bool

    def has(self, code: str) -> bool:
        """Return whether a code is one of the system."""
        return code in self.codes or (
            not self.case_counts and code.lower() in {each.lower() for each in self.codes}
        )


def code_system_of(url: str) -> CodeSystem | None:
    """Return the code system of that address; None where its codes are not all known."""
    return _code_system(url) if url in _table() else None


@cache
def _code_system(url: str) -> CodeSystem:
    codes, case_counts = _table()[url]
    return CodeSystem(frozenset(codes), case_counts)


@cache
def _table() -> dict[str, tuple[list[str], bool]]:
    text = resources.files(__package__).joinpath("code_systems.json").read_text(encoding="utf-8")
    parsed: dict[str, tuple[list[str], bool]] = json.loads(text)
    return parsed
