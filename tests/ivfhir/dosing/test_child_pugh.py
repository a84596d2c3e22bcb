"""CALC-06: the specification's vectors, each limit, and what is missing."""

import pytest

from ivfhir.dosing.child_pugh import ChildPugh, child_pugh
from ivfhir.errors import ParameterError
from tests.ivfhir.dosing.digits import d

GOOD = {
    "bilirubin_mg_dl": d("0.9"),
    "albumin_g_dl": d("4.1"),
    "inr": d("1.0"),
    "ascites": "none",
    "encephalopathy": "none",
}


def score(**changed):
    found = child_pugh(**GOOD | changed)
    return found.low, found.high, found.classes


@pytest.mark.parametrize(
    ("numbers", "grades", "expected"),
    [
        ("0.9 4.1 1.0", ("none", "none"), (5, 5, ("A",))),
        ("2.0 3.5 1.7", ("none", "none"), (8, 8, ("B",))),
        ("3.1 2.7 2.4", ("mild", "grade-1-2"), (13, 13, ("C",))),
        ("1.2 3.6 1.1", (None, "none"), (5, 7, ("A", "B"))),
    ],
)
def test_the_vectors_of_the_specification(numbers, grades, expected):
    bilirubin, albumin, inr = map(d, numbers.split())
    found = score(
        bilirubin_mg_dl=bilirubin,
        albumin_g_dl=albumin,
        inr=inr,
        ascites=grades[0],
        encephalopathy=grades[1],
    )
    assert found == expected


@pytest.mark.parametrize(
    ("name", "points"),
    [
        ("bilirubin_mg_dl", {"1.99": 1, "2": 2, "3": 2, "3.01": 3}),
        ("albumin_g_dl", {"3.51": 1, "3.5": 2, "2.8": 2, "2.79": 3}),
        ("inr", {"1.69": 1, "1.7": 2, "2.3": 2, "2.31": 3}),
    ],
)
def test_both_sides_of_each_limit(name, points):
    found = {value: score(**{name: d(value)})[0] - 4 for value in points}
    assert found == points


def test_words_and_what_is_missing():
    assert score(ascites="moderate-severe", encephalopathy="grade-3-4")[:2] == (9, 9)
    assert score(bilirubin_mg_dl=None, inr=None)[:2] == (5, 9)
    with pytest.raises(ParameterError, match="ascites is 'much'"):
        score(ascites="much")
    with pytest.raises(ParameterError, match="Nothing"):
        child_pugh(**dict.fromkeys(GOOD))


@pytest.mark.parametrize(
    ("low", "high", "classes"),
    [(5, 6, "A"), (6, 7, "AB"), (7, 9, "B"), (9, 10, "BC"), (10, 15, "C"), (5, 15, "ABC")],
)
def test_classes_of_an_interval(low, high, classes):
    assert ChildPugh(low, high, {}).classes == tuple(classes)


def test_an_implausible_part_is_refused():
    with pytest.raises(ParameterError, match="albumin_g_dl"):
        score(albumin_g_dl=d("41"))
