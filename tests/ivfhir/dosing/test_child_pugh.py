"""CALC-06: the specification's vectors, each limit, what is missing, and the CQL of the facts."""

import random
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from ivfhir.dosing.child_pugh import ASCITES, ENCEPHALOPATHY, ChildPugh, child_pugh
from ivfhir.errors import ParameterError
from ivfhir.expressions.index import ResourceIndex
from ivfhir.expressions.values import DateTime
from ivfhir.knowledge.load import load_protocol
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


LIMITS = {
    "bilirubin_mg_dl": ("1.99", "2", "2.01", "2.99", "3", "3.01"),
    "albumin_g_dl": ("3.51", "3.5", "3.49", "2.81", "2.8", "2.79"),
    "inr": ("1.69", "1.7", "1.71", "2.29", "2.3", "2.31"),
}
RANGES = {"bilirubin_mg_dl": (5, 6000), "albumin_g_dl": (50, 700), "inr": (50, 2000)}
"""Of each number in hundredths, as far as it is believed (E-08)."""

GRADES = {"ascites": ASCITES, "encephalopathy": ENCEPHALOPATHY}
FACTS = {
    "bilirubin_mg_dl": "Bilirubin",
    "albumin_g_dl": "Albumin",
    "inr": "Inr",
    "ascites": "AscitesGrade",
    "encephalopathy": "EncephalopathyGrade",
}
"""Part of the score -> the define of the facts that tells it."""


def patients(count):
    """Yield the parts of many patients: each limit and its neighbours alone, then by chance."""
    nothing = dict.fromkeys(FACTS)
    for name, values in LIMITS.items():
        yield from (nothing | {name: d(each)} for each in values)
    for name, words in GRADES.items():
        yield from (nothing | {name: word} for word in words)
    chance = random.Random(20250303)
    for _ in range(count):
        parts = {}
        for name, ends in RANGES.items():
            anywhere = Decimal(chance.randint(*ends)) / 100
            parts[name] = chance.choice([None, anywhere, anywhere, d(chance.choice(LIMITS[name]))])
        for name, words in GRADES.items():
            parts[name] = chance.choice([None, *words])
        yield parts


def test_the_facts_in_cql_give_the_same_score_for_ten_thousand_patients():
    """The defines ChildPughLow and ChildPughHigh of IOFacts, run here with the parts put in."""
    protocol = load_protocol("LIVER")
    nobody, as_of = ResourceIndex(None, []), DateTime.of(datetime(2025, 3, 3, tzinfo=UTC))
    classes = set()
    for parts in patients(10_000):
        preset = {
            (protocol.facts, FACTS[name]): (
                {"codes": [] if value is None else [value]}
                if name in GRADES
                else {"low": value, "high": value}
            )
            for name, value in parts.items()
        }
        session = protocol.library.session(nobody, parameters={"AsOf": as_of}, preset=preset)
        ends = [session.value(f"ChildPugh{end}", protocol.facts) for end in ("Low", "High")]
        if all(value is None for value in parts.values()):
            assert ends == [5, 15]
            continue
        ours = child_pugh(**parts)
        assert ends == [ours.low, ours.high], parts
        classes.add(ours.classes)
    assert {("A",), ("B",), ("C",), ("A", "B"), ("B", "C"), ("A", "B", "C")} <= classes
