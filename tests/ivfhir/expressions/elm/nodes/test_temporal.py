"""Dates and times: https://cql.hl7.org/09-b-cqlreference.html#date-and-time-operators-2.

The evaluation is at 2025-03-03T12:00:00.000+01:00.
"""

from decimal import Decimal as D

import pytest

from ivfhir.errors import EvaluationError
from ivfhir.expressions.values import DateTime
from tests.ivfhir.expressions.loaded import AS_OF, day, moment, same, time, value

ANSWERS = {
    "YearOnly": day("2024"),
    "FullDate": day("2024-02-29"),
    "Constructed": moment("2024-02-03T04:05:06.007+02:00"),
    "ConstructedHere": DateTime((2024, 2, 3, 4), 60),
    "ConstructedPartial": day("2024"),
    "DayOfDate": 3,
    "DayOfMonth": None,
    "HourOfDay": 4,
    "DateOfMoment": day("2024-02-03"),
    "TimeOfMoment": time("23:30:00"),
    "ZoneOfMoment": D("-5.5"),
    "AddDays": day("2024-03-01"),
    "AddMonthsCut": day("2024-02-29"),
    "AddYearLeap": day("2025-02-28"),
    "AddWeeks": day("2024-03-06"),
    "AddDaysAcrossYear": day("2024-01-01"),
    "SubtractMonths": day("2024-02-29"),
    "AddMonthsToYear": day("2016"),
    "AddMonthsToYearWhole": day("2016"),
    "AddDaysToMonth": day("2014-02"),
    "AddHours": moment("2024-02-04T00:30:00.000-05:00"),
    "AddTooMuch": None,
    "AddUcum": day("2024-03-01"),
    "SubtractHalfSecond": moment("2024-02-02T23:59:59.500Z"),
    "TimePlus": time("00:15"),
    "SameMoment": True,
    "LessAcrossZones": True,
    "SecondsAndMilliseconds": True,
    "LessPartial": None,
    "LessPartialKnown": True,
    "EqualPartial": None,
    "EqualPartialKnown": False,
    "EquivalentPartial": False,
    "NotEqualPartial": None,
    "SameDayZones": False,
    "SameHourZones": True,
    "SameMonth": True,
    "SameDayPartial": None,
    "SameDayPartialKnown": False,
    "SameDayOrBefore": True,
    "BeforeDay": False,
    "AfterMonth": True,
    "OrAfter": False,
    "DaysBetween": 2,
    "DaysBetweenBack": -2,
    "DaysDifferenceMoments": 1,
    "DaysDurationMoments": 0,
    "MonthsBetween": 0,
    "YearsBetween": 17,
    "YearsBetweenDone": 18,
    "YearsDifference": 1,
    "WeeksBetween": 2,
    "HoursBetweenZones": 2,
    "YearsOfYears": None,
    "DaysUncertain": None,
    "DaysUncertainLess": True,
    "DaysUncertainMore": None,
    "DaysUncertainLow": True,
    "DaysUncertainEqual": False,
    "DaysUncertainSum": True,
    "MonthsUncertain": None,
    "AgeFull": 17,
    "AgeBirthday": 18,
    "AgeOfYear": None,
    "AgeOfYearOlder": True,
    "AgeLowBoundary": 18,
    "LowOfYear": day("2024-01-01"),
    "HighOfYear": day("2024-12-31"),
    "HighOfMonth": day("2024-02-29"),
    "HighOfDay": day("2024-02-03"),
    "HighOfMoment": moment("2024-02-03T23:59:59.999+01:00"),
    "PrecisionOfMonth": 6,
    "PrecisionOfMoment": 17,
    "NowIsAsOf": AS_OF,
    "TodayIsAsOf": day("2025-03-03"),
    "NullPlus": None,
    "MinimumDate": day("0001-01-01"),
}


@pytest.mark.parametrize("define", ANSWERS)
def test_answer(define: str) -> None:
    found, expected = value("Dates", define), ANSWERS[define]
    assert same(found, expected)
    assert getattr(found, "precision", None) == getattr(expected, "precision", None)


def test_a_day_that_the_calendar_has_not_stops() -> None:
    with pytest.raises(EvaluationError, match="Dates: ConstructedWrong: DateTime: the calendar"):
        value("Dates", "ConstructedWrong")


def test_a_computed_date_has_no_text_of_a_source() -> None:
    assert value("Dates", "AddDays").text is None
