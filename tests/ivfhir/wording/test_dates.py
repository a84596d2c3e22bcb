"""Dates in words."""

from datetime import UTC, date, datetime, timedelta

import pytest

from ivfhir.wording import dates


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2025-03-03", "3 Mar 2025"),
        ("2025-03-03T08:42:00+01:00", "3 Mar 2025"),
        ("2025-03", "Mar 2025"),
        ("2020", "2020"),
        (None, ""),
        ("soon", "soon"),
    ],
)
def test_a_day_is_said_as_far_as_it_is_known(text, words):
    assert dates.day(text) == words


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        ((2025, 3, 10), (2025, 3, 12), "10 to 12 Mar 2025"),
        ((2025, 4, 29), (2025, 5, 1), "29 Apr to 1 May 2025"),
        ((2025, 12, 30), (2026, 1, 1), "30 Dec 2025 to 1 Jan 2026"),
        ((2025, 3, 3), (2025, 3, 3), "3 Mar 2025"),
    ],
)
def test_a_range_says_months_and_years_only_as_far_as_needed(low, high, words):
    assert dates.days(date(*low), date(*high)) == words


def test_a_list_says_each_year_once():
    values = [date(2025, 9, 21), date(2025, 12, 20), date(2026, 3, 20)]
    assert dates.list_days(values) == "21 Sep, 20 Dec 2025, 20 Mar 2026"


@pytest.mark.parametrize(
    ("days", "words"), [(0, "today"), (1, "1 day old"), (3, "3 days old"), (None, "")]
)
def test_age_in_days(days, words):
    assert dates.age(days) == words


@pytest.mark.parametrize(
    ("born", "years"),
    [("1962-03-03", 63), ("1962-03-04", 62), ("1962", None), (None, None)],
)
def test_age_in_years_is_never_guessed(born, years):
    assert dates.completed_years(born, date(2025, 3, 3)) == years


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(0, "just now"), (1, "1 minute ago"), (4, "4 minutes ago"), (130, "2 hours ago")],
)
def test_time_since(minutes, words):
    now = datetime(2025, 3, 3, 8, 46, tzinfo=UTC)
    assert dates.since(now - timedelta(minutes=minutes), now) == words
