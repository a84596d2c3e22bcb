"""Cut the FHIR 4.0.1 model information of the CQL translator down to what the evaluator needs.

    python tools/modelinfo.py fhir-modelinfo-4.0.1.xml ivfhir/expressions/fhir_model/fhir_4_0_1.json

The XML is inside the translator's `quick` jar (org/hl7/fhir/fhir-modelinfo-4.0.1.xml, Apache-2.0).
The JSON has a line a type: name -> [base type, {element: type}]. A type name with `*` in front is a
list of it, a choice is written `A|B`, and `System.` marks CQL's own types; all others are FHIR's.
"""

import json
import sys
from pathlib import Path
from xml.etree import ElementTree

NAMESPACE = {"m": "urn:hl7-org:elm-modelinfo:r1"}
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def main(source: Path, target: Path) -> None:
    """Write the table of `source` to `target`, sorted, a line a type."""
    root = ElementTree.parse(source).getroot()  # noqa: S314 - the translator's own file
    table = {}
    for info in root.findall("m:typeInfo", NAMESPACE):
        elements = {e.attrib["name"]: type_of(e) for e in info.findall("m:element", NAMESPACE)}
        table[info.attrib["name"]] = [short(info.attrib["baseType"]), elements]
    lines = [f"{json.dumps(name)}:{json.dumps(table[name])}" for name in sorted(table)]
    target.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def type_of(element: ElementTree.Element) -> str:
    """Return the type of an element in the short notation of the module's text."""
    if "elementType" in element.attrib:
        return short(element.attrib["elementType"])
    specifier = element.find("m:elementTypeSpecifier", NAMESPACE)
    if specifier is None:
        raise ValueError(f"element {element.attrib['name']} has no type")
    kind = specifier.attrib[TYPE]
    if kind == "ChoiceTypeSpecifier":
        return "|".join(named(choice) for choice in specifier.findall("m:choice", NAMESPACE))
    return ("*" if kind == "ListTypeSpecifier" else "") + (
        type_of(specifier) if kind == "ListTypeSpecifier" else named(specifier)
    )


def named(specifier: ElementTree.Element) -> str:
    """Return the short name of a NamedTypeSpecifier."""
    return short(f"{specifier.attrib['namespace']}.{specifier.attrib['name']}")


def short(name: str) -> str:
    """Return a FHIR type's name without its namespace."""
    return name.removeprefix("FHIR.")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
