"""Readers of FHIR elements in raw JSON, by type and element name.

JSON of the wrong kind reads as null, an element that does not repeat and is absent as null, one
that repeats as an empty list. A primitive without a value but with extensions is the JSON of its
`_name` sibling: not null, but its `value` is.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import cache

from ivfhir.expressions.elm.types import (
    BOOLEAN,
    DATE,
    DATE_TIME,
    DECIMAL,
    INTEGER,
    STRING,
    TIME,
    ChoiceOf,
    ElmType,
    ListOf,
)
from ivfhir.expressions.fhir_model import Element, find_element, json_names, primitive_of
from ivfhir.expressions.values import Typed
from ivfhir.expressions.values.dates import parse_date, parse_date_time, parse_time
from ivfhir.expressions.values.value import Value

Read = Callable[[Value], Value]

CLASSES: dict[str, frozenset[type]] = {
    STRING: frozenset({str}),
    BOOLEAN: frozenset({bool}),
    INTEGER: frozenset({int}),
    DECIMAL: frozenset({int, Decimal, float}),
    DATE: frozenset({str}),
    DATE_TIME: frozenset({str}),
    TIME: frozenset({str}),
}
"""The classes of JSON that a FHIR primitive of each System type can be."""

MAX_FHIR_INTEGER = 2**31 - 1

MAX_DIGITS = 28
"""A CQL Decimal has so many digits; https://cql.hl7.org/09-b-cqlreference.html#decimal-1."""


def read_string(raw: Value) -> str | None:
    """Return the text of a string, code, uri or other FHIR text."""
    return raw if raw.__class__ is str else None


def read_boolean(raw: Value) -> bool | None:
    """Return the truth of a FHIR boolean."""
    return raw if raw.__class__ is bool else None


def read_integer(raw: Value) -> int | None:
    """Return the number of a FHIR integer."""
    return raw if raw.__class__ is int and abs(raw) <= MAX_FHIR_INTEGER + 1 else None


def read_decimal(raw: Value) -> Decimal | None:
    """Return the number of a FHIR decimal, its digits as written; None beyond CQL's 28 digits."""
    if raw.__class__ is Decimal:
        return raw if raw.is_finite() and -MAX_DIGITS < raw.adjusted() < MAX_DIGITS else None
    if raw.__class__ is int:
        return read_decimal(Decimal(raw))
    return read_decimal(Decimal(repr(raw))) if raw.__class__ is float else None


def read_date(raw: Value) -> Value:
    """Return the Date of a FHIR date."""
    return parse_date(raw) if raw.__class__ is str else None


def read_date_time(raw: Value) -> Value:
    """Return the DateTime of a FHIR dateTime or instant."""
    return parse_date_time(raw) if raw.__class__ is str else None


def read_time(raw: Value) -> Value:
    """Return the Time of a FHIR time."""
    return parse_time(raw) if raw.__class__ is str else None


VALUE_READERS: dict[str, Read] = {
    STRING: read_string,
    BOOLEAN: read_boolean,
    INTEGER: read_integer,
    DECIMAL: read_decimal,
    DATE: read_date,
    DATE_TIME: read_date_time,
    TIME: read_time,
}


@cache
def reader(type_name: str, path: str) -> tuple[Read, ElmType] | None:
    """Return what reads an element from the raw JSON of a FHIR type, and its type.

    None when there is none.

    Args:
        type_name: FHIR type without its namespace.
        path: name of the element.
    """
    primitive = primitive_of(type_name)
    if primitive is not None and path == "value":
        return VALUE_READERS.get(primitive, read_string), primitive
    element = find_element(type_name, path)
    if element is None:
        return None
    if element.is_choice:
        return choice_reader(path, element), ChoiceOf(frozenset("FHIR." + t for t in element.types))
    name = element.types[0]
    type_: ElmType = name if name.startswith("System.") else "FHIR." + name
    if element.is_list:
        return list_reader(path, name), ListOf(type_)
    if name.startswith("System."):
        return plain_reader(path, VALUE_READERS.get(name, read_string)), type_
    inner = primitive_of(name)
    return (primitive_reader(path, inner) if inner else complex_reader(path)), type_


def plain_reader(path: str, read: Read) -> Read:
    """Return what reads an element of a System type, such as an element's id."""

    def run(raw: Value) -> Value:
        return read(raw.get(path)) if raw.__class__ is dict else None

    return run


def complex_reader(path: str) -> Read:
    """Return what reads an element that is a JSON object."""

    def run(raw: Value) -> Value:
        if raw.__class__ is dict:
            value = raw.get(path)
            return value if value.__class__ is dict else None
        return None

    return run


def primitive_reader(path: str, system_type: str) -> Read:
    """Return what reads a primitive: its JSON, or its sibling when it has only extensions."""
    classes = CLASSES.get(system_type, CLASSES[STRING])
    sibling = "_" + path

    def run(raw: Value) -> Value:
        if raw.__class__ is not dict:
            return None
        value = raw.get(path)
        if value.__class__ in classes:
            return value
        value = raw.get(sibling)
        return value if value.__class__ is dict else None

    return run


def list_reader(path: str, type_name: str) -> Read:
    """Return what reads an element that repeats; members of the wrong kind of JSON become null."""
    inner = primitive_of(type_name)
    classes = CLASSES.get(inner, CLASSES[STRING]) if inner else frozenset({dict})

    def run(raw: Value) -> Value:
        if raw.__class__ is not dict:
            return None
        values = raw.get(path)
        if values.__class__ is not list:
            return []
        for value in values:
            if value.__class__ not in classes:
                return [v if v.__class__ in classes else None for v in values]
        return values

    return run


def choice_reader(path: str, element: Element) -> Read:
    """Return what reads a choice element as a `Typed`."""
    return typed_reader(json_names(path, element))


def typed_reader(names: dict[str, str]) -> Read:
    """Return what reads the first of several JSON names as a `Typed` of its FHIR type."""
    readers = [
        (name, "FHIR." + type_name, value_reader(name, type_name))
        for name, type_name in names.items()
    ]

    def run(raw: Value) -> Value:
        if raw.__class__ is dict:
            for name, type_name, read in readers:
                if name in raw or "_" + name in raw:
                    value = read(raw)
                    if value is not None:
                        return Typed(type_name, value)
        return None

    return run


def value_reader(name: str, type_name: str) -> Read:
    """Return what reads one JSON name of a choice element."""
    inner = primitive_of(type_name)
    return primitive_reader(name, inner) if inner else complex_reader(name)


def narrowed_reader(names: dict[str, str]) -> Read:
    """Return what reads the first of several JSON names as its bare JSON.

    For a choice cast to one type.
    """
    readers = [value_reader(name, type_name) for name, type_name in names.items()]
    if len(readers) == 1:
        return readers[0]

    def run(raw: Value) -> Value:
        for read in readers:
            value = read(raw)
            if value is not None:
                return value
        return None

    return run
