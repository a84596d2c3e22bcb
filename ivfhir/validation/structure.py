"""The shape of a resource: its elements, how often, of which type, and what JSON allows.

http://hl7.org/fhir/R4/json.html
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any, NamedTuple, Protocol

from ivfhir.fhir.r4 import Definition, Element, definition_of, is_resource, type_names
from ivfhir.fhir.types import Json, Resource
from ivfhir.validation.issue import Issue, Place, ended
from ivfhir.validation.primitive import kind_of, primitive_problem

MAX_ISSUES = 1_000
"""So many issues of one resource are shown; who has so many has one cause."""
ELEMENT = "Element"
FEW = 3
"""So many names of a choice are listed in a message."""


@dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """What may stand under one name of JSON; there is one of each, told apart by identity.

    Attributes:
        type_name: the R4 type of what stands there.
        owner: the type that has the element; None for a resource on its own.
        element: which element of it.
        is_one_value: a primitive that is in no array.
        beside: the name in JSON of what stands beside it.
        step: FHIRPath of it from its owner.
    """

    type_name: str
    owner: str | None = None
    element: Element | None = None
    is_one_value: bool = False
    beside: str = ""
    step: str = ""


class Visited(NamedTuple):
    """An element that is whole enough to be asked further.

    Attributes:
        value: its JSON; None for a primitive that has none.
        beside: what stands beside a primitive.
        slot: where it belongs.
        place: where it stands.
        resource: the resource that holds it.
        root: the resource that contains that one; itself where it is not contained.
    """

    value: Json
    beside: Json
    slot: Slot
    place: Place
    resource: Resource
    root: Resource


Visit = Callable[[Visited], bool]
"""Returns whether nothing was found, and everything was asked."""


class Right(Protocol):
    """Elements that were found right before, and are not walked again."""

    def key_of(self, slot: Slot, value: Resource, place: Place) -> Hashable | None:
        """Return what an element is known by; None where it must be walked each time."""

    def key_of_code(self, slot: Slot, value: object) -> Hashable | None:
        """Return what a code is known by; None for any other primitive."""

    def __contains__(self, key: Hashable) -> bool:
        """Return whether it was found right."""

    def add(self, key: Hashable) -> None:
        """Keep that it was."""


KeyOfEntry = Callable[[Resource, Place], Hashable | None]
"""Returns what a resource of a Bundle is known by; None where it must be walked each time."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What an object of a type may hold.

    Attributes:
        name: of the type.
        members: by their names in JSON.
        needed: elements that must be there.
    """

    name: str
    members: dict[str, Slot]
    needed: tuple[Element, ...]


@cache
def shape_of(type_name: str) -> Shape:
    """Return the shape of an R4 type that is no primitive."""
    definition = definition_of(type_name)
    elements = list(definition.elements.values()) if definition else []
    return Shape(
        type_name,
        {
            key: _slot(key, type_, type_name, each)
            for each in elements
            for key, type_ in each.json_names().items()
        },
        tuple(each for each in elements if each.minimum),
    )


def _slot(key: str, type_name: str, owner: str, element: Element) -> Slot:
    step = f"{element.name}.ofType({type_name})" if element.is_choice else element.name
    is_one_value = is_primitive(type_name) and not element.is_list
    return Slot(type_name, owner, element, is_one_value, f"_{key}", step)


@cache
def resource_slot(type_name: str) -> Slot:
    """Return where a resource of that type belongs on its own."""
    return Slot(type_name)


class Structure:
    """Walks a resource once, notes what is wrong and tells the rest of what it meets.

    Attributes:
        issues: what was found so far.
    """

    def __init__(
        self,
        visit: Visit,
        *,
        passes: Callable[[Slot], bool] = lambda slot: False,
        right: Right | None = None,
        key_of_entry: KeyOfEntry = lambda resource, place: None,
    ) -> None:
        """Begin with nothing found.

        Args:
            visit: is told each element that is whole enough.
            passes: tells where primitives without id and extensions are not told.
            right: elements that are not walked again; None where each is.
            key_of_entry: returns what a resource of a Bundle is known by in `right`: of one that
                held nothing wrong before, only the resource itself is told. None where it must be
                walked each time.
        """
        self.issues: list[Issue] = []
        self._visit = visit
        self._passes = passes
        self._right = right
        self._key_of_entry = key_of_entry
        self._wrong_so_far = 0
        self._holders: list[tuple[Resource, Resource]] = []

    def resource(self, raw: Json, place: Place | None = None) -> None:
        """Walk a resource; `place` is None for the whole, else where it stands inside another."""
        definition = resource_definition(raw)
        if definition is None or not isinstance(raw, dict):
            self._no_resource(raw, place)
            return
        here = place or Place(None, definition.name)
        contained = place is not None and place.key == "contained" and self._holders
        self._holders.append((raw, self._holders[-1][1] if contained else raw))
        self._tell(raw, None, resource_slot(definition.name), here)
        key = self._key_of_entry(raw, here) if here.key == "resource" else None
        self._once(key, lambda: self._object(raw, shape_of(definition.name), here))
        self._holders.pop()

    def _once(self, key: Hashable | None, walk: Callable[[], None]) -> None:
        """Walk what was not found right before; keep what is found so now, if it has a key."""
        if self._right is None or key is None:
            walk()
        elif key not in self._right:
            before = self._wrong_so_far
            walk()
            if self._wrong_so_far == before:
                self._right.add(key)

    def _tell(self, value: Json, beside: Json, slot: Slot, place: Place) -> None:
        if not self._visit(Visited(value, beside, slot, place, *self._holders[-1])):
            self._wrong_so_far += 1

    def _no_resource(self, raw: Json, place: Place | None) -> None:
        here = place or Place(None, "Resource")
        name = raw.get("resourceType") if isinstance(raw, dict) else None
        if not isinstance(raw, dict):
            text = f"is {kind_of(raw)}; a resource is an object with a resourceType"
        elif not isinstance(name, str):
            text = "has no resourceType; say which resource it is"
        else:
            near = get_close_matches(name, _resources(), 1)
            meant = f"; is {near[0]} meant?" if near else ""
            text = f"says that it is a '{name[:40]}', which FHIR R4 does not have{meant}"
        self.note("structure", here, ended(f"{here.expression} {text}"), "resource-type")

    def note(self, code: str, place: Place, text: str, rule: str) -> None:
        """Note an error; one more than MAX_ISSUES, so that it can be said that there are more."""
        self._wrong_so_far += 1
        if len(self.issues) <= MAX_ISSUES:
            self.issues.append(Issue("error", code, place.expression, text, rule, place.pointer))

    def _object(self, raw: Resource, shape: Shape, place: Place) -> None:
        """Walk the members of an object."""
        seen: dict[str, str] = {}
        members = shape.members
        for key in raw:
            slot, bare = members.get(key), key
            if slot is None:
                if key == "resourceType" and shape.name in _resources():
                    continue
                bare = key[1:] if key[:1] == "_" else ""
                slot = members.get(bare)
                if slot is None or not may_stand_beside(slot):
                    self._unknown(key, shape, place)
                    continue
            name = _element_of(slot).name
            other = seen.setdefault(name, bare)
            if other != bare:
                self.note(
                    "structure",
                    Place(place, name, key),
                    f"{place.expression} has {other} and {bare}; it may have one of them, so leave "
                    "the other out.",
                    "choice",
                )
            if bare is not key and bare in raw:
                continue  # it is walked with the value
            if (
                bare is key
                and slot.is_one_value
                and slot.beside not in raw
                and self._is_bare_and_right(raw[key], slot)
            ):
                continue  # so are most elements
            self._member(raw, bare, slot, place)
        for element in shape.needed:
            if element.name not in seen:
                self._missing(element, place)

    def _is_bare_and_right(self, value: Json, slot: Slot) -> bool:
        """Return whether a primitive is right: asked nothing but its form, or right before."""
        if self._passes(slot):
            return primitive_problem(value, slot.type_name) is None
        if self._right is None:
            return False
        key = self._right.key_of_code(slot, value)
        return key is not None and key in self._right

    def _unknown(self, key: str, shape: Shape, place: Place) -> None:
        if len(self.issues) > MAX_ISSUES:
            self._wrong_so_far += 1
            return  # what is near is not looked for where nothing is shown
        bare = key.removeprefix("_")
        found = shape.members.get(bare)
        if found is not None:
            text = f"has '{key}', but {bare} can have no extensions; remove it"
        elif key == "resourceType":
            text = "has a resourceType, which only a resource has; remove it"
        else:
            near = get_close_matches(bare, shape.members, 1) or [
                name for name in shape.members if name.lower() == bare.lower()
            ]
            choices = [
                name for name, slot in shape.members.items() if _element_of(slot).name == bare
            ]
            near = choices[:1] or near
            text = f"has no element '{key[:60]}' in FHIR R4" + (
                f"; is {near[0]} meant?" if near else "; remove it, or say it as an extension"
            )
        self.note(
            "structure",
            Place(place, bare, key),
            ended(f"{place.expression} {text}"),
            "unknown-element",
        )

    def _missing(self, element: Element, place: Place) -> None:
        name = element.name
        if element.is_choice:
            names = list(element.json_names())
            few = " or ".join(names) if len(names) <= FEW else f"{names[0]}, {names[1]}, …"
            name = f"{element.name}[x] ({few})"
        self.note(
            "required",
            place,
            f"{place.expression} has no {name}; R4 asks for it, so add it.",
            "cardinality",
        )

    def _member(self, raw: Resource, key: str, slot: Slot, place: Place) -> None:
        """Walk what stands under a name, and beside it under the same with an underscore."""
        element = _element_of(slot)
        here = Place(place, slot.step, key)
        value, beside = raw.get(key), raw.get(slot.beside)
        for each, name in ((value, key), (beside, slot.beside)):
            if name in raw and not self._fits(each, element, here, name):
                return
        if not element.is_list:
            self._element(value, beside, slot, here)
            return
        values = value if isinstance(value, list) else []
        extras = beside if isinstance(beside, list) else []
        if element.maximum is not None and len(values) > element.maximum:
            self.note(
                "structure",
                here,
                f"{here.expression} has {len(values)} items; R4 allows {element.maximum}, so take "
                "some out.",
                "cardinality",
            )
        if values and extras and len(values) != len(extras):
            self.note(
                "structure",
                here,
                f"{here.expression} has {len(values)} values, and _{key} has {len(extras)}; "
                "give both the same number, with null where there is none.",
                "sibling",
            )
        for index in range(max(len(values), len(extras))):
            self._element(
                values[index] if index < len(values) else None,
                extras[index] if index < len(extras) else None,
                slot,
                here.at(index),
            )

    def _fits(self, value: Json, element: Element, place: Place, name: str) -> bool:
        """Return whether a value is an array where it must be one, and not where it must not."""
        wrong = None
        if value is None:
            wrong = "is null; leave it out"
        elif element.is_list != isinstance(value, list):
            if element.is_list:
                wrong = f"is {kind_of(value)}; it may be there several times, so put it in an array"
            else:
                wrong = "is an array; it is there once at most, so take it out of the array"
        elif not value and isinstance(value, list | dict):
            wrong = f"is {kind_of(value)} with nothing in it; leave it out"
        if wrong is None:
            return True
        shown = place.expression if name[0] != "_" else f"{name} beside {place.expression}"
        self.note("structure", place, f"{shown} {wrong}.", "json-shape")
        return False

    def _element(self, value: Json, beside: Json, slot: Slot, place: Place) -> None:
        """Walk one element."""
        type_name = slot.type_name
        if is_primitive(type_name):
            self._primitive(value, beside, slot, place)
            return
        if value is None:
            self._wrong(place, "is null; leave it out")
        elif type_name == "Resource":
            self.resource(value, place)
        elif not isinstance(value, dict):
            self._wrong(
                place, f"is {kind_of(value)}; write an object, {{…}}, of the type {type_name}"
            )
        elif not value:
            self._wrong(place, "is an object with nothing in it; leave it out")
        else:
            key = None if self._right is None else self._right.key_of(slot, value, place)
            self._once(key, lambda: self._whole(value, slot, place))

    def _whole(self, value: Resource, slot: Slot, place: Place) -> None:
        self._tell(value, None, slot, place)
        self._object(value, shape_of(slot.type_name), place)

    def _primitive(self, value: Json, beside: Json, slot: Slot, place: Place) -> None:
        if beside is not None:
            if not isinstance(beside, dict):
                self._wrong(
                    place,
                    f"has {kind_of(beside)} as its _{place.key}; write an object with id or "
                    "extension",
                )
                return
            if not beside:
                self._wrong(place, f"has an empty object as its _{place.key}; leave it out")
                return
            self._object(beside, shape_of(ELEMENT), place)
        elif value is None:
            self._wrong(place, f"is null, and _{place.key} has nothing for it; leave it out")
            return
        if value is not None:
            problem = primitive_problem(value, slot.type_name)
            if problem is not None:
                rule = f"type-{slot.type_name}"
                self.note("value", place, f"{place.expression} {problem}.", rule)
                return
        if beside is not None:
            self._tell(value, beside, slot, place)
        elif not self._passes(slot):
            key = None if self._right is None else self._right.key_of_code(slot, value)
            before = self._wrong_so_far
            self._tell(value, None, slot, place)
            if self._right is not None and key is not None and self._wrong_so_far == before:
                self._right.add(key)

    def _wrong(self, place: Place, text: str) -> None:
        self.note("structure", place, f"{place.expression} {text}.", "json-shape")


def _element_of(slot: Slot) -> Element:
    """Return the element of a slot that stands in a shape."""
    assert slot.element is not None  # noqa: S101 - only a resource on its own has none
    return slot.element


def may_stand_beside(slot: Slot) -> bool:
    """Return whether an element can have an id and extensions: ids and an extension's url cannot.

    http://hl7.org/fhir/R4/resource.html#id, http://hl7.org/fhir/R4/extensibility.html#Extension
    """
    name = _element_of(slot).name
    bare = name == "id" or (name == "url" and slot.owner == "Extension")
    return is_primitive(slot.type_name) and not bare


@cache
def is_primitive(type_name: str) -> bool:
    """Return whether R4 has a primitive of that name."""
    definition = definition_of(type_name)
    return definition is not None and definition.kind == "primitive"


def resource_definition(raw: Json) -> Definition | None:
    """Return the type of a resource; None of what says none that data can have."""
    name: Any = raw.get("resourceType") if isinstance(raw, dict) else None
    definition = definition_of(name) if isinstance(name, str) else None
    if definition is None or definition.kind != "resource" or definition.is_abstract:
        return None
    return definition


@cache
def _resources() -> frozenset[str]:
    return frozenset(filter(is_resource, type_names()))
