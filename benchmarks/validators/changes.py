"""Changes by chance: nobody says beforehand whether the resource is right after them.

Two validators judge each; where they differ, one of the two is wrong, or R4 leaves room.
"""

import random
import string
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from typing import Any

from benchmarks.validators.tree import Element, at, changed, pick, without
from ivfhir.fhir.types import Json, Resource

Change = Callable[[Resource, list[Element], list[Element], random.Random], Resource | None]
"""Takes a resource, its elements, those of all resources, and chance."""
REFERENCES = (
    "#p",
    "Patient/1",
    "Patient",
    "/Patient/1",
    "http://x.example/fhir/Patient/1",
    "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
    "Medication/1/_history/2",
    "Observation?code=1",
)
NUMBERS: tuple[Json, ...] = (0, -1, 1, Decimal("0.5"), 2**31, Decimal("1E+20"), 10**6)
KINDS_OF_JSON: tuple[Json, ...] = ("x", 1, Decimal("1.5"), True, {"text": "x"}, ["x"])


def delete(
    resource: Resource, elements: list[Element], others: list[Element], chance: random.Random
) -> Resource | None:
    """Take away an element, with its array."""
    found = pick(chance, elements)
    return without(resource, found.member) if found else None


def repeat(
    resource: Resource, elements: list[Element], others: list[Element], chance: random.Random
) -> Resource | None:
    """Say an item of an array twice."""
    found = pick(chance, [e for e in elements if isinstance(e.pointer[-1], int)])
    if found is None:
        return None
    copy = deepcopy(resource)
    at(copy, found.member).append(deepcopy(found.value))
    return copy


def swap(
    resource: Resource, elements: list[Element], others: list[Element], chance: random.Random
) -> Resource | None:
    """Let two texts change places."""
    texts = [e for e in elements if isinstance(e.value, str) and e.slot.type_name != "xhtml"]
    if not texts:
        return None
    one, other = chance.choice(texts), chance.choice(texts)
    return changed(changed(resource, one.pointer, other.value), other.pointer, one.value)


def retype(
    resource: Resource, elements: list[Element], others: list[Element], chance: random.Random
) -> Resource | None:
    """Put another kind of JSON in the place of a value."""
    found = pick(chance, elements)
    return changed(resource, found.pointer, chance.choice(KINDS_OF_JSON)) if found else None


def character(
    resource: Resource, elements: list[Element], others: list[Element], chance: random.Random
) -> Resource | None:
    """Change one character of a text."""
    found = pick(chance, [e for e in elements if isinstance(e.value, str) and e.value])
    if found is None:
        return None
    place = chance.randrange(len(found.value))
    one = chance.choice(string.ascii_letters + string.digits + " -_./:<&é")
    text = found.value[:place] + one + found.value[place + 1 :]
    return changed(resource, found.pointer, text)


def number(
    resource: Resource, elements: list[Element], others: list[Element], chance: random.Random
) -> Resource | None:
    """Put another number in the place of one."""
    numbers = [
        e for e in elements if isinstance(e.value, int | Decimal) and not isinstance(e.value, bool)
    ]
    found = pick(chance, numbers)
    return changed(resource, found.pointer, chance.choice(NUMBERS)) if found else None


def date(
    resource: Resource, elements: list[Element], others: list[Element], chance: random.Random
) -> Resource | None:
    """Cut a date or time, or change a digit of it."""
    dates = [e for e in elements if e.slot.type_name in ("date", "dateTime", "instant", "time")]
    found = pick(chance, dates)
    if found is None:
        return None
    place = chance.randrange(len(found.value))
    text = found.value[:place]
    if chance.random() < 0.5:
        text += chance.choice(string.digits) + found.value[place + 1 :]
    return changed(resource, found.pointer, text) if text else None


def rename(
    resource: Resource, elements: list[Element], others: list[Element], chance: random.Random
) -> Resource | None:
    """Say an element under the name of another one."""
    found, other = pick(chance, elements), pick(chance, others)
    if found is None or other is None or other.key in at(resource, found.holder):
        return None
    copy = deepcopy(resource)
    holder: Any = at(copy, found.holder)
    holder[other.key] = holder.pop(found.key)
    return copy


def foreign(
    resource: Resource, elements: list[Element], others: list[Element], chance: random.Random
) -> Resource | None:
    """Put the value of an element of another resource in the place of one of the same type."""
    found = pick(chance, elements)
    if found is None:
        return None
    alike = [e for e in others if e.slot.type_name == found.slot.type_name]
    other = pick(chance, alike)
    return changed(resource, found.pointer, deepcopy(other.value)) if other else None


def add(
    resource: Resource, elements: list[Element], others: list[Element], chance: random.Random
) -> Resource | None:
    """Add an element that some resource has in such an object."""
    for _ in range(20):
        found, other = pick(chance, elements), pick(chance, others)
        if found is None or other is None or not isinstance(found.value, dict):
            continue
        alike = other.slot.owner == found.slot.type_name
        if alike and other.key not in found.value and other.slot.element:
            value = deepcopy(other.value)
            many = other.slot.element.is_list
            return changed(resource, (*found.pointer, other.key), [value] if many else value)
    return None


def reference(
    resource: Resource, elements: list[Element], others: list[Element], chance: random.Random
) -> Resource | None:
    """Let a reference lead elsewhere."""
    references = [e for e in elements if e.slot.type_name == "Reference" and "reference" in e.value]
    found = pick(chance, references)
    if found is None:
        return None
    return changed(resource, (*found.pointer, "reference"), chance.choice(REFERENCES))


def code(
    resource: Resource, elements: list[Element], others: list[Element], chance: random.Random
) -> Resource | None:
    """Give a code that some other element has."""
    found = pick(chance, [e for e in elements if e.slot.type_name == "code"])
    other = pick(chance, [e for e in others if e.slot.type_name == "code"])
    return changed(resource, found.pointer, other.value) if found and other else None


CHANGES: dict[str, Change] = {
    each.__name__: each
    for each in (
        delete,
        repeat,
        swap,
        retype,
        character,
        number,
        date,
        rename,
        foreign,
        add,
        reference,
        code,
    )
}
