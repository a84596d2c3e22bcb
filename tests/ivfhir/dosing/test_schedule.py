"""CALC-16: the specification's vectors."""

from datetime import date

import pytest

from ivfhir.dosing.schedule import schedule
from ivfhir.errors import ParameterError


@pytest.mark.parametrize(
    ("start", "interval", "segments", "days", "end"),
    [
        ("2025-03-03", 28, 4, "2025-03-03 2025-03-31 2025-04-28 2025-05-26", "2025-06-23"),
        (
            "2025-03-03",
            35,
            6,
            "2025-03-03 2025-04-07 2025-05-12 2025-06-16 2025-07-21 2025-08-25",
            "2025-09-29",
        ),
        (
            "2025-09-01",
            28,
            5,
            "2025-09-01 2025-09-29 2025-10-27 2025-11-24 2025-12-22",
            "2026-01-19",
        ),
    ],
)
def test_the_vectors_of_the_specification(start, interval, segments, days, end):
    found = schedule(start=date.fromisoformat(start), interval_days=interval, segments=segments)
    assert " ".join(day.isoformat() for day in found.day0) == days
    assert found.end.isoformat() == end


@pytest.mark.parametrize(
    ("start", "interval", "segments", "words"),
    [
        ("2025-03-03", 0, 4, "interval_days"),
        ("2025-03-03", 28, 0, "segments"),
        ("9999-12-01", 28, 4, "calendar"),
    ],
)
def test_what_gives_no_days_is_refused(start, interval, segments, words):
    with pytest.raises(ParameterError, match=words):
        schedule(start=date.fromisoformat(start), interval_days=interval, segments=segments)
