"""The FHIR 4.0.1 type table (made by tools/modelinfo.py), and questions to it.

A type of the table is [base type, {element: type}]; `*` marks a list, `A|B` a choice.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources

from ivfhir.expressions.values.value import Value


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a FHIR type.

    Args:
        types: names of the FHIR types it can have; System types carry `System.`.
        is_list: it repeats.
        is_choice: its JSON name ends with its type.
    """

    types: tuple[str, ...]
    is_list: bool
    is_choice: bool


@cache
def table() -> dict[str, Value]:
    """Return the whole table, read once."""
    text = resources.files(__name__).joinpath("fhir_4_0_1.json").read_text(encoding="utf-8")
    parsed: dict[str, Value] = json.loads(text)
    return parsed


@cache
def find_element(type_name: str, path: str) -> Element | None:
    """Return the element `path` of a FHIR type or its bases, None when it has none."""
    while type_name in table():
        base, elements = table()[type_name]
        if path in elements:
            notation: str = elements[path]
            types = tuple(notation.removeprefix("*").split("|"))
            return Element(types, notation.startswith("*"), len(types) > 1)
        type_name = base
    return None


@cache
def primitive_of(type_name: str) -> str | None:
    """Return the System type of a FHIR primitive's `value`.

    None for a type that is no primitive.
    """
    element = find_element(type_name, "value")
    if element is None or len(element.types) != 1 or element.is_list:
        return None
    name = element.types[0]
    return name if name.startswith("System.") else None


def is_a(type_name: str, wanted: str) -> bool:
    """Return whether a FHIR type is the wanted one or derived from it."""
    while type_name != wanted:
        if type_name not in table():
            return False
        type_name = table()[type_name][0]
    return True


def is_resource(type_name: str) -> bool:
    """Return whether a FHIR type is a resource type."""
    return is_a(type_name, "Resource")


def json_names(path: str, element: Element) -> dict[str, str]:
    """Return the JSON names of a choice element, each with its FHIR type."""
    return {path + name[0].upper() + name[1:]: name for name in element.types}
