"""Choice elements (`value[x]`) that a resource gives twice.

R4 allows one type of each. What is given as two types cannot be read, and must not be read by
chance: the element counts as empty, so that a rule finds no value where there is no certain one.
See http://hl7.org/fhir/R4/formats.html#choice.
"""

from collections.abc import Mapping

from ivfhir.expressions.fhir_model import find_element, json_names
from ivfhir.fhir.types import PATIENT, Json, Resource

_CHOICES = {
    "Observation": ("value", "effective"),
    "Condition": ("onset",),
    "AllergyIntolerance": ("onset",),
    "Procedure": ("performed",),
    "ServiceRequest": ("occurrence",),
}
"""The choice elements that decide; an abatement is one whatever its type."""


def _names(type_name: str, path: str) -> frozenset[str]:
    """Return the JSON names of a choice element, those of its extensions too."""
    element = find_element(type_name, path)
    names = json_names(path, element) if element is not None else {}
    return frozenset(names) | {f"_{name}" for name in names}


_NAMES: Mapping[str, tuple[frozenset[str], ...]] = {
    type_name: tuple(_names(type_name, path) for path in paths)
    for type_name, paths in _CHOICES.items()
}
_DEAD = frozenset({"deceasedBoolean", "_deceasedBoolean"})
_DIED = frozenset({"deceasedDateTime", "_deceasedDateTime"})


def with_single_choices(resource: Resource) -> Resource:
    """Return the resource without the choice elements that it gives as two types.

    A Patient with a date of death beside a yes or no keeps the date: it is a death (rule E-15).

    Args:
        resource: it is not changed; it is returned itself where nothing is given twice.
    """
    if resource["resourceType"] == PATIENT:
        died = not _DIED.isdisjoint(resource) and any(resource.get(name) for name in _DIED)
        return _without(resource, _DEAD) if died and not _DEAD.isdisjoint(resource) else resource
    for names in _NAMES.get(resource["resourceType"], ()):
        given = names.intersection(resource)
        if len(given) > 1 and _types_given(resource, given) > 1:
            resource = _without(resource, given)
    return resource


def _types_given(resource: Resource, names: frozenset[str]) -> int:
    return len({name.lstrip("_") for name in names if resource[name] is not None})


def _without(resource: Resource, names: frozenset[str]) -> dict[str, Json]:
    return {name: value for name, value in resource.items() if name not in names}
