"""Which slice an item belongs to (http://hl7.org/fhir/R4/profiling.html#discriminator)."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ivfhir.expressions.operators.logical import Truth, all_of, any_of
from ivfhir.fhir.r4 import lineage_of
from ivfhir.fhir.types import Json
from ivfhir.packages.codes import Codes
from ivfhir.validation.profile.asked import Asked
from ivfhir.validation.profile.elements import ElementSaid, TypeSaid
from ivfhir.validation.profile.items import Item
from ivfhir.validation.profile.paths import Steps, navigate, path_of, steps_of
from ivfhir.validation.profile.values import holds_pattern, is_fixed, shown

Trees = Callable[[str], ElementSaid | None]
"""What the profile of a canonical says; None where it is not known."""
Types = Callable[[str], str | None]
"""The R4 type that the profile of a canonical is about; None where it is not known."""


Test = Callable[[Item, Asked], Truth]
SYSTEM_AND_CODE = ("system", "code")


@dataclass(frozen=True, slots=True)
class Requirement:
    """What an item, or what is inside it, must be.

    Attributes:
        steps: the way to what is asked.
        test: whether it is so.
        text: what is asked, for a message.
    """

    steps: Steps
    test: Test
    text: str


@dataclass(slots=True)
class _Spot:
    """Where a path leads in a profile: what is said there, and values that are asked from above."""

    said: list[ElementSaid]
    values: list[tuple[bool, Json]] = field(default_factory=list)


def slice_test(
    discriminators: Sequence[tuple[str, str]], said: ElementSaid, trees: Trees, types: Types
) -> tuple[Test, str]:
    """Return the test whether an item is one of a slice, and what is asked, for a message.

    Args:
        discriminators: type and path of each.
        said: what the profile says of the slice.
        trees: what other profiles say.
        types: what they are about.
    """
    found = [_test_of(kind, path, said, trees, types) for kind, path in discriminators]
    # A discriminator of which the slice says nothing tells nothing, where another one does.
    found = [each for each in found if each[1]] or found
    texts = [text for _, text in found if text]

    def test(item: Item, asked: Asked) -> Truth:
        return all_of(each(item, asked) for each, _ in found) if found else None

    return test, " and ".join(texts)


def _test_of(
    kind: str, path: str, said: ElementSaid, trees: Trees, types: Types
) -> tuple[Test, str]:
    steps = steps_of(path)
    spot = None if steps is None else _spot_of(said, steps, trees)
    if steps is None or spot is None:
        return (lambda item, asked: None), ""
    if kind in ("value", "pattern"):
        return _value_test(steps, spot, said)
    if kind == "exists":
        return _exists_test(steps, spot)
    follows = bool(steps) and steps[-1][0] == "resolve"
    named = _named_types(said, steps, trees)
    if kind == "type":
        return _type_test(steps, named, types, follows=follows)
    return _profile_test(steps, named, follows=follows) if kind == "profile" else (_unsure, "")


def _unsure(item: Item, asked: Asked) -> Truth:
    return None


def _value_test(steps: Steps, spot: _Spot, said: ElementSaid) -> tuple[Test, str]:
    needed = [_asks_value(value, (), fixed=fixed) for fixed, value in spot.values]
    needed += [_asks_code(url) for each in spot.said for url in _required(each)]
    if not needed:
        needed = [row for each in spot.said for row in _inside(each)]
    if not needed and steps[-1:] == (("child", "url"),):
        urls = {url.partition("|")[0] for each in said.types or () for url in each.profiles}
        needed = [_asks_one_of(urls)] if urls else []
    if not needed:
        return _unsure, ""

    def test(item: Item, asked: Asked) -> Truth:
        found = navigate(item, steps, asked)
        return None if found is None else any_of(_all(each, asked) for each in found)

    def _all(item: Item, asked: Asked) -> Truth:
        return all_of(_asks(each, item, asked) for each in needed)

    texts = dict.fromkeys(f"{path_of(steps)}{each.text}" for each in needed)
    return test, " and ".join(texts)


def _asks(requirement: Requirement, item: Item, asked: Asked) -> Truth:
    found = navigate(item, requirement.steps, asked)
    if found is None:
        return None
    return any_of(requirement.test(each, asked) for each in found)


def _asks_value(value: Json, steps: Steps, *, fixed: bool) -> Requirement:
    fits = is_fixed if fixed else holds_pattern
    text = f"{path_of(steps)}{short(value)}"
    return Requirement(steps, lambda item, asked: fits(item.value, value), text)


def _asks_one_of(urls: set[str]) -> Requirement:
    return Requirement((), lambda item, asked: item.value in urls, " or ".join(sorted(urls)))


def _asks_code(value_set: str) -> Requirement:
    name = value_set.partition("|")[0].rpartition("/")[2]
    return Requirement(
        (), lambda item, asked: is_member(item, asked.codes(value_set)), f"of the value set {name}"
    )


def is_member(item: Item, codes: Codes | None) -> Truth:
    """Return whether one of an element's codes is in a value set; None where that is not known."""
    if codes is None:
        return None
    if isinstance(item.value, str):
        return codes.has_code(item.value)
    unknown = False if codes.is_whole else None
    return any_of(
        unknown if system is None else codes.has(system, code) for system, code in codings_of(item)
    )


def codings_of(item: Item) -> list[tuple[str | None, str]]:
    """Return system and code of each code that an element has."""
    value = item.value
    if not isinstance(value, dict):
        return []
    inside = value.get("coding") if item.type_name == "CodeableConcept" else [value]
    rows = [each for each in inside if isinstance(each, dict)] if isinstance(inside, list) else []
    return [
        (system if isinstance(system, str) else None, code)
        for system, code in ((each.get("system"), each.get("code")) for each in rows)
        if isinstance(code, str)
    ]


def short(value: Json) -> str:
    """Return a value as short as it can be said whole: what has codes alone by these."""
    alone = isinstance(value, dict) and value.keys() == {"coding"}
    rows: Any = value["coding"] if isinstance(value, dict) and alone else [value]
    if not isinstance(rows, list) or not rows or not all(map(_is_code, rows)):
        return shown(value)
    return " and ".join(
        "|".join(each[name] for name in SYSTEM_AND_CODE if name in each) for each in rows
    )


def _is_code(row: Json) -> bool:
    """Return whether JSON is a code, with or without its system, and nothing more."""
    if not isinstance(row, dict) or "code" not in row or not row.keys() <= set(SYSTEM_AND_CODE):
        return False
    return all(isinstance(each, str) for each in row.values())


def _required(said: ElementSaid) -> list[str]:
    return [url for strength, url in said.bindings or () if strength == "required"]


def _inside(said: ElementSaid, steps: Steps = ()) -> Iterator[Requirement]:
    """Yield the values that are asked of what is inside an element."""
    for name, child in said.children.items():
        way = (*steps, ("child", name))
        for fixed, value in _values(child):
            yield _asks_value(value, way, fixed=fixed)
        if child.fixed is None and child.pattern is None:
            yield from _inside(child, way)


def _values(said: ElementSaid) -> list[tuple[bool, Json]]:
    rows = ((True, said.fixed), (False, said.pattern))
    return [(fixed, value) for fixed, value in rows if value is not None]


def _exists_test(steps: Steps, spot: _Spot) -> tuple[Test, str]:
    wanted: Truth = None
    for each in spot.said:
        if each.maximum == 0:
            wanted = False
        elif each.minimum and wanted is None:
            wanted = True
    if wanted is None:
        return _unsure, ""

    def test(item: Item, asked: Asked) -> Truth:
        found = navigate(item, steps, asked)
        return None if found is None else bool(found) is wanted

    return test, f"{'with' if wanted else 'without'} {path_of(steps).strip()}"


def _type_test(
    steps: Steps, named: list[TypeSaid], types: Types, *, follows: bool
) -> tuple[Test, str]:
    if follows:
        known = [types(url) for each in named for url in each.targets]
        codes = None if None in known else {each for each in known if each is not None}
    else:
        codes = {each.code for each in named}
    if not codes:
        return _unsure, ""
    wanted = codes

    def test(item: Item, asked: Asked) -> Truth:
        found = navigate(item, steps, asked)
        if found is None:
            return None
        return any(not wanted.isdisjoint(lineage_of(each.type_name)) for each in found)

    return test, f"{path_of(steps)}of type {' or '.join(sorted(wanted))}"


def _profile_test(steps: Steps, named: list[TypeSaid], *, follows: bool) -> tuple[Test, str]:
    urls = [u for each in named for u in (each.targets if follows else each.profiles)]
    if not urls:
        return _unsure, ""

    def test(item: Item, asked: Asked) -> Truth:
        found = navigate(item, steps, asked)
        if found is None:
            return None
        return any_of(asked.conforms(each, url) for each in found for url in urls)

    names = " or ".join(url.partition("|")[0].rpartition("/")[2] for url in urls)
    return test, f"{path_of(steps)}conforming to {names}"


def _named_types(said: ElementSaid, steps: Steps, trees: Trees) -> list[TypeSaid]:
    """Return the types that a profile names where a path leads; of `resolve()` of the reference."""
    way = steps[:-1] if steps and steps[-1][0] == "resolve" else steps
    spot = _spot_of(said, way, trees)
    return [each for node in spot.said for each in node.types or ()]


def _spot_of(said: ElementSaid, steps: Steps, trees: Trees) -> _Spot:
    spot = _Spot(_with_profiles(said, trees), _values(said))
    for kind, name in steps:
        if kind == "resolve":
            targets = [u for node in spot.said for each in node.types or () for u in each.targets]
            spot = _Spot([tree for tree in map(trees, targets) if tree is not None])
        elif kind == "extension":
            slices = [
                each
                for node in spot.said
                for each in node.children.get("extension", ElementSaid()).slices.values()
                if _has_url(each, name)
            ]
            spot = _Spot([tree for each in slices for tree in _with_profiles(each, trees)])
        elif kind == "child":
            inside = [(fixed, each) for fixed, v in spot.values for each in _inner(v, name)]
            nodes = [node.children[name] for node in spot.said if name in node.children]
            nodes += [each for node in nodes for each in node.slices.values() if each.minimum]
            inside += [row for node in nodes for row in _values(node)]
            spot = _Spot([tree for node in nodes for tree in _with_profiles(node, trees)], inside)
    return spot


def _inner(value: Json, name: str) -> list[Json]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, list) else [] if found is None else [found]


def _has_url(said: ElementSaid, url: str) -> bool:
    named = [each.partition("|")[0] for t in said.types or () for each in t.profiles]
    own = said.children.get("url", ElementSaid())
    return url in (*named, own.fixed, own.pattern)


def _with_profiles(said: ElementSaid, trees: Trees) -> list[ElementSaid]:
    """Return what is said of an element, and what the one profile of its one type says."""
    types = said.types or ()
    if len(types) != 1 or len(types[0].profiles) != 1:
        return [said]
    tree = trees(types[0].profiles[0])
    return [said] if tree is None else [said, tree]
