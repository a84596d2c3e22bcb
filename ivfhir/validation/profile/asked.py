"""What the tests of slices may ask beyond their item; an answer that cannot be told is None."""

from typing import Protocol

from ivfhir.expressions.operators.logical import Truth
from ivfhir.fhir.types import Resource
from ivfhir.packages.codes import Codes
from ivfhir.validation.profile.items import Item


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
