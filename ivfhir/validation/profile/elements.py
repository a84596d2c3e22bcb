"""What a StructureDefinition says of elements, as a tree (http://hl7.org/fhir/R4/elementdefinition.html).

A tree says only what the definition says, be it a snapshot or a differential: what is None, or not
there, is left as the base has it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from ivfhir.errors import InputError
from ivfhir.fhir.r4 import Element, definition_of
from ivfhir.fhir.types import STRUCTURE_DEFINITIONS, Json, Resource

MANY = "*"
UNBOUNDED = 2**31
"""The maximum of what may be there as often as one likes."""
MAX_DIGITS = 9
"""Of a cardinality."""
MAX_VALUE_SET = "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet"
STRENGTHS = frozenset({"required", "extensible"})
CHOICE = "[x]"
MAX_STEPS = 40
"""Steps of an element's path, and of a slice's name; R4's longest way has eight."""
Segment = tuple[str, str | None]
"""A step of an element's id: its name without [x], and the slice."""
Bound = tuple[str, Json]
"""The type and JSON of a value."""


@dataclass(frozen=True, slots=True)
class TypeSaid:
    """A type that an element may have.

    Attributes:
        code: of R4.
        profiles: one of which the value must conform to; empty for any.
        targets: of a Reference or canonical, one of which its target must conform to.
    """

    code: str
    profiles: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Constraint:
    """A rule of a profile.

    Attributes:
        key: its id.
        severity: error or warning.
        human: what it says to people.
        expression: FHIRPath; None where it has none.
        source: canonical of the definition that says it first; None where that is not said.
    """

    key: str
    severity: str
    human: str
    expression: str | None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Slicing:
    """How the items of an element are told apart.

    Attributes:
        discriminators: type and path of each.
        rules: open, closed or openAtEnd.
        ordered: slices come in the order in which they are defined.
    """

    discriminators: tuple[tuple[str, str], ...]
    rules: str
    ordered: bool


@dataclass(slots=True)
class ElementSaid:
    """What a definition says of an element.

    Attributes:
        minimum: how often at least.
        maximum: how often at most; UNBOUNDED for as often as one likes.
        types: that it may have.
        fixed: the JSON that it must be; None where nothing is said.
        pattern: the JSON that must be in it.
        lowest: the type and JSON of the value that it must not be below.
        highest: the same of the value that it must not be above.
        longest: how many characters it may have.
        bindings: strength and value set, required and extensible ones.
        constraints: rules.
        slicing: of its items.
        slices: by name, in their order.
        children: by name without [x].
    """

    minimum: int | None = None
    maximum: int | None = None
    types: tuple[TypeSaid, ...] | None = None
    fixed: Json = None
    pattern: Json = None
    lowest: Bound | None = None
    highest: Bound | None = None
    longest: int | None = None
    bindings: tuple[tuple[str, str], ...] | None = None
    constraints: tuple[Constraint, ...] = ()
    slicing: Slicing | None = None
    slices: "dict[str, ElementSaid]" = field(default_factory=dict)
    children: "dict[str, ElementSaid]" = field(default_factory=dict)


def read_elements(elements: Sequence[Resource], type_name: str) -> ElementSaid:
    """Return the tree of a snapshot or differential.

    Args:
        elements: ElementDefinitions, in their order.
        type_name: of R4, that the profile is about.

    Raises:
        InputError: a path is longer than any of R4's.
    """
    root = ElementSaid()
    before: list[Segment] = []
    for each in elements:
        segments = _segments_of(each, before)
        if len(segments) + max((e.count("/") for _, e in segments if e), default=0) > MAX_STEPS:
            raise InputError(
                f"A profile of {type_name} names an element more than {MAX_STEPS} steps deep, "
                "which R4 does not have; check what wrote it."
            )
        if segments:
            _note(each, _place_of(root, segments[1:]))
            before = segments
    _settle_choices(root, type_name)
    return root


def _segments_of(element: Resource, before: Sequence[Segment]) -> list[Segment]:
    """Return the steps to an element: by its id, where there is one that fits its path.

    Else it stands in the slices of the element before it, as far as their paths are one.
    """
    path = element.get("path")
    if not isinstance(path, str):
        return []
    names = [name.removesuffix(CHOICE) for name in path.split(".")]
    said = element.get("id")
    if isinstance(said, str):
        split = [each.partition(":") for each in said.split(".")]
        found = [(name.removesuffix(CHOICE), slice_ or None) for name, _, slice_ in split]
        if [name for name, _ in found] == names:
            return found
    segments: list[Segment] = []
    for index, name in enumerate(names[:-1]):
        same = segments == list(before[:index]) and index < len(before) and before[index][0] == name
        segments.append((name, before[index][1] if same else None))
    slice_name = element.get("sliceName")
    return [*segments, (names[-1], slice_name if isinstance(slice_name, str) else None)]


def _place_of(root: ElementSaid, segments: Sequence[Segment]) -> ElementSaid:
    """Return the node of an element, made where it is not there yet."""
    node = root
    for name, slice_ in segments:
        node = node.children.setdefault(name, ElementSaid())
        if slice_ is not None:
            parts = slice_.split("/")
            for number in range(len(parts)):  # a reslice is a slice of the slice
                node = node.slices.setdefault("/".join(parts[: number + 1]), ElementSaid())
    return node


def _settle_choices(node: ElementSaid, type_name: str) -> None:
    """Make `valueQuantity`, as some write it, the slice of `value[x]` that it means.

    Where it is the only one, the choice may be nothing else:
    http://hl7.org/fhir/R4/elementdefinition.html#path
    """
    definition = definition_of(type_name)
    if definition is None:
        return
    apart: dict[str, ElementSaid] = {}
    for name in [each for each in node.children if each not in definition.elements]:
        choice = next((e for e in definition.elements.values() if name in e.json_names()), None)
        if choice is not None:
            said = apart[choice.name] = node.children.pop(name)
            said.types = said.types or (TypeSaid(choice.json_names()[name]),)
            node.children.setdefault(choice.name, ElementSaid()).slices[name] = said
    for name, said in apart.items():
        whole = node.children[name]
        if whole.types is None and len(whole.slices) == 1:
            whole.types = said.types
    for name, child in node.children.items():
        element = definition.elements.get(name)
        if element is not None:
            for each in (child, *all_slices(child)):
                _settle_choices(each, child_type(element, each))


def all_slices(node: ElementSaid) -> Iterator[ElementSaid]:
    """Yield the slices of an element, with the slices of these."""
    for each in node.slices.values():
        yield each
        yield from all_slices(each)


def child_type(element: Element, said: ElementSaid) -> str:
    """Return the type that an element has by a profile; `Element` where it may have several."""
    if is_backbone(element):
        return element.types[0]
    codes = tuple(dict.fromkeys(each.code for each in said.types or ())) or element.types
    return codes[0] if len(codes) == 1 else "Element"


def is_backbone(element: Element) -> bool:
    """Return whether an element has a type of its own, which profiles call BackboneElement."""
    definition = definition_of(element.types[0])
    return definition is not None and definition.kind == "backbone"


def _note(element: Resource, said: ElementSaid) -> None:
    """Note what an ElementDefinition says; what has another shape than R4's is not there."""
    minimum, maximum = element.get("min"), element.get("max")
    if isinstance(minimum, int):
        said.minimum = minimum
    if isinstance(maximum, str):
        said.maximum = UNBOUNDED if maximum == MANY else _number(maximum)
    if element.get("type"):
        said.types = tuple(_type_said(each) for each in _objects(element["type"]))
    for name, value in element.items():
        if name[:5] == "fixed" and name[5:6].isupper():
            said.fixed = value
        elif name[:7] == "pattern" and name[7:8].isupper():
            said.pattern = value
        elif name[:8] == "minValue":
            said.lowest = (_type_of(name[8:]), value)
        elif name[:8] == "maxValue":
            said.highest = (_type_of(name[8:]), value)
    if isinstance(element.get("maxLength"), int):
        said.longest = element["maxLength"]
    if isinstance(element.get("binding"), dict):
        said.bindings = _bindings_said(element["binding"])
    said.constraints = tuple(_constraint_said(each) for each in _objects(element.get("constraint")))
    if isinstance(element.get("slicing"), dict):
        said.slicing = _slicing_said(element["slicing"])


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS else None


def _type_of(ending: str) -> str:
    """Return the type that the name of a choice ends with: of `minValueDate` it is `date`."""
    lower = f"{ending[:1].lower()}{ending[1:]}"
    return ending if definition_of(lower) is None else lower


def _type_said(raw: Resource) -> TypeSaid:
    code = str(raw.get("code", "")).removeprefix(STRUCTURE_DEFINITIONS)
    return TypeSaid(code, _texts(raw.get("profile")), _texts(raw.get("targetProfile")))


def _bindings_said(raw: Resource) -> tuple[tuple[str, str], ...]:
    found = [
        ("required", extension.get("valueCanonical") or extension.get("valueUri"))
        for extension in _objects(raw.get("extension"))
        if extension.get("url") == MAX_VALUE_SET
    ]
    strength = raw.get("strength")
    if isinstance(strength, str) and strength in STRENGTHS:
        found.append((strength, raw.get("valueSet")))
    return tuple((strength, url) for strength, url in found if isinstance(url, str))


def _constraint_said(raw: Resource) -> Constraint:
    expression, source = raw.get("expression"), raw.get("source")
    return Constraint(
        key=str(raw.get("key", "")),
        severity="warning" if raw.get("severity") == "warning" else "error",
        human=str(raw.get("human", "")),
        expression=expression if isinstance(expression, str) else None,
        source=source if isinstance(source, str) else None,
    )


def _slicing_said(raw: Resource) -> Slicing:
    return Slicing(
        discriminators=tuple(
            (str(each.get("type")), str(each.get("path")))
            for each in _objects(raw.get("discriminator"))
        ),
        rules=str(raw.get("rules", "open")),
        ordered=raw.get("ordered") is True,
    )


def _objects(value: Json) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(value: Json) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()
