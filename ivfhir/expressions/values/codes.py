"""Codes, concepts and references to terminology (https://cql.hl7.org/09-b-cqlreference.html#code-1)."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Code:
    """A code in a code system.

    Args:
        code: the symbol itself.
        system: canonical of the code system.
        version: version of the code system.
        display: text for people.
    """

    code: str | None
    system: str | None = None
    version: str | None = None
    display: str | None = None


@dataclass(frozen=True, slots=True)
class Concept:
    """Codes that mean the same thing.

    Args:
        codes: the codes, in the order of the source.
        display: text for people.
    """

    codes: Sequence[Code | None]
    display: str | None = None


@dataclass(frozen=True, slots=True)
class CodeSystem:
    """A reference to a code system by its canonical."""

    id: str | None
    version: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A reference to a value set by its canonical; the session holds the expansion."""

    id: str | None
    version: str | None = None
    name: str | None = None
