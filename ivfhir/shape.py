"""Whether a resource has the JSON shape that FHIR R4 gives its type.

An evaluator that meets `verificationStatus: "refuted"` (another FHIR version's shape) finds no code
in it, and would take the condition for a confirmed one. So a resource of the wrong shape is
refused, not guessed at.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache

from ivfhir.errors import InputError
from ivfhir.expressions.fhir_model import find_element, json_names, primitive_of, table
from ivfhir.fhir.references import key_of
from ivfhir.fhir.types import Json, Resource

_NOT_EVALUATED = frozenset({"contained", "extension", "identifier", "meta", "note", "text"})
_PRIMITIVES: Mapping[str, tuple[type, ...]] = {
    "System.Boolean": (bool,),
    "System.Integer": (int,),
    "System.Decimal": (int, Decimal),
}
_OBJECT: tuple[type, ...] = (dict,)
_TEXT: tuple[type, ...] = (str,)
_WORDS = {bool: "true or false", int: "a number", Decimal: "a number", str: "text"}
_WHOLE = "a whole number without a point"


def check_shape(resource: Resource) -> None:
    """Refuse a resource whose elements are not objects, lists, texts and numbers as R4 has them.

    Elements that R4 does not know, extensions, narrative and identifiers are passed over.

    Raises:
        InputError: names the first element that is of another shape.
    """
    resource_type = resource["resourceType"]
    if resource_type not in table():
        return
    wrong = None
    if not _is_right(resource, resource_type):
        wrong = _first_wrong(resource, resource_type, resource_type)
    if wrong is not None:
        path, wanted, value = wrong
        raise InputError(
            f"{key_of(resource) or resource_type} has {_word(value)} as {path} where FHIR R4 has "
            f"{wanted}; {_advice(wanted)}",
            expression=path,
        )


def _is_right(element: Resource, type_name: str) -> bool:
    """Return whether nothing is wrong, as `_first_wrong` tells it, without saying where."""
    known = _classes(type_name)
    for name, value in element.items():
        wanted = known.get(name)
        if wanted is None or value is None:
            continue
        classes, element_type, is_list = wanted
        if is_list:
            if type(value) is not list:
                return False
        elif type(value) in classes:
            if classes is _OBJECT and not _is_right(value, element_type):
                return False
            continue
        else:
            return False
        for item in value:
            if item is None:
                continue
            if type(item) not in classes or (
                classes is _OBJECT and not _is_right(item, element_type)
            ):
                return False
    return True


def _advice(wanted: str) -> str:
    if wanted == _WHOLE:
        return "correct it where it is recorded."
    return "is it of another FHIR version? Convert it to R4."


Wrong = tuple[str, str, Json]


def _first_wrong(element: Resource, type_name: str, path: str) -> Wrong | None:
    """Return path, wanted shape and value of the first wrong element, None when all are right."""
    known = _elements(type_name)
    for name, value in element.items():
        if name not in known or value is None:
            continue
        element_type, is_list = known[name]
        here = f"{path}.{name}"
        if is_list and not isinstance(value, list):
            return here, "a list", value
        for item in value if is_list else [value]:
            wrong = _wrong_value(item, element_type, here)
            if wrong is not None:
                return wrong
    return None


def _wrong_value(value: Json, type_name: str, path: str) -> Wrong | None:
    if value is None:  # A primitive that has only an extension is null inside a list.
        return None
    # The id of an element within a resource is of the type System.String itself.
    primitive = type_name if type_name.startswith("System.") else primitive_of(type_name)
    if primitive is not None:
        classes = _PRIMITIVES.get(primitive, _TEXT)
        if type(value) in classes:
            return None
        pointed = isinstance(value, Decimal) and classes == (int,)
        return path, _WHOLE if pointed else _WORDS[classes[0]], value
    if not isinstance(value, dict):
        return path, "an object", value
    return _first_wrong(value, type_name, path)


@cache
def _elements(type_name: str) -> Mapping[str, tuple[str, bool]]:
    """Return JSON name → type and whether it is a list, of a type with its bases."""
    found: dict[str, tuple[str, bool]] = {}
    at = type_name
    while at in table():
        base, elements = table()[at]
        for name in elements:
            element = find_element(at, name)
            if name in _NOT_EVALUATED or element is None:
                continue
            names = json_names(name, element) if element.is_choice else {name: element.types[0]}
            for json_name, element_type in names.items():
                found.setdefault(json_name, (element_type, element.is_list))
        at = base
    return found


@cache
def _classes(type_name: str) -> Mapping[str, tuple[tuple[type, ...], str, bool]]:
    """Return JSON name → classes of its values, their type and whether it is a list."""
    found = {}
    for name, (element_type, is_list) in _elements(type_name).items():
        is_system = element_type.startswith("System.")
        primitive = element_type if is_system else primitive_of(element_type)
        classes = _OBJECT if primitive is None else _PRIMITIVES.get(primitive, _TEXT)
        found[name] = (classes, element_type, is_list)
    return found


def _word(value: Json) -> str:
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, Decimal):
        return f"the number {str(value)[:20]}"
    return _WORDS[type(value)]
