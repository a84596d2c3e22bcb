"""Intervals and membership: https://cql.hl7.org/09-b-cqlreference.html#interval-operators-3."""

from decimal import Decimal as D

import pytest

from ivfhir.errors import EvaluationError
from ivfhir.expressions.values import Interval
from tests.ivfhir.expressions.loaded import day, same, value

INTEGER = "System.Integer"
INTERVALS = {
    "InClosed": True,
    "InOpen": False,
    "InNullHigh": True,
    "InUnknownHigh": None,
    "BelowUnknownHigh": False,
    "NullIn": None,
    "InNullInterval": False,
    "InDecimals": True,
    "InPartialDate": True,
    "InPartialUnknown": None,
    "InDayPrecision": True,
    "ContainsPoint": True,
    "StartClosed": 1,
    "StartOpen": 2,
    "EndOpen": 4,
    "EndOpenDecimal": D("2.49999999"),
    "EndOpenDay": day("2024-02-29"),
    "StartNull": -(2**31),
    "EndUnknown": None,
    "LowProperty": 1,
    "HighClosedProperty": False,
    "WidthOf": 4,
    "OverlapsYes": True,
    "OverlapsNo": False,
    "OverlapsBeforeYes": True,
    "OverlapsAfterNo": False,
    "OverlapsUnknown": None,
    "BeforeYes": True,
    "BeforePoint": True,
    "AfterNo": False,
    "MeetsYes": True,
    "MeetsBeforeNo": False,
    "StartsYes": True,
    "EndsYes": True,
    "IncludesYes": True,
    "IncludesSame": True,
    "ProperlyIncludesSame": False,
    "DuringYes": True,
    "UnionOverlapping": Interval(1, 8, True, True, INTEGER),
    "UnionApart": None,
    "IntersectOverlapping": Interval(3, 4, True, True, INTEGER),
    "IntersectApart": None,
    "ExceptOverlapping": Interval(1, 3, True, False, INTEGER),
    "Collapsed": [Interval(1, 8, True, True, INTEGER)],
    "EqualIntervals": True,
    "SameDays": True,
    "PointOf": 4,
    "QuantityInterval": True,
}
LISTS = {
    "UnionLists": [1, 2, 3],
    "UnionNull": [1, 2],
    "IntersectLists": [2, 3],
    "ExceptLists": [1, 3],
    "InList": True,
    "InListNo": False,
    "NullInList": False,
    "InNullList": False,
    "InStrings": True,
    "ContainsValue": True,
    "ContainsPartial": None,
    "IncludesList": True,
    "IncludesListNo": False,
    "ProperlyIncludesSame": False,
    "IncludedInList": True,
}


@pytest.mark.parametrize("define", INTERVALS)
def test_interval(define: str) -> None:
    assert same(value("Intervals", define), INTERVALS[define])


@pytest.mark.parametrize("define", LISTS)
def test_list(define: str) -> None:
    assert same(value("Lists", define), LISTS[define])


def test_point_from_more_than_a_point_stops() -> None:
    with pytest.raises(EvaluationError, match="point from"):
        value("Intervals", "PointOfMany")
