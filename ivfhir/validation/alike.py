"""Elements that were found right before: resources of a plan, and plans, say much alike.

Of such an element nothing is asked that depends on where it stands: so what is right once is right
wherever its type and its element are the same, and of an extension wherever its path is, too. What
has an id or a resource in it, or a reference, depends on its input, and is asked each time.
"""

import re
from collections.abc import Hashable
from functools import cache
from hashlib import blake2b

from ivfhir.fhir.r4 import definition_of
from ivfhir.fhir.types import Resource
from ivfhir.validation.extensions import EXTENSION
from ivfhir.validation.issue import Place
from ivfhir.validation.rules import rules_for
from ivfhir.validation.structure import Slot

MOST = 16_384
"""So many are known, of some 150 bytes each; then it begins anew."""
LONGEST = 2_000
"""Characters of an element; what is longer is hardly said twice."""
_ID, _DATA = "id", "data"
_PLACED_NAMES = ("'id'", "'resourceType'")
_EXTENSIONS = ("'extension'", "'modifierExtension'")
_PLACED_TYPES = frozenset({"Element", "ElementDefinition", "Narrative", "Reference"})
_PLACED_WORDS = ("%resource", "%rootResource", "%context", "resolve(")
_INDEX = re.compile(r"\[\d+\]")


class Alike:
    """What was found right, as digests: nothing of a record is kept."""

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
        if not _is_alone(slot) or _ID in value or _DATA in value:
            return None
        text = repr(value)
        if len(text) > LONGEST or any(name in text for name in _PLACED_NAMES):
            return None
        is_extended = slot.type_name == EXTENSION or any(name in text for name in _EXTENSIONS)
        if "'reference'" in text and (is_extended or "Reference" in _types_in(slot.type_name)):
            return None
        path = _INDEX.sub("", place.expression) if is_extended else ""
        said = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        return slot, path, said

    def __contains__(self, key: Hashable) -> bool:
        """Return whether an element was found right."""
        return key in self._right

    def add(self, key: Hashable) -> None:
        """Keep an element that was found right."""
        if len(self._right) >= MOST:
            self._right.clear()
        self._right.add(key)


@cache
def _is_alone(slot: Slot) -> bool:
    """Return whether what is asked of an element depends on nothing outside it."""
    definition = definition_of(slot.type_name)
    if definition is None or definition.kind not in ("complex", "backbone"):
        return False
    if slot.type_name in _PLACED_TYPES or "Resource" in _types_in(slot.type_name):
        return False
    rules = (each.rule.expression for each in rules_for(slot))
    return not any(word in rule for rule in rules for word in _PLACED_WORDS)


@cache
def _types_in(type_name: str) -> frozenset[str]:
    """Return a type and all that may stand inside it, but for what extensions hold."""
    found: set[str] = set()
    left = [type_name]
    while left:
        name = left.pop()
        definition = definition_of(name) if name not in found and name != EXTENSION else None
        found.add(name)
        if definition is not None:
            left += (each for e in definition.elements.values() for each in e.json_names().values())
    return frozenset(found)
