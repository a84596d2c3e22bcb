"""Children and descendants."""

import pytest

from tests.ivfhir.expressions.fhirpath.asked import PATIENT, ask, ask_all_ways


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name.children().count()", [7]),
        ("contact.children().count()", [1]),
        ("descendants().count() > children().count()", [True]),
        ("descendants().where($this = 'Berg')", ["Berg"]),
        ("birthDate.children().count()", [1]),
        ("1.children()", []),
        ("descendants().ofType(HumanName).family", ["Lindqvist", "Berg"]),
    ],
)
def test_what_it_gives(text, expected):
    assert ask_all_ways(text, PATIENT) == expected


def test_of_json_without_a_type_every_object_is_a_child():
    assert ask("descendants().count()", {"resourceType": "Other", "a": {"b": [1, 2]}}) == [3]
