"""Resources with one fault each, made from what a snapshot asks; its reading here is its own.

A fault inside an optional slice only takes an item out of it, so it is none and is left out.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

Json = Any
Pointer = tuple[str | int, ...]


@dataclass(frozen=True)
class Mutant:
    """A resource with a fault: its kind, the element of the profile, and where it is to be told."""

    kind: str
    element: str
    resource: Json
    place: Pointer


@dataclass(frozen=True)
class Spot:
    """A value in a resource: what holds it, under which name and number, and the way to it."""

    holder: Json
    key: str
    index: int | None
    pointer: Pointer
    value: Json

    @property
    def around(self) -> Pointer:
        """The way to what holds it."""
        return self.pointer[: -1 if self.index is None else -2]

    def put(self, value: Json) -> None:
        if self.index is None:
            self.holder[self.key] = value
        else:
            self.holder[self.key][self.index] = value

    def remove(self) -> None:
        if self.index is not None and len(self.holder[self.key]) > 1:
            del self.holder[self.key][self.index]
        else:
            del self.holder[self.key]


class Snapshot:
    """The elements of a StructureDefinition with a snapshot, by id."""

    def __init__(self, definition: Json, is_outside: Callable[[str], bool]) -> None:
        """`is_outside` says whether the code zzz is known not to be in a value set."""
        self.elements = {e["id"]: e for e in definition["snapshot"]["element"][1:]}
        self.is_outside = is_outside

    def mutants(self, resource: Json) -> Iterator[Mutant]:
        for id_, element in self.elements.items():
            for number in range(len(self.find(resource, id_))):
                for kind, change, inner in self.changes(id_, element):
                    copy = deepcopy(resource)
                    spot = self.find(copy, id_)[number]
                    place = change(spot, copy)
                    if place is not None and (inner or not is_in_a_slice(id_)):
                        yield Mutant(kind, id_, copy, place)

    def changes(self, id_: str, element: Json) -> Iterator[tuple[str, Callable[..., Any], bool]]:
        """Yield kind, what changes a copy and says where, and whether it stays in its slice."""
        minimum, maximum = element.get("min", 0), element.get("max", "*")
        types = [each["code"] for each in element.get("type", [])]
        _, value = valued(element)

        def alone(spot: Spot, copy: Json) -> bool:
            return sum(each.holder is spot.holder for each in self.find(copy, id_)) == minimum

        def missing(spot: Spot, copy: Json) -> Pointer | None:
            if not alone(spot, copy):
                return None
            spot.remove()
            return spot.around

        def too_many(spot: Spot, copy: Json) -> Pointer | None:
            if spot.index is None:
                return None
            times = int(maximum)
            spot.holder[spot.key].extend(deepcopy(spot.value) for _ in range(times))
            return (*spot.around, spot.key)

        def other_value(spot: Spot, copy: Json) -> Pointer | None:
            spot.put(spoilt(spot.value))
            return spot.pointer

        def other_target(spot: Spot, copy: Json) -> Pointer | None:
            if not isinstance(spot.value, dict) or "/" not in spot.value.get("reference", ""):
                return None
            spot.put({**spot.value, "reference": "Basic/1"})
            return spot.pointer

        def other_type(spot: Spot, copy: Json) -> Pointer | None:
            spot.remove()
            spot.holder[f"{id_.rpartition('.')[2].partition('[')[0]}String"] = "x"
            return spot.around

        sliced = ":" in id_.rpartition(".")[2]
        if minimum:
            yield "slice missing" if sliced else "missing", missing, sliced
        if maximum not in ("*", "0"):
            yield "too many of a slice" if sliced else "too many", too_many, True
        if value is not None and not sliced:
            yield "other value", other_value, False
        binding = element.get("binding", {})
        if binding.get("strength") == "required" and self.is_outside(binding["valueSet"]):
            yield "other code", other_value, False
        targets = [url for each in element.get("type", []) for url in each.get("targetProfile", [])]
        if targets and not any(url.endswith(("/Resource", "/Basic")) for url in targets):
            yield "other target", other_target, True
        if id_.endswith("[x]") and types and "string" not in types:
            yield "other type", other_type, False

    def find(self, resource: Json, id_: str) -> list[Spot]:
        """Return the values that an element of the profile is about."""
        found = [Spot(None, "", None, (), resource)]
        path = id_.partition(".")[0]
        for segment in id_.split(".")[1:]:
            path = f"{path}.{segment}"
            found = [
                spot
                for outer in found
                for spot in spots(outer, segment)
                if ":" not in segment or self.is_of(spot.value, path, segment, spot.key)
            ]
        return found

    def is_of(self, value: Json, id_: str, segment: str, key: str) -> bool:
        """Return whether a value is of a slice: by its type, its url, or fixed values inside it."""
        name, _, slice_ = segment.partition(":")
        if name.endswith("[x]"):
            return key == slice_
        element = self.elements[id_]
        urls = [each.get("profile", [None])[0] for each in element.get("type", [])]
        if name == "extension":
            return isinstance(value, dict) and value.get("url") in urls
        wanted = [valued(element)[1]]
        wanted += [
            {child[len(id_) + 1 :]: valued(each)[1]}
            for child, each in self.elements.items()
            if child.rpartition(".")[0] == id_ and valued(each)[1] is not None
        ]
        known = [each for each in wanted if each is not None]
        return bool(known) and all(holds(value, each) for each in known)


def is_in_a_slice(id_: str) -> bool:
    """Return whether a slice holds an element."""
    return ":" in id_.rpartition(".")[0]


def spots(outer: Spot, segment: str) -> Iterator[Spot]:
    """Yield what an object holds under the name of an element."""
    name = segment.partition(":")[0]
    value = outer.value if isinstance(outer.value, dict) else {}
    start = name.removesuffix("[x]")
    for key in list(value):
        typed = name != start and key.startswith(start) and key[len(start) :][:1].isupper()
        if key == name or typed:
            items = value[key]
            if isinstance(items, list):
                for index, item in enumerate(items):
                    yield Spot(value, key, index, (*outer.pointer, key, index), item)
            else:
                yield Spot(value, key, None, (*outer.pointer, key), items)


def valued(element: Json) -> tuple[str | None, Json]:
    """Return the name and the value of what is fixed, or a pattern."""
    for name, value in element.items():
        if name.startswith(("fixed", "pattern")):
            return name, value
    return None, None


def holds(value: Json, pattern: Json) -> bool:
    if isinstance(pattern, dict):
        return isinstance(value, dict) and all(
            key in value and holds(value[key], each) for key, each in pattern.items()
        )
    if isinstance(pattern, list):
        return isinstance(value, list) and all(
            any(holds(item, each) for item in value) for each in pattern
        )
    return bool(value == pattern)


def spoilt(value: Json) -> Json:
    """Return a value whose codes, or whose text, are others."""
    if isinstance(value, dict):
        return {key: spoilt(each) if key in CODED else each for key, each in value.items()}
    if isinstance(value, list):
        return [spoilt(each) for each in value]
    return "zzz"


CODED = frozenset({"coding", "code", "value"})
