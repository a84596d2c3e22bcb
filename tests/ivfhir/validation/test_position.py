"""Line and column of what is wrong."""

import json
import time

import pytest

from ivfhir.validation.position import lines_of, positions_of

TEXT = """{
  "resourceType": "Patient",
  "name": [
    {"family": "a}\\"]b", "given": ["x", null, 5]},
    {"use" : "old"}
  ],
  "active": true
}
"""


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        ((), (1, 1)),
        (("resourceType",), (2, 3)),
        (("name",), (3, 3)),
        (("name", 0), (4, 5)),
        (("name", 0, "given"), (4, 26)),
        (("name", 0, "given", 2), (4, 47)),
        (("name", 1, "use"), (5, 6)),
        (("active",), (7, 3)),
        (("name", 1, "missing"), (5, 5)),
        (("none", 3), (1, 1)),
    ],
)
def test_it_is_where_the_name_or_the_item_begins(pointer, expected):
    json.loads(TEXT)
    assert positions_of(TEXT, [pointer]) == {pointer: expected}


BESIDE = """{
  "_gender": {"extension": [{"url": "x"}]},
  "_birthDate": {"extension": [{"url": "x"}]},
  "birthDate": "2000",
  "given": ["a", null],
  "_given": [null, {"id": "b"}]
}
"""


@pytest.mark.parametrize(
    ("pointer", "expected"),
    [
        (("gender",), (2, 3)),
        (("gender", "extension", 0, "url"), (2, 30)),
        (("birthDate",), (4, 3)),
        (("birthDate", "extension", 0), (3, 32)),
        (("_birthDate",), (3, 3)),
        (("given", 1), (5, 18)),
        (("given", 1, "id"), (6, 21)),
        (("given", 1, "missing"), (5, 18)),
    ],
)
def test_what_stands_beside_an_element_is_found_under_its_name(pointer, expected):
    assert positions_of(BESIDE, [pointer]) == {pointer: expected}
    both = [("birthDate",), ("birthDate", "extension", 0), pointer]
    assert positions_of(BESIDE, both)[pointer] == expected


def test_a_byte_order_mark_and_one_line_are_read():
    pointer = ("a", 1, "b")
    assert positions_of('\ufeff{"a":[1,{"b":2}]}', [pointer]) == {pointer: (1, 11)}


def test_many_are_found_in_one_pass():
    text = json.dumps({"a": [{"b": number} for number in range(20_000)]}, indent=0)
    pointers = [("a", number, "b") for number in range(0, 20_000, 20)]
    began = time.perf_counter()
    found = positions_of(text, pointers)
    assert time.perf_counter() - began < 3
    assert [found[("a", number, "b")][0] for number in (0, 20)] == [4, 64]


def test_lines_are_given_by_their_numbers():
    assert lines_of("a\r\nb\n\nc", {1, 3, 4}) == {1: "a", 3: "", 4: "c"}
    assert lines_of("a", set()) == {}
    long = "x" * 1000
    assert lines_of(long, {1})[1] is long
