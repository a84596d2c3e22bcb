"""Parts of a collection, and collections together."""

import pytest

from ivfhir.errors import FhirPathError
from tests.ivfhir.expressions.fhirpath.asked import PATIENT, ask_all_ways


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(1 | 2 | 3).first()", [1]),
        ("(1 | 2 | 3).last()", [3]),
        ("(1 | 2 | 3).tail()", [2, 3]),
        ("(1 | 2 | 3).skip(2)", [3]),
        ("(1 | 2 | 3).skip(-1)", [1, 2, 3]),
        ("(1 | 2 | 3).take(2)", [1, 2]),
        ("(1 | 2 | 3).take(0)", []),
        ("(1 | 2 | 3)[2]", [3]),
        ("(1 | 2 | 3)[3]", []),
        ("(1 | 2 | 3)[-1]", []),
        ("{}.first()", []),
        ("name.first().use", ["official"]),
        ("name.last().use", ["nickname"]),
        ("birthDate.single()", ["1960-05"]),
        ("(1 | 2 | 3).intersect(3 | 2)", [2, 3]),
        ("(1 | 2 | 3).exclude(2)", [1, 3]),
        ("(1 | 2).union(2 | 3)", [1, 2, 3]),
        ("(1 | 2).combine(2)", [1, 2, 2]),
        ("(3 | 1 | 2).sort()", [1, 2, 3]),
        ("(3 | 1 | 2).sort(-$this)", [3, 2, 1]),
        ("(3 | 1 | 2).sort($this desc)", [3, 2, 1]),
        ("('b' | 'a').sort($this asc)", ["a", "b"]),
        ("name.sort(family).use", ["nickname", "official"]),
        ("name.sort(-use).use", ["official", "nickname"]),
        ("name.sort(given.count(), use).use", ["nickname", "official"]),
    ],
)
def test_what_it_gives(text, expected):
    assert ask_all_ways(text, PATIENT) == expected


def test_single_refuses_several():
    with pytest.raises(FhirPathError, match=r"single\(\) met 2 items"):
        ask_all_ways("name.single()", PATIENT)


def test_values_without_order_are_not_sorted():
    with pytest.raises(FhirPathError, match="have no order"):
        ask_all_ways("(1 | 'a').sort()", PATIENT)
