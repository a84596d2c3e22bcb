"""Line and column of what is wrong."""

import json

import pytest

from ivfhir.validation.position import position_of

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
    assert position_of(TEXT, pointer) == expected


def test_a_byte_order_mark_and_one_line_are_read():
    assert position_of('\ufeff{"a":[1,{"b":2}]}', ("a", 1, "b")) == (1, 11)
