"""Faults of 25 kinds, each put into a resource that has none: what, and where it must be told.

A kind takes a resource, its elements and chance, and gives the resource with one fault and the way
to it; None where the resource has nothing that the fault could be put into.
"""

import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from benchmarks.validators.tree import Element, at, changed, pick, without
from ivfhir.fhir.r4.code_systems import code_system_of
from ivfhir.fhir.r4.value_sets import codes_of
from ivfhir.fhir.types import Json, Resource
from ivfhir.validation.issue import Pointer

Faulty = tuple[Resource, Pointer]
Kind = Callable[[Resource, list[Element], random.Random], Faulty | None]
UCUM = "http://unitsofmeasure.org"
TIME = "http://hl7.org/fhir/StructureDefinition/patient-birthTime"
NOT_A_TARGET = "StructureMap/x"
SCRIPT = '<div xmlns="http://www.w3.org/1999/xhtml"><script>x</script></div>'
WRONG_TEXT = {
    "date": "2020-13-01",
    "dateTime": "2020-02-30",
    "instant": "2020-01-01",
    "time": "25:00:00",
    "uri": "a b",
    "url": "a b",
    "canonical": "a b",
    "id": "a_b",
    "base64Binary": "a*b",
    "oid": "1.2",
    "uuid": "1-2",
}
NUMBERS = frozenset({"decimal", "integer", "positiveInt", "unsignedInt"})
STRINGS = frozenset({"string", "markdown", "code", "uri", "date", "dateTime", "id"})


def of_types(elements: list[Element], types: frozenset[str]) -> list[Element]:
    """Return the elements of these types."""
    return [each for each in elements if each.slot.type_name in types]


def unknown_element(
    resource: Resource, elements: list[Element], chance: random.Random
) -> Faulty | None:
    """Add an element that R4 does not have."""
    holder = pick(chance, [each for each in elements if isinstance(each.value, dict)])
    pointer = (*(holder.pointer if holder else ()), "colour")
    return changed(resource, pointer, "red"), pointer


def missing_element(
    resource: Resource, elements: list[Element], chance: random.Random
) -> Faulty | None:
    """Take away an element that must be there."""
    needed = [
        each
        for each in elements
        if each.slot.element is not None
        and each.slot.element.minimum
        and (len(at(resource, each.member)) == 1 if each.slot.element.is_list else True)
    ]
    found = pick(chance, needed)
    return (without(resource, found.member), found.holder) if found else None


def array_of_one(
    resource: Resource, elements: list[Element], chance: random.Random
) -> Faulty | None:
    """Put into an array what is there once."""
    found = pick(chance, [e for e in elements if e.slot.element and not e.slot.element.is_list])
    return (changed(resource, found.pointer, [found.value]), found.pointer) if found else None


def no_array(resource: Resource, elements: list[Element], chance: random.Random) -> Faulty | None:
    """Take the first item out of its array."""
    found = pick(chance, [e for e in elements if e.slot.element and e.slot.element.is_list])
    return (changed(resource, found.member, found.value), found.member) if found else None


def wrong_form(resource: Resource, elements: list[Element], chance: random.Random) -> Faulty | None:
    """Give a date, an address, an id or data another form than its type has."""
    found = pick(chance, of_types(elements, frozenset(WRONG_TEXT)))
    if found is None:
        return None
    return changed(resource, found.pointer, WRONG_TEXT[found.slot.type_name]), found.pointer


def quoted(resource: Resource, elements: list[Element], chance: random.Random) -> Faulty | None:
    """Put quotes around a number or a boolean."""
    found = pick(chance, of_types(elements, NUMBERS | {"boolean"}))
    if found is None:
        return None
    text = str(found.value).lower()
    return changed(resource, found.pointer, text), found.pointer


def unquoted(resource: Resource, elements: list[Element], chance: random.Random) -> Faulty | None:
    """Put a number in the place of text."""
    found = pick(chance, of_types(elements, STRINGS))
    return (changed(resource, found.pointer, 7), found.pointer) if found else None


def empty_text(resource: Resource, elements: list[Element], chance: random.Random) -> Faulty | None:
    """Leave text empty."""
    found = pick(chance, of_types(elements, STRINGS))
    return (changed(resource, found.pointer, ""), found.pointer) if found else None


def empty_object(
    resource: Resource, elements: list[Element], chance: random.Random
) -> Faulty | None:
    """Leave an object empty."""
    objects = [e for e in elements if isinstance(e.value, dict) and e.slot.owner is not None]
    found = pick(chance, objects)
    return (changed(resource, found.pointer, {}), found.pointer) if found else None


def null(resource: Resource, elements: list[Element], chance: random.Random) -> Faulty | None:
    """Put null in the place of a value that nothing stands beside."""
    alone = [
        each
        for each in elements
        if isinstance(at(resource, each.holder), dict)
        and f"_{each.key}" not in at(resource, each.holder)
    ]
    found = pick(chance, alone)
    return (changed(resource, found.pointer, None), found.pointer) if found else None


def two_choices(
    resource: Resource, elements: list[Element], chance: random.Random
) -> Faulty | None:
    """Give a choice a second value of another type."""
    simple: dict[str, Json] = {
        "string": "x",
        "boolean": True,
        "dateTime": "2020",
        "Period": {"start": "2020"},
    }
    for each in chance.sample(elements, len(elements)):
        element = each.slot.element
        if element is None or not element.is_choice:
            continue
        for name, type_name in element.json_names().items():
            if type_name in simple and name != each.key:
                pointer = (*each.holder, name)
                return changed(resource, pointer, simple[type_name]), each.holder
    return None


def wrong_target(
    resource: Resource, elements: list[Element], chance: random.Random
) -> Faulty | None:
    """Refer to a resource of a type that R4 does not allow there."""
    found = pick(
        chance,
        [
            each
            for each in of_types(elements, frozenset({"Reference"}))
            if each.slot.element
            and each.slot.element.targets
            and "Resource" not in each.slot.element.targets
        ],
    )
    if found is None:
        return None
    return changed(resource, found.pointer, {"reference": NOT_A_TARGET}), found.pointer


def no_reference(
    resource: Resource, elements: list[Element], chance: random.Random
) -> Faulty | None:
    """Refer to a type that R4 does not have."""
    found = pick(chance, of_types(elements, frozenset({"Reference"})))
    if found is None:
        return None
    return changed(resource, found.pointer, {"reference": "Pacient/1"}), found.pointer


def not_contained(
    resource: Resource, elements: list[Element], chance: random.Random
) -> Faulty | None:
    """Refer to a contained resource that there is not."""
    found = pick(chance, of_types(elements, frozenset({"Reference"})))
    if found is None:
        return None
    return changed(resource, found.pointer, {"reference": "#nothing"}), found.pointer


def script(resource: Resource, elements: list[Element], chance: random.Random) -> Faulty | None:
    """Put a script into the narrative."""
    found = pick(chance, of_types(elements, frozenset({"xhtml"})))
    return (changed(resource, found.pointer, SCRIPT), found.pointer) if found else None


def wrong_code(resource: Resource, elements: list[Element], chance: random.Random) -> Faulty | None:
    """Give a code that its required value set does not have."""
    bound = [
        each
        for each in of_types(elements, frozenset({"code"}))
        if each.slot.element
        and each.slot.element.binding
        and each.slot.element.binding[0] == "required"
        and codes_of(each.slot.element.binding[1]) is not None
    ]
    found = pick(chance, bound)
    return (changed(resource, found.pointer, "no-such-code"), found.pointer) if found else None


def unknown_code(
    resource: Resource, elements: list[Element], chance: random.Random
) -> Faulty | None:
    """Give a code that its code system, one of HL7's, does not have."""
    found = pick(
        chance,
        [
            each
            for each in of_types(elements, frozenset({"Coding"}))
            if isinstance(each.value.get("system"), str)
            and code_system_of(each.value["system"]) is not None
        ],
    )
    if found is None:
        return None
    coding = {**found.value, "code": "no-such-code"}
    return changed(resource, found.pointer, coding), found.pointer


def wrong_unit(resource: Resource, elements: list[Element], chance: random.Random) -> Faulty | None:
    """Give a unit that UCUM does not have."""
    measured = [e for e in elements if isinstance(e.value, dict) and e.value.get("system") == UCUM]
    found = pick(chance, [e for e in measured if "code" in e.value])
    if found is None:
        return None
    unit = chance.choice(["mcg", "mmHg", "mg / dL", "tablet", "mg/"])
    pointer = (*found.pointer, "code")
    return changed(resource, pointer, unit), pointer


def end_before_start(
    resource: Resource, elements: list[Element], chance: random.Random
) -> Faulty | None:
    """Let a period end before it starts."""
    found = pick(chance, of_types(elements, frozenset({"Period"})))
    if found is None:
        return None
    period: Json = {"start": "2020-02-02", "end": "2020-02-01"}
    return changed(resource, found.pointer, period), found.pointer


def bare_extension(
    resource: Resource, elements: list[Element], chance: random.Random
) -> Faulty | None:
    """Add an extension that holds nothing."""
    return _extended(resource, elements, chance, {"url": "http://x.example/nothing"})


def misplaced_extension(
    resource: Resource, elements: list[Element], chance: random.Random
) -> Faulty | None:
    """Add an extension of R4's where it may not stand."""
    extension = {"url": TIME, "valueDateTime": "2020-01-01T00:00:00Z"}
    return _extended(resource, elements, chance, extension)


def _extended(
    resource: Resource, elements: list[Element], chance: random.Random, extension: Json
) -> Faulty | None:
    holders = [
        each
        for each in elements
        if isinstance(each.value, dict)
        and each.slot.type_name not in ("Extension", "Resource")
        and each.slot.owner is not None
        and "extension" not in each.value
    ]
    found = pick(chance, holders)
    if found is None:
        return None
    pointer = (*found.pointer, "extension")
    return changed(resource, pointer, [extension]), (*pointer, 0)


def wrong_kind(resource: Resource, elements: list[Element], chance: random.Random) -> Faulty | None:
    """Put text in the place of an object."""
    objects = [e for e in elements if isinstance(e.value, dict) and e.slot.owner is not None]
    found = pick(chance, objects)
    return (changed(resource, found.pointer, "x"), found.pointer) if found else None


def misspelt(resource: Resource, elements: list[Element], chance: random.Random) -> Faulty | None:
    """Write the name of an element that need not be there with another case."""
    free = [
        each
        for each in elements
        if each.slot.element
        and not each.slot.element.minimum
        and not _is_only(resource, each)
        and each.key.upper() not in at(resource, each.holder)
    ]
    found = pick(chance, free)
    if found is None:
        return None
    copy = deepcopy(resource)
    holder: Any = at(copy, found.holder)
    pointer = (*found.holder, found.key.upper())
    holder[found.key.upper()] = holder.pop(found.key)
    return copy, pointer


def _is_only(resource: Resource, element: Element) -> bool:
    return len(at(resource, element.holder)) == 1


def no_such_type(
    resource: Resource, elements: list[Element], chance: random.Random
) -> Faulty | None:
    """Say that the resource is of a type that R4 does not have."""
    return {**resource, "resourceType": f"{resource['resourceType']}s"}, ()


def too_small(resource: Resource, elements: list[Element], chance: random.Random) -> Faulty | None:
    """Give a count that counts less than it may."""
    found = pick(chance, of_types(elements, frozenset({"positiveInt", "unsignedInt"})))
    return (changed(resource, found.pointer, -1), found.pointer) if found else None


KINDS: dict[str, Kind] = {
    each.__name__.replace("_", "-"): each
    for each in (
        unknown_element,
        missing_element,
        array_of_one,
        no_array,
        wrong_form,
        quoted,
        unquoted,
        empty_text,
        empty_object,
        null,
        two_choices,
        wrong_target,
        no_reference,
        not_contained,
        script,
        wrong_code,
        unknown_code,
        wrong_unit,
        end_before_start,
        bare_extension,
        misplaced_extension,
        wrong_kind,
        misspelt,
        no_such_type,
        too_small,
    )
}
