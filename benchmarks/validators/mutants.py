"""Resources with one fault of a known kind, or changed by chance: made from a seed, and judged."""

import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice

from benchmarks.validators.changes import CHANGES
from benchmarks.validators.faults import KINDS
from benchmarks.validators.tree import Element, elements_of
from ivfhir.fhir.types import Json, Resource
from ivfhir.validation import Issue, validate_resource
from ivfhir.validation.issue import Pointer

TRIES = 50
"""So many resources are tried for a kind before the next one has its turn."""
SMALL = 12_000
"""Characters of a resource that mutants are made of."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """A resource that was changed.

    Attributes:
        kind: how.
        name: of the resource that it was.
        resource: as it is now.
        place: where the fault is; None where nobody knows whether it is one.
    """

    kind: str
    name: str
    resource: Json
    place: Pointer | None = None


def faulty(bases: Sequence[tuple[str, Resource]], count: int, seed: int) -> Iterator[Mutant]:
    """Yield so many mutants with one fault each, the kinds in turn, each of some resource."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    rows = [(name, resource, elements_of(resource)) for name, resource in bases]
    kinds = list(KINDS.items())
    made = 0
    for kind, make in islice(cycle(kinds), count * TRIES):
        for name, resource, elements in chance.choices(rows, k=TRIES):
            mutant = make(resource, elements, chance)
            if mutant is not None:
                made += 1
                yield Mutant(kind, name, *mutant)
                break
        if made == count:
            return


def by_chance(bases: Sequence[tuple[str, Resource]], count: int, seed: int) -> Iterator[Mutant]:
    """Yield so many mutants that may be right or wrong, the kinds in turn."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    rows = [(name, resource, elements_of(resource)) for name, resource in bases]
    every: list[Element] = [each for _, _, elements in rows for each in elements]
    kinds = list(CHANGES.items())
    made = 0
    for kind, change in islice(cycle(kinds), count * TRIES):
        for name, resource, elements in chance.choices(rows, k=TRIES):
            mutant = change(resource, elements, every, chance)
            if mutant is not None and mutant != resource:
                made += 1
                yield Mutant(kind, name, mutant)
                break
        if made == count:
            return


def errors_of(resource: Json) -> list[Issue]:
    """Return our errors."""
    return [each for each in validate_resource(resource) if each.severity == "error"]


def is_told(mutant: Mutant, errors: Sequence[Issue]) -> bool:
    """Return whether an error is at the fault, inside it, or at what directly holds it.

    A fault of the whole resource is told only at the resource itself: all else is inside it.
    """
    place = mutant.place or ()
    holders = {place, place[:-1], place[:-2] if place and isinstance(place[-1], int) else place}
    return any(
        each.pointer in holders or (place and each.pointer[: len(place)] == place)
        for each in errors
    )


def missed(mutants: Sequence[Mutant]) -> list[Mutant]:
    """Return the mutants whose fault is not told at its place."""
    return [each for each in mutants if not is_told(each, errors_of(each.resource))]


def by_kind(mutants: Sequence[Mutant], wrong: Sequence[Mutant]) -> dict[str, str]:
    """Return for each kind how many of how many are right."""
    all_, bad = Counter(e.kind for e in mutants), Counter(e.kind for e in wrong)
    return {kind: f"{count - bad[kind]} of {count}" for kind, count in sorted(all_.items())}
