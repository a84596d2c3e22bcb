"""When a request is due, whatever its kind."""

import pytest

from ivfhir.activity.due import Due, due_of

TIMING = {
    "event": ["2025-03-04"],
    "repeat": {"boundsPeriod": {"start": "2025-03-03", "end": "2025-03-05"}},
}
PERIOD = {"start": "2025-03-03", "end": "2025-03-05"}


@pytest.mark.parametrize(
    ("request_", "due"),
    [
        ({"occurrenceTiming": TIMING}, Due("2025-03-04", "2025-03-03", "2025-03-05")),
        (
            {"dosageInstruction": [{"timing": TIMING}, {"timing": {"event": ["2026-01-01"]}}]},
            Due("2025-03-04", "2025-03-03", "2025-03-05"),
        ),
        ({"occurrencePeriod": PERIOD}, Due(None, "2025-03-03", "2025-03-05")),
        ({"executionPeriod": PERIOD}, Due(None, "2025-03-03", "2025-03-05")),
        ({"occurrenceDateTime": "2025-03-04"}, Due("2025-03-04", None, None)),
        ({"dosageInstruction": [{"text": "slowly"}]}, Due(None, None, None)),
        ({}, Due(None, None, None)),
    ],
)
def test_due(request_, due):
    assert due_of(request_) == due


@pytest.mark.parametrize("kind", ["occurrencePeriod", "executionPeriod"])
def test_the_action_says_the_day_where_the_request_has_a_window_only(kind):
    due = due_of({kind: PERIOD}, {"timingDateTime": "2025-03-04"})
    assert due == Due("2025-03-04", "2025-03-03", "2025-03-05")


def test_the_day_of_a_request_outranks_its_action():
    own = due_of({"occurrenceTiming": TIMING}, {"timingDateTime": "2025-03-05"})
    assert own.day == "2025-03-04"


def test_last_is_the_day_and_without_one_the_end_of_the_window():
    assert Due("2025-03-04", "2025-03-03", "2025-03-05").last == "2025-03-04"
    assert Due(None, "2025-03-03", "2025-03-05").last == "2025-03-05"
    assert Due(None, None, None).last is None
