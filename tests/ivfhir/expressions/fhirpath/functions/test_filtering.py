"""Filtering and projection."""

import pytest

from ivfhir.errors import FhirPathError
from tests.ivfhir.expressions.fhirpath.asked import PATIENT, ask_all_ways


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name.where(use = 'official').family", ["Lindqvist"]),
        ("name.where($index = 1).use", ["nickname"]),
        ("name.where(family).use", ["official"]),
        ("name.select(use)", ["official", "nickname"]),
        ("name.select($index)", [0, 1]),
        ("name.select(given.count())", [2, 2]),
        ("name.select('x')", ["x", "x"]),
        ("contact.name.select($this.family)", ["Berg"]),
        ("(1 | 2 | 3).aggregate($this + $total, 10)", [16]),
        ("(1 | 2 | 3).aggregate(iif($total.empty(), $this, $this + $total))", [6]),
        ("(5 | 6).aggregate($total + $index, 0)", [1]),
        ("(1 | 2).where($this > 1).select($this * 2)", [4]),
        ("iif(active, 'yes', 'no')", ["yes"]),
        ("iif(photo.exists(), 'yes')", []),
        ("iif(photo, 'yes', 'no')", ["no"]),
        ("(1).repeat(iif($this < 5, $this + 1, {}))", [2, 3, 4, 5]),
        ("1.repeat(1)", [1]),
        ("(1).repeatAll(iif($this < 3, $this + 1, {}))", [2, 3]),
        ("name.given.where($this.startsWith('P'))", ["Per", "Pelle"]),
    ],
)
def test_what_it_gives(text, expected):
    assert ask_all_ways(text, PATIENT) == expected


ITEMS = {
    "resourceType": "Questionnaire",
    "item": [
        {"linkId": "1", "item": [{"linkId": "1.1", "item": [{"linkId": "1.1.1"}]}]},
        {"linkId": "2"},
    ],
}


def test_repeat_goes_down_level_by_level():
    assert ask_all_ways("repeat(item).linkId", ITEMS) == ["1", "2", "1.1", "1.1.1"]


@pytest.mark.parametrize("text", ["iif('yes', 1)", "('a' | 'b').iif(true, 1)", "iif(1 | 2, 1)"])
def test_iif_takes_one_item_and_a_boolean(text):
    with pytest.raises(FhirPathError):
        ask_all_ways(text, PATIENT)


def test_what_is_not_chosen_is_not_run():
    assert ask_all_ways("iif(true, 1, (1 | 2).single())", PATIENT) == [1]
