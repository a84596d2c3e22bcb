"""The extensions that R4 itself defines: which value each takes.

    "http://hl7.org/fhir/StructureDefinition/…": ["CodeableConcept"]

An empty list: it holds further extensions, and no value.
"""

import json
from typing import Any

from tools.r4.definitions import StructureDefinition, type_name

Extensions = dict[str, list[str]]
VALUE = "Extension.value[x]"


def build_extensions(definitions: list[StructureDefinition]) -> Extensions:
    """Return the value types of each extension, by its URL."""
    found: Extensions = {}
    for definition in definitions:
        if (
            definition["resourceType"] == "StructureDefinition"
            and definition["type"] == "Extension"
        ):
            found[definition["url"]] = value_types(definition["snapshot"]["element"])
    return found


def value_types(elements: list[dict[str, Any]]) -> list[str]:
    """Return the types that a value may have, none where there may be none."""
    for element in elements:
        if element["path"] == VALUE and "sliceName" not in element:
            if element.get("max") == "0":
                return []
            types = (type_name(each) for each in element["type"])
            return [each.partition("(")[0] for each in types]
    return []


def as_text(extensions: Extensions) -> str:
    """Return the extensions as JSON, a line each, in alphabetical order."""
    lines = [
        f"{json.dumps(url)}:{json.dumps(extensions[url], separators=(',', ':'))}"
        for url in sorted(extensions)
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"
