"""Simple paths into a resource."""

import pytest

from ivfhir.errors import UnsupportedError
from ivfhir.fhir.simple_path import parse_path, set_element


def test_path_becomes_names_and_indices():
    path = "dosageInstruction[0].timing.event[0]"
    assert parse_path(path) == ["dosageInstruction", 0, "timing", "event", 0]


@pytest.mark.parametrize(
    "path", ["", "a..b", "a[x]", "a.where(b)", "%resource.a", "Patient.name", "a[0][1]", "a.b "]
)
def test_other_fhirpath_is_refused(path):
    with pytest.raises(UnsupportedError, match="not simple"):
        parse_path(path)


def test_missing_elements_are_made():
    request = {"resourceType": "ServiceRequest"}
    set_element(request, "occurrenceTiming.event[0]", "2025-03-03")
    set_element(request, "occurrenceTiming.repeat.boundsPeriod", {"start": "2025-03-03"})
    assert request["occurrenceTiming"] == {
        "event": ["2025-03-03"],
        "repeat": {"boundsPeriod": {"start": "2025-03-03"}},
    }


def test_existing_elements_stay():
    request = {"dosageInstruction": [{"text": "slowly"}]}
    set_element(request, "dosageInstruction[0].timing.event[0]", "2025-03-03")
    set_element(request, "dosageInstruction[1].text", "later")
    assert request["dosageInstruction"] == [
        {"text": "slowly", "timing": {"event": ["2025-03-03"]}},
        {"text": "later"},
    ]


def test_value_is_replaced():
    request = {"code": {"text": "old"}}
    set_element(request, "code.text", "new")
    assert request == {"code": {"text": "new"}}


@pytest.mark.parametrize("path", ["event[2]", "event.text", "code[0]", "code.text.x"])
def test_other_shape_is_refused(path):
    with pytest.raises(UnsupportedError, match=r"Path"):
        set_element({"event": ["2025-03-03"], "code": {"text": "a"}}, path, "x")
