"""A value set tells its codes where it lists all of them."""

import pytest

from ivfhir.fhir.expansions import members_of

URL = "http://hl7.org/fhir/StructureDefinition/"
S = "http://s.example"


def contains(code, *inside, **words):
    return {"system": S, "code": code, "contains": list(inside)} | words


@pytest.mark.parametrize(
    ("value_set", "expected"),
    [
        ({"expansion": {"contains": [contains("a", contains("b")), contains("c")]}}, "abc"),
        ({"expansion": {"contains": [contains("a", contains("b"), abstract=True)]}}, "b"),
        ({"expansion": {"total": 3, "contains": [contains("a")]}}, None),
        ({"expansion": {"total": 1, "offset": 0, "contains": [contains("a")]}}, "a"),
        ({"expansion": {"total": 1, "offset": 1, "contains": [contains("b")]}}, None),
        ({"expansion": {}}, None),
        ({"expansion": {"extension": [{"url": URL + "other"}], "contains": [contains("a")]}}, "a"),
        *(
            ({"expansion": {"extension": [{"url": url}], "contains": [contains("a")]}}, None)
            for url in (URL + "valueset-unclosed", URL + "valueset-toocostly")
        ),
        ({"compose": {"include": [{"system": S, "concept": [{"code": "a"}]}]}}, "a"),
        ({"compose": {"include": [{"system": S}]}}, None),
        (
            {"compose": {"include": [{"system": S, "filter": [{}], "concept": [{"code": "a"}]}]}},
            None,
        ),
        ({"compose": {"include": [{"valueSet": ["x"]}]}}, None),
        (
            {
                "compose": {
                    "include": [{"system": S, "concept": [{"code": "a"}]}],
                    "exclude": [{"system": S}],
                }
            },
            None,
        ),
        *(
            ({"expansion": {"contains": [contains("a"), each]}}, None)
            for each in (5, {}, {"system": S}, {"system": [S], "code": "b"}, {"code": ["b"]})
        ),
        ({"expansion": {"extension": [{"url": ["x"]}], "contains": [contains("a")]}}, "a"),
        *(
            ({"compose": {"include": [{"system": S, "concept": [{"code": "a"}, each]}]}}, None)
            for each in (5, {}, {"code": ["b"]})
        ),
        ({"compose": {"include": [{"system": [S], "concept": [{"code": "a"}]}]}}, None),
        ({}, None),
        ({"compose": "x", "expansion": "y"}, None),
    ],
)
def test_its_codes(value_set, expected):
    wanted = None if expected is None else {(S, code) for code in expected}
    assert members_of(value_set) == wanted
