"""Dates and times as clinicians read them: `Mon 3 Mar 2025`, `3 days old`.

Month and weekday names are written out here, so that the machine's locale never speaks in a page.
"""

import re
from datetime import date, datetime

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_PARTIAL = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?")


def parse_day(text: str | None) -> date | None:
    """Return the calendar day of a FHIR date or dateTime as written; None when it has no day."""
    found = _PARTIAL.match(text or "")
    if found is None or found.group(3) is None:
        return None
    return date(int(found.group(1)), int(found.group(2)), int(found.group(3)))


def day(value: date | str | None, *, year: bool = True) -> str:
    """Return `3 Mar 2025` (or `3 Mar`); a partial date stays partial; '' for none."""
    if isinstance(value, str):
        found = _PARTIAL.match(value)
        if found is None:
            return value
        full = parse_day(value)
        if full is None:
            return " ".join(part for part in (_month(found.group(2)), found.group(1)) if part)
        value = full
    if value is None:
        return ""
    words = f"{value.day} {MONTHS[value.month - 1]}"
    return f"{words} {value.year}" if year else words


def weekday_day(value: date) -> str:
    """Return `Mon 3 Mar 2025`."""
    return f"{WEEKDAYS[value.weekday()]} {day(value)}"


def days(low: date, high: date, *, year: bool = True) -> str:
    """Return `10 to 12 Mar 2025` or `29 Apr to 1 May 2025`; years only as far as needed."""
    if low == high:
        return day(low, year=year)
    if low.year != high.year:
        return f"{day(low)} to {day(high)}"
    first = str(low.day) if low.month == high.month else day(low, year=False)
    return f"{first} to {day(high, year=year)}"


def list_days(values: list[date]) -> str:
    """Return `2 Mar, 30 Mar, 27 Apr 2025`; the year stands after the last day of it."""
    words = []
    for place, value in enumerate(values):
        last_of_year = place + 1 == len(values) or values[place + 1].year != value.year
        words.append(day(value, year=last_of_year))
    return ", ".join(words)


def age(age_days: int | None) -> str:
    """Return `today`, `1 day old`, `3 days old`; '' when unknown."""
    if age_days is None:
        return ""
    if age_days == 0:
        return "today"
    return "1 day old" if age_days == 1 else f"{age_days} days old"


def moment(value: datetime) -> str:
    """Return `3 Mar 2025, 08:42`."""
    return f"{day(value.date())}, {value:%H:%M}"


def since(then: datetime, now: datetime) -> str:
    """Return how long ago, in words of whole minutes or hours."""
    minutes = int((now - then).total_seconds() // 60)
    if minutes < 1:
        return "just now"
    if minutes < 60:  # noqa: PLR2004 - minutes in an hour
        return "1 minute ago" if minutes == 1 else f"{minutes} minutes ago"
    hours = minutes // 60
    return "1 hour ago" if hours == 1 else f"{hours} hours ago"


def completed_years(born: str | None, as_of: date) -> int | None:
    """Return the completed years on `as_of`; None for a partial or missing birth date."""
    birth = parse_day(born)
    if birth is None:
        return None
    return as_of.year - birth.year - ((as_of.month, as_of.day) < (birth.month, birth.day))


def _month(number: str | None) -> str:
    return MONTHS[int(number) - 1] if number else ""
