"""Queries and lists: https://cql.hl7.org/02-authorsguide.html#queries."""

from decimal import Decimal as D

import pytest

from ivfhir.errors import EvaluationError
from tests.ivfhir.expressions.loaded import day, same, value

LISTS = {
    "ExistsNothing": False,
    "ExistsOnlyNull": False,
    "ExistsOne": True,
    "ExistsNull": False,
    "FirstOne": 3,
    "FirstNone": None,
    "LastOne": 2,
    "SkipTwo": [3, 4],
    "TakeTwo": [1, 2],
    "TailOf": [2, 3],
    "IndexOfThree": 1,
    "IndexOfMissing": -1,
    "IndexerSecond": "b",
    "IndexerOutside": None,
    "FlattenLists": [1, 2, 3],
    "DistinctNumbers": [1, 2, None, 3],
    "DistinctDecimals": [D("1.0"), D("2.0")],
    "DistinctTuples": [{"a": 1, "b": None}, {"a": 2, "b": "x"}],
    "DistinctPartialDates": [day("2024-02"), day("2024-02-03")],
    "SingletonOne": 7,
    "SingletonNone": None,
    "TupleElement": "x",
}
QUERIES = {
    "Where": [5, 4],
    "ReturnDistinct": [5, 3, None, 4],
    "ReturnAll": [5, 3, None, 4, 3],
    "ReturnExpression": [10, 6, None, 8, 6],
    "LetUsed": [11, 9],
    "SortAscending": [None, 3, 3, 4, 5],
    "SortDescending": [5, 4, 3, 3, None],
    "SortColumns": ["a", "b", "c"],
    "SortTwoKeys": ["a", "b", "c"],
    "SortExpression": ["b", "a", "c"],
    "WithYes": [5, 4],
    "WithoutYes": [3, None, 3],
    "TwoSources": ["1x", "1y", "2y"],
    "TwoSourcesPlain": [{"A": 1, "B": "x"}, {"A": 1, "B": "y"}],
    "OneSource": 6,
    "OneSourceNull": None,
    "OneSourceFails": None,
    "QueryOfNull": None,
    "AggregateSum": 15,
    "AggregateDistinct": 12,
    "AggregateTwo": 90,
    "Nested": [21, 22],
    "Shadowed": [52, 53],
}


@pytest.mark.parametrize("define", LISTS)
def test_list(define: str) -> None:
    assert same(value("Lists", define), LISTS[define])


@pytest.mark.parametrize("define", QUERIES)
def test_query(define: str) -> None:
    assert same(value("Lists", define), QUERIES[define])


def test_singleton_from_two_elements_stops() -> None:
    with pytest.raises(EvaluationError, match="Lists: SingletonMany: singleton from"):
        value("Lists", "SingletonMany")
