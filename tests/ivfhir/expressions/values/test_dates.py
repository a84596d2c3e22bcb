"""Reading, writing and comparing dates of any precision."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from ivfhir.expressions.values import Date, DateTime, Time
from ivfhir.expressions.values.dates import HOUR, MINUTE, SECOND
from ivfhir.expressions.values.order import compare
from tests.ivfhir.expressions.loaded import day, moment, time


@pytest.mark.parametrize("text", ["2024", "2024-02", "2024-02-29"])
def test_a_date_is_written_as_it_was_read(text: str) -> None:
    assert str(day(text)) == text


@pytest.mark.parametrize(
    "text", ["", "24", "2024-13", "2023-02-29", "2024-2-3", "2024-02-03T10:00", "0000", " 2024"]
)
def test_what_is_no_date(text: str) -> None:
    assert Date.parse(text) is None


@pytest.mark.parametrize(
    "text",
    ["2024", "2024-02", "2024-02-29", "2024-02-29T10:00:00Z", "2024-02-29T10:00:00.1234+05:30"],
)
def test_a_date_time_is_written_as_it_was_read(text: str) -> None:
    assert str(moment(text)) == text


@pytest.mark.parametrize(
    "text", ["2024-02-29T24:00:00Z", "2024-02-29T10:60:00Z", "2024-02T10:00:00Z", "now"]
)
def test_what_is_no_date_time(text: str) -> None:
    assert DateTime.parse(text) is None


def test_a_leap_second_is_the_last_of_its_minute() -> None:
    assert moment("2016-12-31T23:59:60Z").parts == (2016, 12, 31, 23, 59, 59, 999)


def test_a_computed_date_time_writes_its_offset() -> None:
    assert str(DateTime((2024, 2, 3, 4, 5, 6, 7), -330)) == "2024-02-03T04:05:06.007-05:30"
    assert str(DateTime((2024, 2, 3), 60)) == "2024-02-03"


def test_python_dates() -> None:
    assert Date.of(date(2024, 2, 3)) == day("2024-02-03")
    assert day("2024-02").to_python() == date(2024, 2, 1)
    zone = timezone(timedelta(hours=2))
    assert DateTime.of(datetime(2024, 2, 3, 4, 5, 6, 7000, zone)) == moment(
        "2024-02-03T02:05:06.007Z"
    )
    assert DateTime.of(datetime(2024, 2, 3, tzinfo=UTC)).offset == 0


def test_the_same_moment_seen_from_another_offset() -> None:
    seen = moment("2024-02-03T23:30:00-05:00").in_offset(60)
    assert str(seen) == "2024-02-04T05:30:00+01:00"
    assert seen == moment("2024-02-03T23:30:00-05:00")
    assert moment("2024-02").in_offset(60) == moment("2024-02")


@pytest.mark.parametrize(
    ("a", "b", "order"),
    [
        ("2024", "2025", -1),
        ("2024-02", "2024-02", 0),
        ("2024-02", "2024-02-03", None),
        ("2024-02-03", "2024-02-03T10:00:00Z", None),
        ("2024-02-03", "2024-02-04T10:00:00Z", -1),
        ("2024-02-03T10:00:00Z", "2024-02-03T11:00:00+02:00", 1),
        ("2024-02-03T10:00:00Z", "2024-02-03T10:00:00.000Z", 0),
        ("2024-02-03T10:00:00Z", "2024-02-03T10:00:00.001Z", -1),
    ],
)
def test_order(a: str, b: str, order: int | None) -> None:
    assert compare(moment(a), moment(b)) == order


def test_order_down_to_a_component() -> None:
    assert compare(time("10:15"), time("10:45"), HOUR) == 0
    assert compare(time("10:15"), time("10:45"), MINUTE) == -1
    assert compare(time("10"), time("10:45"), MINUTE) is None


def test_times() -> None:
    assert str(time("10:15:00.5")) == "10:15:00.5"
    assert str(Time((10, 5))) == "10:05"
    assert Time.parse("25:00") is None


@pytest.mark.parametrize(
    ("a", "b", "order"),
    [
        ("2025-03-03T10:00:00.0001Z", "2025-03-03T10:00:00.000Z", 1),
        ("2025-03-03T10:00:00.000001Z", "2025-03-03T10:00:00.000002Z", -1),
        ("2025-03-03T11:00:00.1234+01:00", "2025-03-03T10:00:00.12340Z", 0),
    ],
)
def test_digits_beyond_the_millisecond_order_two_moments(a: str, b: str, order: int) -> None:
    assert compare(moment(a), moment(b)) == order
    assert compare(moment(a), moment(b), SECOND) == 0
