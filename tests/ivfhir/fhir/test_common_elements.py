"""What every resource may have is of the JSON kind that FHIR gives it, or it is no resource."""

from typing import Any

import pytest

from ivfhir.fhir.common_elements import has_common_shape

GOOD: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "p",
    "meta": {"versionId": "1", "lastUpdated": "2026-01-01T00:00:00Z", "tag": [{"code": "x"}]},
    "text": {"status": "empty"},
    "identifier": [{"type": {"coding": [{"code": "MR"}]}, "system": "s", "value": "1"}, {}],
}


@pytest.mark.parametrize(
    "changes", [{}, {"identifier": {"value": "1"}}, {"id": ""}, {"contained": [{}]}, {"meta": {}}]
)
def test_a_sound_resource_is_one(changes: dict[str, Any]) -> None:
    assert has_common_shape({**GOOD, **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"resourceType": 1},
        {"id": ["p"]},
        {"id": {}},
        {"meta": []},
        {"meta": {"versionId": {}}},
        {"meta": {"tag": ["x"]}},
        {"text": "x"},
        {"identifier": ["x"]},
        {"identifier": "x"},
        {"identifier": [{"type": "x"}]},
        {"identifier": [{"type": {"coding": ["x"]}}]},
        {"identifier": [{"value": {}}]},
        {"contained": {}},
        {"contained": [{"id": 5}]},
        {"meta": {"tag": [{"code": ["x"]}]}},
        {"meta": {"tag": [{"system": {}}]}},
    ],
)
def test_a_resource_of_another_shape_is_none(changes: dict[str, Any]) -> None:
    assert not has_common_shape({**GOOD, **changes})


@pytest.mark.parametrize("value", [None, [], "x", 1, {}])
def test_another_value_is_none(value: Any) -> None:
    assert not has_common_shape(value)
