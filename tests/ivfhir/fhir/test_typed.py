"""Members of JSON of the wrong kind are as if they were not there."""

import pytest

from ivfhir.fhir.typed import object_in, objects_in, rows_in, text_in, texts_in


@pytest.mark.parametrize("value", [None, [], {}, "", 5, True, ["a"], {"a": "b"}])
def test_what_is_no_text_is_none(value):
    assert text_in({"code": value}, "code") is None


def test_a_text_is_itself():
    assert text_in({"code": "a"}, "code") == "a"
    assert text_in({}, "code") is None


@pytest.mark.parametrize("value", [None, [], "", 5, [{"a": "b"}]])
def test_what_is_no_object_is_empty(value):
    assert object_in({"code": value}, "code") == {}
    assert object_in({"code": {"text": "a"}}, "code") == {"text": "a"}


@pytest.mark.parametrize("value", [None, {}, 5, "a", {"a": "b"}])
def test_what_is_no_array_holds_nothing(value):
    assert objects_in({"coding": value}, "coding") == []
    assert texts_in({"coding": value}, "coding") == []


def test_the_objects_of_an_array_keep_their_numbers():
    assert objects_in({"coding": [None, {"code": "a"}, ["x"]]}, "coding") == [{}, {"code": "a"}, {}]
    assert objects_in({}, "coding") == []


def test_what_is_malformed_is_an_empty_row():
    assert rows_in({"concept": [{"code": "a"}, 5]}, "concept") == [{"code": "a"}, {}]
    for value in (None, [], {}, "", {"code": "a"}):
        assert rows_in({"concept": value}, "concept") == [{}]
    assert rows_in({}, "concept") == []


def test_the_texts_of_an_array_are_those_that_are_texts():
    assert texts_in({"profile": ["a", None, 5, "b"]}, "profile") == ["a", "b"]
