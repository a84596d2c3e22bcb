"""The types that FHIRPath sees: System's own, and those of FHIR R4 with their steps.

https://hl7.org/fhirpath/N1/#models, http://hl7.org/fhir/R4/fhirpath.html#types
"""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

from ivfhir.expressions.values import Date, DateTime, Quantity, Time
from ivfhir.expressions.values.dates import parse_date, parse_date_time, parse_time
from ivfhir.expressions.values.value import Value
from ivfhir.fhir.r4 import Definition, Element, definition_of, lineage_of

Convert = Callable[[Value], Value]
"""From the JSON of a primitive to its value; None where it cannot be read."""


class Type:
    """A type.

    Attributes:
        name: such as `Patient`, `Patient.contact`, `string`, or `Integer` of System.
        namespace: FHIR or System.
        kind: resource, complex, backbone, primitive, system, or untyped (JSON of no known type).
        lineage: its own name and those of its bases.
        convert: for a primitive.
    """

    __slots__ = ("_steps", "convert", "definition", "kind", "lineage", "name", "namespace")

    def __init__(self, name: str, namespace: str, kind: str, definition: Definition | None) -> None:
        """Keep them; steps are made when they are first asked for."""
        self.name = name
        self.namespace = namespace
        self.kind = kind
        self.definition = definition
        self.lineage = frozenset((name, *lineage_of(name)))
        self.convert: Convert | None = None
        self._steps: dict[str, Step] | None = None

    def __repr__(self) -> str:
        """Return namespace and name."""
        return f"{self.namespace}.{self.name}"

    @property
    def steps(self) -> dict[str, "Step"]:
        """Its elements by name."""
        if self._steps is None:
            elements = self.definition.elements if self.definition else {}
            self._steps = {name: Step(element) for name, element in elements.items()}
        return self._steps

    @property
    def is_quantity(self) -> bool:
        """Whether its values are quantities."""
        return "Quantity" in self.lineage


class Step:
    """The way from a type to one of its elements.

    Attributes:
        name: as FHIRPath says it.
        types: that the element can have, by its name in JSON.
        is_list: its JSON is an array.
        only: the one type that it can have; None for a choice.
    """

    __slots__ = ("_types", "element", "is_list", "json_names", "name")

    def __init__(self, element: Element) -> None:
        """Keep what the element says."""
        self.element = element
        self.name = element.name
        self.is_list = element.is_list
        self.json_names = element.json_names()
        self._types: dict[str, Type] | None = None

    @property
    def types(self) -> dict[str, Type]:
        """The types by JSON name."""
        if self._types is None:
            self._types = {key: fhir_type(name) for key, name in self.json_names.items()}
        return self._types

    @property
    def only(self) -> Type | None:
        """The one type, None for a choice."""
        return None if self.element.is_choice else self.types[self.name]


@dataclass(frozen=True, slots=True)
class _System:
    name: str
    python: type


def _as_text(raw: Value) -> Value:
    return raw if isinstance(raw, str) else None


def _as_boolean(raw: Value) -> Value:
    return raw if isinstance(raw, bool) else None


def _as_integer(raw: Value) -> Value:
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else None


def _as_decimal(raw: Value) -> Value:
    if raw.__class__ is Decimal:
        return raw
    if isinstance(raw, bool) or not isinstance(raw, int | float):
        return None
    return Decimal(raw) if isinstance(raw, int) else Decimal(repr(raw))


def _as_date(raw: Value) -> Value:
    return parse_date(raw) if isinstance(raw, str) else None


def _as_date_time(raw: Value) -> Value:
    return parse_date_time(raw) if isinstance(raw, str) else None


def _as_time(raw: Value) -> Value:
    return parse_time(raw) if isinstance(raw, str) else None


CONVERTS: dict[str, tuple[Convert, str]] = {
    "boolean": (_as_boolean, "Boolean"),
    "integer": (_as_integer, "Integer"),
    "decimal": (_as_decimal, "Decimal"),
    "date": (_as_date, "Date"),
    "dateTime": (_as_date_time, "DateTime"),
    "instant": (_as_date_time, "DateTime"),
    "time": (_as_time, "Time"),
}
"""How the JSON of a primitive is read, and the System type that it then has. Others are strings."""


@cache
def fhir_type(name: str) -> Type:
    """Return the FHIR type of a name that R4 has.

    Raises:
        KeyError: R4 has none.
    """
    definition = definition_of(name)
    if definition is None:
        raise KeyError(name)
    made = Type(name, "FHIR", definition.kind, definition)
    if definition.kind == "primitive":
        made.convert = conversion_of(made.lineage)[0]
    return made


def conversion_of(lineage: frozenset[str]) -> tuple[Convert, str]:
    """Return how a primitive of these bases is read, and the System type that it then has."""
    for name, found in CONVERTS.items():
        if name in lineage:
            return found
    return _as_text, "String"


def is_text(type_: Type) -> bool:
    """Return whether the values of a type are strings."""
    if type_.kind == "primitive":
        return conversion_of(type_.lineage)[1] == "String"
    return type_ is SYSTEM["String"]


SYSTEM: dict[str, Type] = {
    name: Type(name, "System", "system", None)
    for name in (
        "Any",
        "Boolean",
        "String",
        "Integer",
        "Decimal",
        "Date",
        "DateTime",
        "Time",
        "Quantity",
    )
}
SYSTEM["Quantity"].lineage = frozenset({"Quantity"})
UNTYPED = Type("Element", "FHIR", "untyped", None)
"""Of JSON whose type is not known: a resource of another FHIR version, or what `type()` gives."""
RESOURCE = fhir_type("Resource")
_OF_PYTHON: dict[type, Type] = {
    bool: SYSTEM["Boolean"],
    str: SYSTEM["String"],
    int: SYSTEM["Integer"],
    Decimal: SYSTEM["Decimal"],
    Date: SYSTEM["Date"],
    DateTime: SYSTEM["DateTime"],
    Time: SYSTEM["Time"],
    Quantity: SYSTEM["Quantity"],
}


def system_type_of(value: Value) -> Type:
    """Return the System type of a value."""
    return _OF_PYTHON.get(value.__class__, SYSTEM["Any"])


def resource_type(name: Value) -> Type:
    """Return the type of a resource by its `resourceType`, UNTYPED where R4 has none."""
    definition = definition_of(name) if isinstance(name, str) else None
    return UNTYPED if definition is None or definition.kind != "resource" else fhir_type(name)


def named_type(namespace: str | None, name: str) -> tuple[Type, ...]:
    """Return the types that a name means: System.Quantity and FHIR.Quantity share one.

    Nothing where there is none of that name.
    """
    found = []
    if namespace in (None, "FHIR") and definition_of(name) is not None:
        found.append(fhir_type(name))
    if namespace in (None, "System") and name in SYSTEM:
        found.append(SYSTEM[name])
    return tuple(found)
