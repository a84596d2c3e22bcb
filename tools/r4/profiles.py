"""The profiles that R4 itself defines, such as its vital signs: what each says on top of its base.

    "http://hl7.org/fhir/StructureDefinition/…": {"type": …, "differential": {"element": […]}, …}

They are StructureDefinitions, cut down to what is checked. Extensions are not among them.
"""

import json
from typing import Any

from tools.r4.definitions import StructureDefinition

Profiles = dict[str, dict[str, Any]]
HEAD = ("resourceType", "url", "version", "title", "name", "type", "derivation", "baseDefinition")
KEPT = {
    "type": ("code", "profile", "targetProfile"),
    "binding": ("strength", "valueSet"),
    "slicing": ("discriminator", "rules", "ordered"),
    "constraint": ("key", "severity", "human", "expression"),
}
PLAIN = frozenset({"id", "path", "sliceName", "min", "max"})
EXTENSION = "Extension"


def build_profiles(definitions: list[StructureDefinition]) -> Profiles:
    """Return the profiles among definitions, by their URL."""
    return {
        each["url"]: profile_of(each)
        for each in definitions
        if each["resourceType"] == "StructureDefinition"
        and each.get("derivation") == "constraint"
        and each["type"] != EXTENSION
    }


def profile_of(definition: StructureDefinition) -> dict[str, Any]:
    """Return what is checked of a profile."""
    head = {name: definition[name] for name in HEAD if name in definition}
    elements = [element_of(each) for each in definition["differential"]["element"]]
    return head | {"differential": {"element": elements}}


def element_of(element: dict[str, Any]) -> dict[str, Any]:
    """Return what is checked of an element."""
    found: dict[str, Any] = {}
    for name, value in element.items():
        if name in PLAIN or name.startswith(("fixed", "pattern")):
            found[name] = value
        elif name in KEPT:
            rows = value if isinstance(value, list) else [value]
            cut = [{key: row[key] for key in KEPT[name] if key in row} for row in rows]
            found[name] = cut if isinstance(value, list) else cut[0]
    return found


def as_text(profiles: Profiles) -> str:
    """Return the profiles as JSON, a line each, in alphabetical order."""
    lines = [
        f"{json.dumps(url)}:{json.dumps(profiles[url], separators=(',', ':'), ensure_ascii=False)}"
        for url in sorted(profiles)
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"
