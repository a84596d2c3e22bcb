"""Each extension of R4 has the types of its value."""

from tools.r4.extensions import build_extensions

URL = "http://x.example/ext"


def extension(**value):
    element = {"path": "Extension.value[x]", "max": "1"} | value
    return {
        "resourceType": "StructureDefinition",
        "type": "Extension",
        "url": URL,
        "snapshot": {"element": [{"path": "Extension"}, element]},
    }


def test_a_value_has_its_types():
    types = [{"code": "code"}, {"code": "Reference", "targetProfile": ["http://x.example/P"]}]
    assert build_extensions([extension(type=types)]) == {URL: ["code", "Reference"]}


def test_where_no_value_is_allowed_there_is_no_type():
    assert build_extensions([extension(max="0", type=[{"code": "code"}])]) == {URL: []}


def test_other_definitions_are_none():
    assert (
        build_extensions([{"resourceType": "SearchParameter"}, extension() | {"type": "Box"}]) == {}
    )
