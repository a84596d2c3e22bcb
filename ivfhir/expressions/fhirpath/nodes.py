"""The items of a collection: System values as they are, elements of FHIR as nodes.

A primitive of FHIR has its value in one member of the JSON and its id and extensions in another,
the one with an underscore (http://hl7.org/fhir/R4/json.html#primitive); a node holds both.
"""

from decimal import Decimal
from itertools import zip_longest

from ivfhir.expressions.fhirpath.types import (
    UNTYPED,
    Step,
    Type,
    resource_type,
    system_type_of,
)
from ivfhir.expressions.values import Quantity
from ivfhir.expressions.values.quantities import canonical_unit
from ivfhir.expressions.values.value import Value
from ivfhir.fhir.types import UCUM

Items = list[Value]
"""A collection: System values and nodes."""
CALENDAR_UNITS = {"a": "year", "mo": "month"}
"""UCUM's years and months are calendar ones in FHIR: http://hl7.org/fhir/R4/fhirpath.html#quantity"""


class Node:
    """An element of a resource.

    Attributes:
        value: its JSON; None for a primitive that has only an id or extensions.
        type: its type.
        extra: of a primitive: the JSON with its id and extensions, None where there is none.
    """

    __slots__ = ("extra", "type", "value")

    def __init__(self, value: Value, type_: Type, extra: Value = None) -> None:
        """Keep them."""
        self.value = value
        self.type = type_
        self.extra = extra

    def __repr__(self) -> str:
        """Return the type: no data of a patient."""
        return f"Node({self.type.name})"


def root_node(resource: Value) -> Node:
    """Return the node of a resource."""
    return Node(resource, resource_type(resource.get("resourceType")))


def element_node(raw: Value, type_: Type, extra: Value = None) -> Node:
    """Return a node; of a resource by its own `resourceType`."""
    if type_.kind == "resource" and raw.__class__ is dict:
        return Node(raw, resource_type(raw.get("resourceType")))
    return Node(raw, type_, extra)


def add_children(node: Value, name: str, found: Items) -> None:
    """Add the children of that name to a collection."""
    if node.__class__ is not Node:
        return
    step = node.type.steps.get(name)
    source = node.extra if node.type.convert is not None else node.value
    if source.__class__ is not dict:
        return
    if step is not None:
        add_step(source, step, found)
    elif node.type is UNTYPED and name in source and name != "resourceType":
        add_untyped(source[name], found)


def add_step(source: dict[str, Value], step: Step, found: Items) -> None:
    """Add what an object holds of an element."""
    only = step.only
    if only is not None:
        add_element(source, step.name, only, found)
        return
    types = step.types
    for key in source:
        type_ = types.get(key)
        if type_ is not None:
            add_element(source, key, type_, found)
        elif key[0] == "_" and key[1:] in types and key[1:] not in source:
            add_element(source, key[1:], types[key[1:]], found)


def add_element(source: dict[str, Value], key: str, type_: Type, found: Items) -> None:
    """Add what stands under a JSON name, with what stands under the same one with underscore."""
    raw = source.get(key)
    if type_.convert is None:
        if raw.__class__ is list:
            found.extend([element_node(each, type_) for each in raw if each is not None])
        elif raw is not None:
            found.append(element_node(raw, type_))
        return
    extra = source.get("_" + key)
    if raw.__class__ is list or extra.__class__ is list:
        values = raw if raw.__class__ is list else []
        extras = extra if extra.__class__ is list else []
        for one, beside in zip_longest(values, extras):
            if one is not None or beside is not None:
                found.append(Node(one, type_, beside))
    elif raw is not None or extra is not None:
        found.append(Node(raw, type_, extra))


def add_untyped(raw: Value, found: Items) -> None:
    """Add JSON of no known type: objects as nodes, all else as System values."""
    for each in raw if raw.__class__ is list else [raw]:
        if each.__class__ is dict:
            typed = "resourceType" in each
            found.append(root_node(each) if typed else Node(each, UNTYPED))
        elif each is not None:
            found.append(Decimal(repr(each)) if isinstance(each, float) else each)


def children_of(node: Value) -> Items:
    """Return all children, in the order of the type's elements."""
    found: Items = []
    if node.__class__ is not Node:
        return found
    source = node.extra if node.type.convert is not None else node.value
    if source.__class__ is not dict:
        return found
    if node.type is UNTYPED:
        for key, raw in source.items():
            if key != "resourceType":
                add_untyped(raw, found)
        return found
    for step in node.type.steps.values():
        add_step(source, step, found)
    return found


def value_of(item: Value) -> Value:
    """Return the System value of an item; None for a primitive without a value.

    A node of a complex type is itself, a FHIR Quantity a System one where it can be.
    """
    if item.__class__ is not Node:
        return item
    convert = item.type.convert
    if convert is not None:
        return None if item.value is None else convert(item.value)
    return quantity_of(item) if item.type.is_quantity else item


def quantity_of(node: Node) -> Value:
    """Return a FHIR Quantity as a System one; itself where it has a comparator or no value."""
    raw = node.value
    if raw.__class__ is not dict:
        return node
    number = raw.get("value")
    if isinstance(number, bool) or not isinstance(number, int | float | Decimal):
        return node
    if raw.get("comparator") is not None:
        return node
    value = Decimal(repr(number)) if isinstance(number, float) else Decimal(number)
    code = raw.get("code")
    if raw.get("system") == UCUM and isinstance(code, str):
        return Quantity(value, CALENDAR_UNITS.get(code, code))
    unit = code or raw.get("unit")
    return Quantity(value, unit if isinstance(unit, str) else "1")


def values_of(items: Items) -> Items:
    """Return the values of items, without those that have none."""
    return [value for value in map(value_of, items) if value is not None]


def type_of(item: Value) -> Type:
    """Return the type of an item."""
    found: Type = item.type if item.__class__ is Node else system_type_of(item)
    return found


def to_json(item: Value) -> Value:
    """Return an item as FHIR JSON; a primitive without a value is null."""
    if item.__class__ is Node:
        return item.value
    if isinstance(item, Quantity):
        return quantity_json(item)
    return item if isinstance(item, bool | int | Decimal | str) else str(item)


def quantity_json(quantity: Quantity) -> Value:
    """Return a quantity as a FHIR Quantity; the UCUM code of a calendar word where it has one."""
    code = canonical_unit(quantity.unit)
    return {"value": quantity.value, "unit": quantity.unit, "system": UCUM, "code": code}
