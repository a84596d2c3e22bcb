"""Elements of a resource, found by the names that FHIRPath has for them."""

from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from typing import NamedTuple

from ivfhir.fhir.r4 import definition_of
from ivfhir.fhir.types import Json
from ivfhir.validation.issue import Place
from ivfhir.validation.structure import is_primitive

ELEMENT = "Element"
RESOURCE = "Resource"


@dataclass(frozen=True, slots=True)
class Item:
    """An element.

    Attributes:
        value: its JSON; None for a primitive that has none.
        beside: what stands beside a primitive.
        type_name: of R4; of a resource its own.
        place: where it stands.
    """

    value: Json
    beside: Json
    type_name: str
    place: Place

    def children(self, name: str) -> "list[Item] | None":
        """Return the elements of a name; None where their JSON is of another shape than R4's."""
        primitive = is_primitive(self.type_name)
        holder = self.beside if primitive else self.value
        if not isinstance(holder, dict):
            return []
        return children_of(holder, ELEMENT if primitive else self.type_name, name, self.place)


class Member(NamedTuple):
    """A name in JSON that an element can have, and the type that it then has."""

    key: str
    type_name: str
    step: str
    is_primitive: bool


class Members(NamedTuple):
    """The names in JSON of an element, and whether each is an array."""

    rows: tuple[Member, ...]
    is_list: bool


@cache
def members_of(owner: str, name: str) -> Members | None:
    """Return how an element of a type stands in JSON; None where the type has none of that name."""
    definition = definition_of(owner)
    element = definition.elements.get(name) if definition is not None else None
    if element is None:
        return None
    rows = (
        Member(key, type_, f"{name}.ofType({type_})" if element.is_choice else name, primitive)
        for key, type_ in element.json_names().items()
        for primitive in (is_primitive(type_),)
    )
    return Members(tuple(rows), element.is_list)


def children_of(holder: dict[str, Json], owner: str, name: str, place: Place) -> list[Item] | None:
    """Return the elements of a name that an object holds; see `Item.children`."""
    members = members_of(owner, name)
    if members is None:
        return []
    found: list[Item] = []
    for member in members.rows:
        value, beside = holder.get(member.key), holder.get(f"_{member.key}")
        if value is None and beside is None:
            continue
        here = Place(place, member.step, member.key)
        if not members.is_list:
            found.append(item_of(value, beside, member.type_name, here))
            continue
        if not isinstance(value, list | None) or not isinstance(beside, list | None):
            return None
        for index, pair in enumerate(zip_longest(value or (), beside or ())):
            found.append(item_of(*pair, member.type_name, here.at(index)))
    return None if any(not _is_shaped(each) for each in found) else found


def item_of(value: Json, beside: Json, type_name: str, place: Place) -> Item:
    """Return an element; of a resource the type is the one that it says."""
    if type_name == RESOURCE and isinstance(value, dict):
        said = value.get("resourceType")
        definition = definition_of(said) if isinstance(said, str) else None
        type_name = definition.name if definition is not None else RESOURCE
    return Item(value, beside, type_name, place)


def _is_shaped(item: Item) -> bool:
    if is_primitive(item.type_name):
        return not isinstance(item.value, dict | list) and not isinstance(item.beside, list)
    return isinstance(item.value, dict)
