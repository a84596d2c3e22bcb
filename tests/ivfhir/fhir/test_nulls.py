"""Nulls that FHIR does not know are as if they were not: http://hl7.org/fhir/R4/json.html#null ."""

from typing import Any

import pytest

from ivfhir.fhir.nulls import drop_nulls


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"name": None, "id": "p"}, {"id": "p"}),
        ({"name": [None]}, {"name": []}),
        ({"name": [{"given": None, "family": "A"}, None]}, {"name": [{"family": "A"}]}),
        ({"name": [{"given": ["A", None]}]}, {"name": [{"given": ["A"]}]}),
        (
            {"given": ["A", None], "_given": [None, {"id": "x"}]},
            {"given": ["A", None], "_given": [None, {"id": "x"}]},
        ),
        ({"a": {"b": [[{"c": None}]]}}, {"a": {"b": [[{}]]}}),
        ([None, {"a": None}], [None, {}]),
        (None, None),
    ],
)
def test_a_null_is_dropped_except_beside_its_sister(before: Any, after: Any) -> None:
    drop_nulls(before)
    assert before == after
