"""The members of an object in JSON text."""

import json

import pytest

from ivfhir.fhir.json_members import members, text_at

TEXT = ' {"a": [1, {"b": "}"}], "c" : "x\\"y",\n"d": 1.5 , "e": null, "f": {}} '


def test_each_member_is_told_with_its_place():
    found = list(members(TEXT, 1))
    assert [name for name, _, _ in found] == ["a", "c", "d", "e", "f"]
    assert [TEXT[start] for _, start, _ in found] == ['"'] * 5
    assert [TEXT[value] for _, _, value in found] == ["[", '"', "1", "n", "{"]
    assert text_at(TEXT, found[1][2]) == json.loads(TEXT)["c"]
    assert text_at(TEXT, found[2][2]) is None


def test_items_are_numbered():
    assert [name for name, _, _ in members(TEXT, TEXT.index("["))] == [0, 1]


@pytest.mark.parametrize("text", ['"a"', "1", "", "null"])
def test_what_is_neither_has_none(text):
    assert list(members(text, 0)) == []
