"""The extensions that R4 itself defines: what each holds, and where it may stand.

    "http://hl7.org/fhir/StructureDefinition/…": [["CodeableConcept"], ["Patient"], {}, false]

A line is the types of its value, the elements that it may stand on, the extensions inside it, and
whether it is a modifier. Without a type it holds further extensions, and no value; each of those
has its own types, how often it must and how often it may be there (null: as often as one likes).
"""

import json
from typing import Any

from tools.r4.definitions import StructureDefinition, type_name

Extensions = dict[str, list[Any]]
VALUE = "Extension.value[x]"
INSIDE = "Extension.extension"
BASE = "http://hl7.org/fhir/StructureDefinition"
MENDED = {
    f"{BASE}/structuredefinition-normative-version": ["OperationDefinition", "ElementDefinition"],
    f"{BASE}/structuredefinition-fhir-type": ["ElementDefinition.type"],
    f"{BASE}/regex": ["ElementDefinition.type"],
}
"""R4's own definitions have these there, too, where they do not name it as a place."""


def build_extensions(definitions: list[StructureDefinition]) -> Extensions:
    """Return the line of each extension, by its URL."""
    return {
        each["url"]: line_of(each)
        for each in definitions
        if each["resourceType"] == "StructureDefinition" and each["type"] == "Extension"
    }


def line_of(definition: StructureDefinition) -> list[Any]:
    """Return what the table says of an extension."""
    elements = definition["snapshot"]["element"]
    return [
        value_types(elements, VALUE),
        [
            *(each["expression"] for each in definition.get("context", []) if is_element(each)),
            *MENDED.get(definition["url"], ()),
        ],
        inner(elements),
        bool(elements[0].get("isModifier")),
    ]


def is_element(context: dict[str, Any]) -> bool:
    """Return whether a context is an element, and no rule in words; R4 has no other kind."""
    return bool(context["type"] == "element")


def value_types(elements: list[dict[str, Any]], path: str) -> list[str]:
    """Return the types that a value may have, none where there may be none."""
    for element in elements:
        if element["path"] == path and "sliceName" not in element:
            if element.get("max") == "0":
                return []
            types = (type_name(each) for each in element["type"])
            return [each.partition("(")[0] for each in types]
    return []


def inner(elements: list[dict[str, Any]]) -> dict[str, list[Any]]:
    """Return the extensions that stand directly inside, by their url."""
    found = {}
    for element in elements:
        if element["path"] != INSIDE or "sliceName" not in element:
            continue
        own = [each for each in elements if each["id"].startswith(f"{element['id']}.")]
        url = next(each["fixedUri"] for each in own if each["id"] == f"{element['id']}.url")
        most = None if element["max"] == "*" else int(element["max"])
        types = value_types(
            [each for each in own if each["id"].startswith(f"{element['id']}.value[x]")],
            f"{INSIDE}.value[x]",
        )
        found[url] = [types, element["min"], most]
    return found


def as_text(extensions: Extensions) -> str:
    """Return the extensions as JSON, a line each, in alphabetical order."""
    lines = [
        f"{json.dumps(url)}:{json.dumps(extensions[url], separators=(',', ':'))}"
        for url in sorted(extensions)
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"
