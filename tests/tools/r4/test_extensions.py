"""Each extension of R4 has its value, its places, what is inside it, and whether it modifies."""

import pytest

from tools.r4.extensions import build_extensions

URL = "http://x.example/ext"


def extension(*inside, root=None, contexts=(), **value):
    element = {"id": "Extension.value[x]", "path": "Extension.value[x]", "max": "1"} | value
    first = {"id": "Extension", "path": "Extension"} | (root or {})
    return {
        "resourceType": "StructureDefinition",
        "type": "Extension",
        "url": URL,
        "context": [{"type": "element", "expression": each} for each in contexts],
        "snapshot": {"element": [first, *inside, element]},
    }


def line(*inside, **words):
    return build_extensions([extension(*inside, **words)])[URL]


def test_a_value_has_its_types():
    types = [{"code": "code"}, {"code": "Reference", "targetProfile": ["http://x.example/P"]}]
    assert line(type=types)[0] == ["code", "Reference"]


def test_where_no_value_is_allowed_there_is_no_type():
    assert line(max="0", type=[{"code": "code"}])[0] == []


def test_places_and_the_modifier_are_kept():
    types = [{"code": "code"}]
    assert line(type=types, contexts=["Patient", "HumanName"])[1] == ["Patient", "HumanName"]
    assert line(type=types)[3] is False
    assert line(type=types, root={"isModifier": True})[3] is True


@pytest.mark.parametrize(("most", "kept"), [("1", 1), ("*", None)])
def test_what_is_inside_has_its_own_line(most, kept):
    path = "Extension.extension"
    inside = [
        {"id": path, "path": path, "min": 0, "max": "*"},
        {"id": f"{path}:code", "path": path, "sliceName": "code", "min": 1, "max": most},
        {"id": f"{path}:code.url", "path": f"{path}.url", "fixedUri": "code"},
        {
            "id": f"{path}:code.value[x]",
            "path": f"{path}.value[x]",
            "type": [{"code": "Coding"}],
        },
    ]
    assert line(*inside, max="0")[2] == {"code": [["Coding"], 1, kept]}


def test_other_definitions_are_none():
    assert (
        build_extensions([{"resourceType": "SearchParameter"}, extension() | {"type": "Box"}]) == {}
    )
