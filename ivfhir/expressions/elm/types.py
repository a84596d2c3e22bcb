"""The types of ELM expressions, and what of them the evaluator needs at run time.

A named type is a string, `System.Integer` or `FHIR.Quantity`; the others are small frozen classes.
Values of System types and resources tell their type themselves. An element of a resource does not:
where its static type is lost (a choice, Any), it is wrapped in `Typed`, and unwrapped when a cast
names the type again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Union

from ivfhir.expressions.values import Typed
from ivfhir.expressions.values.value import Value

ANY = "System.Any"
BOOLEAN = "System.Boolean"
INTEGER = "System.Integer"
LONG = "System.Long"
DECIMAL = "System.Decimal"
STRING = "System.String"
DATE = "System.Date"
DATE_TIME = "System.DateTime"
TIME = "System.Time"
QUANTITY = "System.Quantity"
RATIO = "System.Ratio"
CODE = "System.Code"
CONCEPT = "System.Concept"
CODE_SYSTEM = "System.CodeSystem"
VALUE_SET = "System.ValueSet"
NULL = "System.Null"
"""The type of the literal null: fits everywhere."""

SYSTEM_NAMESPACE = "{urn:hl7-org:elm-types:r1}"
FHIR_NAMESPACE = "{http://hl7.org/fhir}"


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list."""

    element: "ElmType"


@dataclass(frozen=True, slots=True)
class IntervalOf:
    """An interval."""

    point: "ElmType"


@dataclass(frozen=True, slots=True)
class TupleOf:
    """A tuple: names and types, sorted by name."""

    elements: tuple[tuple[str, "ElmType"], ...]

    def get(self, name: str) -> "ElmType":
        """Return the type of an element, Any when there is none of that name."""
        return dict(self.elements).get(name, ANY)


@dataclass(frozen=True, slots=True)
class ChoiceOf:
    """One of several types."""

    options: frozenset["ElmType"]


ElmType = Union[str, ListOf, IntervalOf, TupleOf, ChoiceOf]  # noqa: UP007 - forward names


def named(name: str) -> str:
    """Return our name of an ELM qualified name such as `{http://hl7.org/fhir}Quantity`."""
    if name.startswith(SYSTEM_NAMESPACE):
        return "System." + name[len(SYSTEM_NAMESPACE) :]
    if name.startswith(FHIR_NAMESPACE):
        return "FHIR." + name[len(FHIR_NAMESPACE) :]
    return name


def from_specifier(node: dict[str, Value] | None) -> "ElmType":
    """Return the type of an ELM TypeSpecifier; Any when there is none."""
    if node is None:
        return ANY
    kind = node.get("type", "NamedTypeSpecifier")
    return SPECIFIERS[kind](node) if kind in SPECIFIERS else ANY


SPECIFIERS: dict[str, Callable[[dict[str, Value]], "ElmType"]] = {
    "NamedTypeSpecifier": lambda node: named(node["name"]),
    "ListTypeSpecifier": lambda node: ListOf(from_specifier(node["elementType"])),
    "IntervalTypeSpecifier": lambda node: IntervalOf(from_specifier(node["pointType"])),
    "ChoiceTypeSpecifier": lambda node: choice(map(from_specifier, node.get("choice", []))),
    "TupleTypeSpecifier": lambda node: tuple_of(
        {e["name"]: from_specifier(e.get("elementType")) for e in node.get("element", [])}
    ),
}


def tuple_of(elements: dict[str, ElmType]) -> TupleOf:
    """Return the type of a tuple with these elements."""
    return TupleOf(tuple(sorted(elements.items(), key=lambda item: item[0])))


def choice(options: Iterable["ElmType"]) -> "ElmType":
    """Return the type that is one of the options: themselves if one, Any if any of them is."""
    flat: set[ElmType] = set()
    for option in options:
        flat |= option.options if isinstance(option, ChoiceOf) else {option}
    flat.discard(NULL)
    if len(flat) <= 1:
        return next(iter(flat), NULL)
    if ANY in flat:
        return ANY
    if all(isinstance(option, ListOf) for option in flat):
        return ListOf(choice(o.element for o in flat if isinstance(o, ListOf)))
    return ChoiceOf(frozenset(flat))


def element_of(type_: ElmType) -> ElmType:
    """Return the element type of a list type, Any for others."""
    return type_.element if isinstance(type_, ListOf) else ANY


def point_of(type_: ElmType) -> ElmType:
    """Return the point type of an interval type, Any for others."""
    return type_.point if isinstance(type_, IntervalOf) else ANY


def is_open(type_: ElmType) -> bool:
    """Return whether values of this type must tell their own type."""
    return type_ == ANY or isinstance(type_, ChoiceOf)


def wrapper(source: ElmType, target: ElmType) -> Callable[[Value], Value] | None:
    """Return what makes a value of static type `source` tell its own type as `target` needs.

    None when nothing is to be done.
    """
    if isinstance(source, ListOf):
        inner = wrapper(source.element, target.element if isinstance(target, ListOf) else ANY)
        if inner is None or not (isinstance(target, ListOf) or is_open(target)):
            return None
        wrap_element = inner
        return lambda v: [wrap_element(x) for x in v] if v.__class__ is list else v
    if isinstance(source, TupleOf):
        return _tuple_wrapper(source, target)
    if is_open(target) and isinstance(source, str) and source.startswith("FHIR."):
        return _tagger(source)
    return None


def _tuple_wrapper(source: TupleOf, target: ElmType) -> Callable[[Value], Value] | None:
    """Return what wraps the elements of a tuple."""
    wrappers = {}
    for name, type_ in source.elements:
        to = target.get(name) if isinstance(target, TupleOf) else ANY
        inner = wrapper(type_, to)
        if inner is not None:
            wrappers[name] = inner
    if not wrappers or not (isinstance(target, TupleOf) or is_open(target)):
        return None

    def wrap(value: Value) -> Value:
        if value.__class__ is not dict:
            return value
        copy = dict(value)
        for name, inner in wrappers.items():
            copy[name] = inner(copy.get(name))
        return copy

    return wrap


def _tagger(source: str) -> Callable[[Value], Value]:
    """Return what wraps an element of that FHIR type; resources stay as they are."""

    def tag(value: Value) -> Value:
        if value is None or value.__class__ is Typed:
            return value
        if value.__class__ is dict and "resourceType" in value:
            return value
        return Typed(source, value)

    return tag


def cql_name(type_: ElmType) -> str:
    """Return a type as CQL writes it, `List<String>`; a tuple without its elements."""
    if isinstance(type_, ListOf):
        return f"List<{cql_name(type_.element)}>"
    if isinstance(type_, IntervalOf):
        return f"Interval<{cql_name(type_.point)}>"
    if isinstance(type_, ChoiceOf):
        return f"Choice<{', '.join(sorted(map(cql_name, type_.options)))}>"
    return "Tuple" if isinstance(type_, TupleOf) else type_.removeprefix("System.")
