"""FHIR XML as FHIR JSON: official inputs come as XML, and we read JSON alone.

http://hl7.org/fhir/R4/json.html
"""

from decimal import Decimal
from xml.etree import ElementTree

from ivfhir.fhir.r4 import definition_of

FHIR = "{http://hl7.org/fhir}"
XHTML = "{http://www.w3.org/1999/xhtml}"
NUMBERS = {"integer": int, "positiveInt": int, "unsignedInt": int, "decimal": Decimal}


def resource_of(text):
    """Return the resource of an XML document as JSON."""
    return _resource(ElementTree.fromstring(text))  # noqa: S314 - official files alone


def _resource(element):
    name = element.tag.removeprefix(FHIR)
    return {"resourceType": name, **_members(element, name)}


def _members(element, type_name):
    """Return the JSON members of an element of a complex type."""
    members = {}
    for key in ("id", "url"):
        if key in element.attrib:
            members[key] = element.attrib[key]
    names = _json_names(type_name)
    for child in element:
        key = child.tag.removeprefix(FHIR).removeprefix(XHTML)
        type_, is_list = names[key]
        value, extra = _value(child, type_)
        _put(members, key, value, is_list)
        if extra or f"_{key}" in members:
            _put(members, f"_{key}", extra, is_list)
    _even(members)
    return members


def _json_names(type_name):
    elements = definition_of(type_name).elements.values()
    return {
        key: (type_, element.is_list)
        for element in elements
        for key, type_ in element.json_names().items()
    }


def _put(members, key, value, is_list):
    if is_list:
        members.setdefault(key, []).append(value)
    else:
        members[key] = value


def _even(members):
    """Fill the list beside another with nulls, so that places agree."""
    for key in [key for key in members if key.startswith("_") and isinstance(members[key], list)]:
        values = members[key[1:]]
        members[key] = [None] * (len(values) - len(members[key])) + members[key]


def _value(element, type_name):
    """Return the JSON of an element, and of a primitive what stands beside it."""
    if type_name == "xhtml":
        return ElementTree.tostring(element, encoding="unicode"), None
    if type_name == "Resource":
        return _resource(element[0]), None
    if definition_of(type_name).kind != "primitive":
        return _members(element, type_name), None
    text = element.attrib.get("value")
    extra = {"id": element.attrib["id"]} if "id" in element.attrib else {}
    extensions = [_members(child, "Extension") for child in element]
    if extensions:
        extra["extension"] = extensions
    return _primitive(text, type_name), extra


def _primitive(text, type_name):
    if text is None:
        return None
    if type_name == "boolean":
        return text == "true"
    return NUMBERS.get(type_name, str)(text)
