"""A profile compiled: what it asks of each element beyond R4.

What R4 itself asks is asked elsewhere and left out here, so one cause is told once.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from ivfhir.errors import FhirPathError
from ivfhir.expressions.fhirpath import FhirPath, compile_fhirpath
from ivfhir.fhir.r4 import Element, definition_of
from ivfhir.fhir.r4.rules import NOT_AS_SAID, expressions_of
from ivfhir.fhir.types import STRUCTURE_DEFINITIONS, Json
from ivfhir.validation.profile.discriminators import Test, Trees, Types, slice_test
from ivfhir.validation.profile.elements import (
    UNBOUNDED,
    Bound,
    Constraint,
    ElementSaid,
    Slicing,
    TypeSaid,
    child_type,
    is_backbone,
)

EXTENSIONS = frozenset({"extension", "modifierExtension"})
BY_URL = Slicing((("value", "url"),), "open", ordered=False)
BY_TYPE = Slicing((("type", "$this"),), "open", ordered=False)
DEFAULT_SLICE = "@default"
"""The slice of what fits no other."""
EVERY_LANGUAGE = "http://hl7.org/fhir/ValueSet/all-languages"
"""R4 binds the language of every resource to it; snapshots repeat that."""
OF_SYSTEM = "http:"
"""Types of FHIRPath's own, as ids have them in definitions."""


@dataclass(frozen=True, slots=True)
class CompiledConstraint:
    """A rule of a profile; `problem` says why it cannot be asked, where it cannot."""

    constraint: Constraint
    holds: FhirPath | None
    problem: str | None = None


@dataclass(slots=True, eq=False)
class SliceCheck:
    """A slice: which items are of it, what is asked for a message, and what is asked of them."""

    name: str
    test: Test
    text: str
    check: "Check"


@dataclass(slots=True, eq=False)
class Check:
    """What a profile asks of an element.

    Attributes:
        name: without [x].
        shown: the name as people know it.
        minimum: how often at least; 0 where R4 asks as much.
        r4_minimum: how often R4 asks for it.
        maximum: how often at most, None where R4 allows no more.
        types: that it may have, None where R4 allows no other.
        profiles: one of which a value of the type must conform to.
        targets: of references, None where R4 allows no other.
        fixed: the JSON that it must be.
        pattern: the JSON that must be in it.
        lowest: see ElementSaid, as the next two.
        highest: the same.
        longest: the same.
        bindings: strength and value set.
        constraints: rules.
        slicing: how items are told apart; None where nothing depends on that.
        slices: in their order.
        children: checks of what is inside it.
    """

    name: str
    shown: str = ""
    minimum: int = 0
    r4_minimum: int = 0
    maximum: int | None = None
    types: frozenset[str] | None = None
    profiles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    targets: tuple[str, ...] | None = None
    fixed: Json = None
    pattern: Json = None
    lowest: Bound | None = None
    highest: Bound | None = None
    longest: int | None = None
    bindings: tuple[tuple[str, str], ...] = ()
    constraints: tuple[CompiledConstraint, ...] = ()
    slicing: Slicing | None = None
    slices: list[SliceCheck] = field(default_factory=list)
    children: "list[Check]" = field(default_factory=list)

    @property
    def asks_nothing(self) -> bool:
        """Whether R4 asks all of it already."""
        said = (self.minimum, self.profiles, self.bindings, self.constraints, self.slicing)
        set_ = (self.maximum, self.types, self.targets, self.fixed, self.pattern, self.longest)
        bounds = (self.lowest, self.highest)
        return not any((*said, *bounds, self.children)) and all(each is None for each in set_)


class Compiler:
    """Compiles the tree of one profile."""

    def __init__(self, root: ElementSaid, type_name: str, trees: Trees, types: Types) -> None:
        """Keep the tree, and how other profiles are asked."""
        self._root = root
        self._type = type_name
        self._trees = trees
        self._types = types

    def compiled(self) -> Check:
        """Return what is asked of an element of the profile's type."""
        root = self._root
        return Check(
            name=self._type,
            fixed=root.fixed,
            pattern=root.pattern,
            constraints=_compiled_constraints(root.constraints, self._type),
            children=self._children(root, self._type),
        )

    def _children(self, said: ElementSaid, type_name: str) -> list[Check]:
        definition = definition_of(type_name)
        if definition is None:
            return []
        checks = []
        for name, element in definition.elements.items():
            child = said.children.get(name)
            if child is not None:
                checks.append(self._check(child, element))
        return [each for each in checks if not each.asks_nothing]

    def _check(self, said: ElementSaid, element: Element) -> Check:
        types = _types(said, element)
        check = Check(
            name=element.name,
            shown=f"{element.name}[x]" if element.is_choice else element.name,
            minimum=_more(said.minimum, element.minimum),
            r4_minimum=element.minimum,
            maximum=_less(said.maximum, element.maximum),
            types=types,
            profiles=_profiles(said),
            targets=_targets(said, element),
            fixed=said.fixed,
            pattern=said.pattern,
            lowest=said.lowest,
            highest=said.highest,
            longest=said.longest,
            bindings=tuple(e for e in said.bindings or () if not _binds_alike(e, element)),
            constraints=_compiled_constraints(said.constraints, child_type(element, said)),
            children=self._children(said, child_type(element, said)) if said.children else [],
        )
        self._add_slices(check, said, element)
        return check

    def _add_slices(self, check: Check, said: ElementSaid, element: Element) -> None:
        if not said.slices:
            return
        slicing = said.slicing or _implicit(element) or Slicing((), "open", ordered=False)
        for name, each in said.slices.items():
            typed = _typed(each, name, element)
            test, text = slice_test(slicing.discriminators, typed, self._trees, self._types)
            inner = self._check(typed, element)
            inner.minimum = each.minimum or 0
            inner.maximum = None if each.maximum in (None, UNBOUNDED) else each.maximum
            check.slices.append(SliceCheck(name, test, text, inner))
        matters = slicing.ordered or slicing.rules != "open"
        if matters or not all(each.check.asks_nothing for each in check.slices):
            check.slicing = slicing


def _implicit(element: Element) -> Slicing | None:
    """Return how items are told apart where a profile need not say so."""
    if element.name in EXTENSIONS:
        return BY_URL
    return BY_TYPE if element.is_choice else None


def _typed(said: ElementSaid, name: str, element: Element) -> ElementSaid:
    """Return a slice of a choice with the type of its name, where it says none."""
    named = element.json_names().get(name) if element.is_choice else None
    if said.types is not None or named is None:
        return said
    return replace(said, types=(TypeSaid(named),))


def _more(minimum: int | None, r4: int) -> int:
    return minimum if minimum is not None and minimum > r4 else 0


def _less(maximum: int | None, r4: int | None) -> int | None:
    if maximum is None or maximum == UNBOUNDED:
        return None
    return maximum if r4 is None or maximum < r4 else None


def _binds_alike(binding: tuple[str, str], element: Element) -> bool:
    """Return whether R4 binds the element to the same value set."""
    strength, url = binding[0], binding[1].partition("|")[0]
    if element.binding is None:
        return url == EVERY_LANGUAGE and element.name == "language"
    r4_strength, r4_url = element.binding
    return url == r4_url.partition("|")[0] and r4_strength in (strength, "required")


def _types(said: ElementSaid, element: Element) -> frozenset[str] | None:
    if is_backbone(element):
        return None
    codes = {each.code for each in said.types or () if not each.code.startswith(OF_SYSTEM)}
    return frozenset(codes) if codes and not codes.issuperset(element.types) else None


def _profiles(said: ElementSaid) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for each in said.types or ():
        if each.profiles:
            found[each.code] = (*found.get(each.code, ()), *each.profiles)
    return found


def _targets(said: ElementSaid, element: Element) -> tuple[str, ...] | None:
    rows = [url for each in said.types or () for url in each.targets]
    names = {each.removeprefix(STRUCTURE_DEFINITIONS) for each in rows}
    return tuple(dict.fromkeys(rows)) if names and names != set(element.targets) else None


def _compiled_constraints(
    constraints: Sequence[Constraint], type_name: str
) -> tuple[CompiledConstraint, ...]:
    return tuple(_compiled(each, type_name) for each in constraints if not _is_of_r4(each))


def _is_of_r4(constraint: Constraint) -> bool:
    """Return whether a rule is one of R4's, which snapshots repeat."""
    expressions = expressions_of(constraint.key)
    if not expressions and constraint.key not in NOT_AS_SAID:
        return False
    if constraint.source is not None:
        return constraint.source.startswith(STRUCTURE_DEFINITIONS)
    return constraint.key in NOT_AS_SAID or constraint.expression in expressions


def _compiled(constraint: Constraint, type_name: str) -> CompiledConstraint:
    if constraint.expression is None:
        return CompiledConstraint(constraint, None, "it is not said in FHIRPath")
    try:
        holds = compile_fhirpath(constraint.expression, context_type=type_name, several_as=True)
    except FhirPathError as error:
        return CompiledConstraint(constraint, None, error.message)
    return CompiledConstraint(constraint, holds)
