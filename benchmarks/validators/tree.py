"""The elements of a resource with their R4 types, and how one of them is changed."""

import random
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from ivfhir.fhir.types import Json, Resource
from ivfhir.validation.issue import Pointer
from ivfhir.validation.structure import Slot, Structure, Visited


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a resource.

    Attributes:
        pointer: the way to it.
        slot: what R4 says of it.
        value: its JSON.
    """

    pointer: Pointer
    slot: Slot
    value: Any

    @property
    def key(self) -> str:
        """Its name in JSON."""
        return next(str(each) for each in reversed(self.pointer) if isinstance(each, str))

    @property
    def holder(self) -> Pointer:
        """The way to what holds it, an array it may stand in passed over."""
        at = len(self.pointer) - 1
        return self.pointer[: at - 1] if isinstance(self.pointer[at], int) else self.pointer[:at]

    @property
    def member(self) -> Pointer:
        """The way to the array that it stands in, or to itself."""
        return (*self.holder, self.key)


def elements_of(resource: Resource) -> list[Element]:
    """Return what has a value, but the resource itself, in the order of the resource."""
    found: list[Element] = []

    def visit(visited: Visited) -> bool:
        if visited.value is not None and visited.place.parent is not None:
            found.append(Element(visited.place.pointer, visited.slot, visited.value))
        return True

    Structure(visit).resource(resource)
    return [each for each in found if _leads(resource, each)]


def _leads(resource: Resource, element: Element) -> bool:
    """Return whether its pointer leads to it; what stands beside a primitive has none."""
    try:
        return at(resource, element.pointer) is element.value
    except (KeyError, IndexError, TypeError):
        return False


def at(resource: Json, pointer: Pointer) -> Any:  # noqa: ANN401 - JSON of any kind
    """Return the value that a pointer leads to."""
    value: Any = resource
    for step in pointer:
        value = value[step]
    return value


def changed(resource: Resource, pointer: Pointer, value: Json) -> Resource:
    """Return a copy that has another value there."""
    copy = deepcopy(resource)
    at(copy, pointer[:-1])[pointer[-1]] = value
    return copy


def without(resource: Resource, pointer: Pointer) -> Resource:
    """Return a copy that has nothing there, nor beside it."""
    copy = deepcopy(resource)
    holder = at(copy, pointer[:-1])
    del holder[pointer[-1]]
    if isinstance(holder, dict):
        holder.pop(f"_{pointer[-1]}", None)
    return copy


def pick(chance: random.Random, elements: list[Element]) -> Element | None:
    """Return one of them."""
    return chance.choice(elements) if elements else None
