"""Elements that were found right before: resources of a plan, and plans, say much alike.

Of such an element nothing is asked that depends on where it stands: so what is right once is right
wherever its type and its element are the same, and of an extension wherever its path is, too. What
has an id or a resource in it, or a reference, depends on its input, and is asked each time.
"""

import re
from collections.abc import Hashable
from functools import cache
from hashlib import blake2b
from typing import Any

from ivfhir.fhir.r4 import definition_of
from ivfhir.fhir.types import Resource
from ivfhir.validation.bindings import CODED
from ivfhir.validation.extensions import EXTENSION
from ivfhir.validation.issue import Place
from ivfhir.validation.references import REFERENCE
from ivfhir.validation.rules import rules_for
from ivfhir.validation.structure import Slot, is_primitive, shape_of

MOST = 16_384
"""So many are known, of some 150 bytes each; then it begins anew."""
LONGEST = 1_500
"""Characters of the texts in an element, a few for each name; a longer one is hardly said twice."""
LONGEST_CODE = 64
"""Characters of a code that is kept as it is: those of a value set are no content of a record."""
_ID = "id"
_PLACED_NAMES = ("'id'", "'resourceType'")
_EXTENSIONS = ("'extension'", "'modifierExtension'")
_PLACED_TYPES = frozenset({"ElementDefinition", "Narrative", "Resource"})
_PLACED_WORDS = ("%resource", "%rootResource", "%context", "resolve(")
INDEX = re.compile(r"\[\d+\]")
"""The number of an item in a FHIRPath."""


class Alike:
    """What was found right, as digests and codes of value sets: nothing of a record is kept."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._right: set[Hashable] = set()

    def key_of(self, slot: Slot, value: Resource, place: Place) -> Hashable | None:
        """Return what elements share that are right or wrong together.

        Args:
            slot: where the element stands.
            value: its JSON; other types of numbers and another order give another key.
            place: counts where there are extensions: not each may stand everywhere.

        Returns:
            None where the answer may depend on more than the element.
        """
        if not _is_alone(slot) or _ID in value or not _is_short(value):
            return None
        text = repr(value)
        if any(name in text for name in _PLACED_NAMES):
            return None
        is_extended = slot.type_name == EXTENSION or any(name in text for name in _EXTENSIONS)
        if "'reference'" in text and (is_extended or _may_refer(slot)):
            return None
        path = INDEX.sub("", place.expression) if is_extended else ""
        said = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        return slot, path, said

    def key_of_code(self, slot: Slot, value: object) -> Hashable | None:
        """Return what codes share that are right or wrong together; None for any other primitive.

        Args:
            slot: where it stands, without id and extensions.
            value: its JSON.
        """
        is_code = type(value) is str and len(value) <= LONGEST_CODE and _is_code(slot)
        return (slot, value) if is_code else None

    def __contains__(self, key: Hashable) -> bool:
        """Return whether an element was found right."""
        return key in self._right

    def add(self, key: Hashable) -> None:
        """Keep an element that was found right."""
        if len(self._right) >= MOST:
            self._right.clear()
        self._right.add(key)


def _is_short(value: Resource) -> bool:
    """Return whether an element is short, having looked at no more of it than that takes.

    Elements lie deep inside one another; what is long in one would else be written out for each.
    """
    left = LONGEST
    inside: list[Any] = [value]
    while inside:
        each = inside.pop()
        kind = type(each)
        if kind is str:
            left -= len(each)
        elif kind is dict or kind is list:
            left -= 8 * len(each)
            if left >= 0:
                inside += each.values() if kind is dict else each
        if left < 0:
            return False
    return True


@cache
def _is_alone(slot: Slot) -> bool:
    """Return whether what is asked of an element depends on nothing outside it.

    A reference and an extension inside are looked for in each element.
    """
    definition = definition_of(slot.type_name)
    if definition is None or definition.kind not in ("complex", "backbone"):
        return False
    every = slots_in(slot)
    if slot.type_name == REFERENCE or not _PLACED_TYPES.isdisjoint(e.type_name for e in every):
        return False
    rules = (rule.rule.expression for each in every for rule in rules_for(each))
    return not any(word in rule for rule in rules for word in _PLACED_WORDS)


@cache
def _is_code(slot: Slot) -> bool:
    """Return whether a primitive is asked for a value set, and nothing that depends on others."""
    is_bound = slot.element is not None and slot.element.binding is not None
    if not is_bound or slot.type_name not in CODED or not is_primitive(slot.type_name):
        return False
    rules = (rule.rule.expression for rule in rules_for(slot))
    return not any(word in rule for rule in rules for word in _PLACED_WORDS)


@cache
def _may_refer(slot: Slot) -> bool:
    """Return whether a reference may stand inside an element."""
    return any(each.type_name == REFERENCE for each in slots_in(slot))


@cache
def slots_in(slot: Slot) -> frozenset[Slot]:
    """Return where an element and all inside it stand, but for what extensions hold."""
    found: set[Slot] = set()
    left = [slot]
    while left:
        each = left.pop()
        if each not in found:
            found.add(each)
            if each.type_name not in (EXTENSION, REFERENCE) and not is_primitive(each.type_name):
                left += shape_of(each.type_name).members.values()
    return frozenset(found)
