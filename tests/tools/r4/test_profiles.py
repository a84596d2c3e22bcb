"""R4's own profiles are kept as far as they are checked."""

from tools.r4.profiles import build_profiles

URL = "http://x.example/p"


def definition(**words):
    element = {
        "id": "Box.a",
        "path": "Box.a",
        "short": "what people read",
        "min": 1,
        "fixedCode": "x",
        "mustSupport": True,
        "type": [{"code": "code", "extension": []}],
        "binding": {"strength": "required", "valueSet": "v", "description": "x"},
    }
    return {
        "resourceType": "StructureDefinition",
        "url": URL,
        "derivation": "constraint",
        "type": "Box",
        "text": {},
        "differential": {"element": [{"id": "Box", "path": "Box"}, element]},
    } | words


def test_what_is_only_read_is_left_out():
    assert build_profiles([definition()]) == {
        URL: {
            "resourceType": "StructureDefinition",
            "url": URL,
            "type": "Box",
            "derivation": "constraint",
            "differential": {
                "element": [
                    {"id": "Box", "path": "Box"},
                    {
                        "id": "Box.a",
                        "path": "Box.a",
                        "min": 1,
                        "fixedCode": "x",
                        "type": [{"code": "code"}],
                        "binding": {"strength": "required", "valueSet": "v"},
                    },
                ]
            },
        }
    }


def test_types_and_extensions_are_none():
    rows = [
        definition(derivation="specialization"),
        definition(type="Extension"),
        {"resourceType": "SearchParameter"},
    ]
    assert build_profiles(rows) == {}
