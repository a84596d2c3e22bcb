"""What the tests of slices may ask beyond their item, in three-valued answers."""

from collections.abc import Iterable
from typing import Protocol

from ivfhir.fhir.types import Resource
from ivfhir.packages.codes import Codes
from ivfhir.validation.profile.items import Item

Truth = bool | None
"""None where it cannot be told."""


class Asked(Protocol):
    """What a test may ask beyond its item."""

    def resolve(self, item: Item) -> Resource | None:
        """Return the resource that a Reference names, None where it is not here."""

    def conforms(self, item: Item, profile: str) -> Truth:
        """Return whether an element conforms to a profile."""

    def is_whole(self, item: Item) -> bool:
        """Return whether an element has all that R4 asks for."""

    def codes(self, value_set: str) -> Codes | None:
        """Return the codes of a value set, None where it is not known."""


def conjunction(truths: Iterable[Truth]) -> Truth:
    """Return whether all hold: False where one does not, None where one is not known."""
    known: Truth = True
    for each in truths:
        if each is False:
            return False
        if each is None:
            known = None
    return known


def disjunction(truths: Iterable[Truth]) -> Truth:
    """Return whether one holds: None where none does and one is not known."""
    known: Truth = False
    for each in truths:
        if each:
            return True
        if each is None:
            known = None
    return known
