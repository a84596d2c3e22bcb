"""StructureDefinitions of R4 as a table of types: a line a type.

    "Patient": ["DomainResource", "resource", {"gender": "0..1 code required http://…", …}]

A type is [base type or null, kind, {element: notation}], for a primitive also the regular
expression of its JSON value. Kinds: resource, complex, backbone, primitive; `abstract ` stands
before that of a type that no data can have. Elements are a type's own, those of its base are not
said again. A backbone element is a type of its own, named by its path.

A notation is `min..max types [strength value-set]`: types with `|` between; a Reference or
canonical names its targets in brackets; only required and extensible bindings are kept.
"""

import json
from typing import Any

StructureDefinition = dict[str, Any]
Table = dict[str, list[Any]]

SYSTEM = "http://hl7.org/fhirpath/System."
REGEX = "http://hl7.org/fhir/StructureDefinition/regex"
FHIR_TYPE = "http://hl7.org/fhir/StructureDefinition/structuredefinition-fhir-type"
BASE = "http://hl7.org/fhir/StructureDefinition/"
KINDS = {"resource": "resource", "complex-type": "complex", "primitive-type": "primitive"}
BOUND = frozenset({"required", "extensible"})
MENDED = {"Resource.id": "0..1 id"}
"""R4's definitions say string where its text, resource.html#Resource, says id."""


def as_text(table: Table) -> str:
    """Return the table as JSON, a line a type, in alphabetical order."""
    lines = [
        f"{json.dumps(name)}:{json.dumps(table[name], separators=(',', ':'), ensure_ascii=False)}"
        for name in sorted(table)
    ]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def build_table(definitions: list[StructureDefinition]) -> Table:
    """Return the table of the types that are defined, not of profiles and logical models."""
    table: Table = {}
    for definition in definitions:
        kind = KINDS.get(definition.get("kind", ""))
        if definition["resourceType"] != "StructureDefinition" or kind is None:
            continue
        if definition.get("derivation") != "constraint":
            table |= types_of(definition, kind)
    return table


def types_of(definition: StructureDefinition, kind: str) -> Table:
    """Return a type and the backbone elements inside it."""
    name = definition["type"]
    elements = definition["snapshot"]["element"]
    parents = {path.rpartition(".")[0] for path in map(path_of, elements[1:])}
    base = definition.get("baseDefinition", "").removeprefix(BASE) or None
    table: Table = {name: [base, f"{'abstract ' * definition['abstract']}{kind}", {}]}
    for element in elements[1:]:
        path = path_of(element)
        owner, _, short = path.rpartition(".")
        if kind == "primitive" and short == "value":
            table[name].append(regex_of(element))
        elif is_own(element):
            table[owner][2][short] = notation(element, path if path in parents else None)
        if path in parents:
            table[path] = [element["type"][0]["code"], "backbone", {}]
    return table


def path_of(element: dict[str, Any]) -> str:
    """Return an element's path."""
    path: str = element["path"]
    return path


def is_own(element: dict[str, Any]) -> bool:
    """Return whether the element is first said here, not in a base type."""
    said_first: str = element.get("base", {}).get("path", element["path"])
    return said_first == path_of(element)


def regex_of(element: dict[str, Any]) -> str | None:
    """Return what the JSON value of a primitive must match, None where R4 says nothing."""
    for extension in element["type"][0].get("extension", []):
        if extension["url"] == REGEX:
            found: str = extension["valueString"]
            return found
    return None


def notation(element: dict[str, Any], own_type: str | None) -> str:
    """Return cardinality, types and binding of an element."""
    if element["path"] in MENDED:
        return MENDED[element["path"]]
    reference = element.get("contentReference")
    types = reference.rpartition("#")[2] if reference else own_type
    if types is None:
        types = "|".join(type_name(each) for each in element.get("type", []))
    text = f"{element['min']}..{element['max']} {types}"
    binding = element.get("binding", {})
    if binding.get("strength") in BOUND and "valueSet" in binding:
        text += f" {binding['strength']} {binding['valueSet']}"
    return text


def type_name(each: dict[str, Any]) -> str:
    """Return the name of a type with the targets that it may refer to."""
    code: str = each["code"]
    if code.startswith(SYSTEM):
        names = {e["url"]: e.get("valueUrl") for e in each.get("extension", [])}
        return names.get(FHIR_TYPE) or code.removeprefix(SYSTEM).lower()
    targets = [target.removeprefix(BASE) for target in each.get("targetProfile", [])]
    return f"{code}({','.join(targets)})" if targets else code
