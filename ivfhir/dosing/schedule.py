"""The days on which courses begin."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from ivfhir.dosing.plausible import check
from ivfhir.errors import ParameterError


@dataclass(frozen=True)
class Schedule:
    """Day 0 of each course, and the day on which the last interval ends."""

    day0: tuple[date, ...]
    end: date


def schedule(*, start: date, interval_days: int, segments: int) -> Schedule:
    """Return the days by calendar-day addition, without weekends or holidays (E-11).

    Args:
        start: day 0 of the first course.
        interval_days: from one day 0 to the next.
        segments: how many courses.

    Raises:
        ParameterError: interval or number is implausible, or the days leave the calendar.

    Source: CALC-16
    """
    check("interval_days", Decimal(interval_days))
    check("count", Decimal(segments), name="segments")
    try:
        days = [start + timedelta(days=number * interval_days) for number in range(segments + 1)]
    except OverflowError:
        raise ParameterError(f"start is {start}: the days after it leave the calendar.") from None
    return Schedule(day0=tuple(days[:-1]), end=days[-1])
