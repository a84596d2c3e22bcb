"""Facts of the liver protocols."""

from decimal import Decimal

import pytest

from tests.ivfhir.facts.records import (
    EXTENDED,
    HYPERTENSION,
    HYPERTENSION_IN_SNOMED,
    condition,
    evidence,
    exactly,
    fact,
    observed,
    span,
    text,
    truth,
)

BILIRUBIN = observed("bilirubin", "0.7")
ALBUMIN = observed("albumin", "4.0")
INR = observed("inr", "1.0")
NO_ASCITES = observed("ascites-grade", "none")
CLEAR = observed("encephalopathy-grade", "none")


# ------------------------------------------------------------------------------ measurements


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), None),
        ((observed("bilirubin", "3.0"),), exactly("3.0")),
        ((observed("bilirubin-moles", "34.2"),), exactly("2")),
        ((observed("bilirubin", "2.0", unit="mg%"),), exactly("2.0")),
        ((observed("bilirubin", "2.0", "2025-02-17"),), exactly("2.0")),
        ((observed("bilirubin", "2.0", "2025-02-16"),), None),
        ((observed("bilirubin", "0.05"),), exactly("0.05")),
        ((observed("bilirubin", "0.04"),), None),
        ((observed("bilirubin", "60"),), exactly("60")),
        ((observed("bilirubin", "60.1"),), None),
        ((observed("bilirubin", "2", unit="g/dL"),), None),
        (
            (observed("bilirubin", "0.2", comparator="<"),),
            (Decimal("0.05"), Decimal("0.19999999")),
        ),
        (
            (observed("bilirubin", "1"), observed("bilirubin", "3")),
            (Decimal(1), Decimal(3)),
        ),
    ],
)
def test_bilirubin(given, expected):
    assert span("Bilirubin", *given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (observed("albumin", "3.5"), exactly("3.5")),
        (observed("albumin", "28", unit="g/L"), exactly("2.8")),
        (observed("albumin", "28", unit="G/L"), None),
        (observed("albumin", "0.5"), exactly("0.5")),
        (observed("albumin", "0.4"), None),
        (observed("albumin", "7"), exactly("7")),
        (observed("albumin", "7.1"), None),
        (observed("albumin", "3.5", "2025-02-17"), exactly("3.5")),
        (observed("albumin", "3.5", "2025-02-16"), None),
    ],
)
def test_albumin(given, expected):
    assert span("Albumin", given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (observed("tumour-burden-pct", "0"), exactly("0")),
        (observed("tumour-burden-pct", "100"), exactly("100")),
        (observed("tumour-burden-pct", "100.1"), None),
        (observed("tumour-burden-pct", "70", unit="percent"), exactly("70")),
        (observed("tumour-burden-pct", "70", unit=""), None),
        (observed("tumour-burden-pct", "70", "2025-01-20"), exactly("70")),
        (observed("tumour-burden-pct", "70", "2025-01-19"), None),
        (
            observed("tumour-burden-pct", "70", comparator=">"),
            (Decimal("70.00000001"), Decimal(100)),
        ),
    ],
)
def test_tumour_burden(given, expected):
    assert span("TumourBurden", given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (observed("largest-tumour-mm", "100"), exactly("100")),
        (observed("largest-tumour-mm", "10.1", unit="cm"), exactly("101")),
        (observed("largest-tumour-mm", "10", unit="[in_i]"), None),
        (observed("largest-tumour-mm", "100", "2025-01-20"), exactly("100")),
        (observed("largest-tumour-mm", "100", "2025-01-19"), None),
    ],
)
def test_largest_tumour(given, expected):
    assert span("LargestTumour", given) == expected


@pytest.mark.parametrize(
    ("define", "key", "value", "last", "stale"),
    [
        ("PortalVein", "portal-vein", "branch-thrombosis", "2025-01-20", "2025-01-19"),
        ("AscitesGrade", "ascites-grade", "moderate-severe", "2025-02-01", "2025-01-31"),
        ("EncephalopathyGrade", "encephalopathy-grade", "grade-3-4", "2025-02-01", "2025-01-31"),
    ],
)
def test_a_graded_answer(define, key, value, last, stale):
    assert fact(define, observed(key, value, last))["codes"] == [value]
    assert not fact(define, observed(key, value, stale))["known"]
    assert not fact(define, observed(key, "elsewhere", last))["known"]
    assert not fact(define, observed(key, value, last, status="preliminary"))["known"]
    assert not fact(define, observed(key, value, last, set=EXTENDED))["known"]
    both = fact(define, observed(key, value, last), observed(key, "none", last))
    if key != "portal-vein":
        assert set(both["codes"]) == {value, "none"}


# -------------------------------------------------------------------------------- Child-Pugh


def lab(bilirubin, albumin, inr):
    return (observed("bilirubin", bilirubin), observed("albumin", albumin), observed("inr", inr))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((*lab("0.9", "4.1", "1.0"), NO_ASCITES, CLEAR), (5, 5)),
        ((*lab("2.0", "3.5", "1.7"), NO_ASCITES, CLEAR), (8, 8)),
        (
            (
                *lab("3.1", "2.7", "2.4"),
                observed("ascites-grade", "mild"),
                observed("encephalopathy-grade", "grade-1-2"),
            ),
            (13, 13),
        ),
        ((*lab("1.2", "3.6", "1.1"), CLEAR), (5, 7)),
        ((*lab("1.99", "3.51", "1.69"), NO_ASCITES, CLEAR), (5, 5)),
        ((*lab("3.0", "2.8", "2.3"), NO_ASCITES, CLEAR), (8, 8)),
        ((*lab("3.01", "2.79", "2.31"), NO_ASCITES, CLEAR), (11, 11)),
        (
            (
                *lab("3.01", "2.79", "2.31"),
                observed("ascites-grade", "moderate-severe"),
                observed("encephalopathy-grade", "grade-3-4"),
            ),
            (15, 15),
        ),
        ((), (5, 15)),
        ((NO_ASCITES, CLEAR), (5, 11)),
        ((ALBUMIN, INR, NO_ASCITES, CLEAR), (5, 7)),
        ((BILIRUBIN, INR, NO_ASCITES, CLEAR), (5, 7)),
        ((BILIRUBIN, ALBUMIN, NO_ASCITES, CLEAR), (5, 7)),
        ((BILIRUBIN, ALBUMIN, INR, NO_ASCITES), (5, 7)),
        (
            (
                observed("bilirubin", "1"),
                observed("bilirubin", "4"),
                ALBUMIN,
                INR,
                NO_ASCITES,
                CLEAR,
            ),
            (5, 7),
        ),
        (
            (BILIRUBIN, observed("albumin", "3.5", comparator=">="), INR, NO_ASCITES, CLEAR),
            (5, 6),
        ),
        (
            (BILIRUBIN, ALBUMIN, INR, NO_ASCITES, observed("ascites-grade", "mild"), CLEAR),
            (5, 6),
        ),
    ],
)
def test_child_pugh(given, expected):
    assert span("ChildPugh", *given) == tuple(map(Decimal, expected))


def test_child_pugh_names_what_it_rests_on_and_what_it_lacks():
    score = fact("ChildPugh", BILIRUBIN, ALBUMIN, INR, CLEAR)
    assert {each["concept"] for each in score["evidence"]} == {
        "bilirubin",
        "albumin",
        "inr",
        "enceph-points",
        "child-pugh",
    }
    assert any(
        "5 to 7: there is no usable result of the ascites grade" in n for n in score["notes"]
    )
    inputs = fact("ChildPughInputs", BILIRUBIN, ALBUMIN, INR, CLEAR)
    assert [each["concept"] for each in inputs if not each["known"]] == ["ascites-points"]


# -------------------------------------------------------- encephalopathy, ascites, hepatorenal


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((observed("encephalopathy-grade", "grade-1-2"),), True),
        ((observed("encephalopathy-grade", "grade-3-4"), HYPERTENSION), True),
        ((CLEAR, HYPERTENSION), False),
        ((CLEAR, HYPERTENSION_IN_SNOMED), False),
        ((CLEAR,), None),
        ((HYPERTENSION,), None),
        ((CLEAR, condition("K76.82")), True),
        ((condition("K76.82"),), True),
        ((condition("k7682"),), True),
        ((condition("13920009"),), True),
        ((condition("", codings=[{"code": "I10"}, {"code": "13920009"}]),), True),
        ((CLEAR, HYPERTENSION, condition("K76.82", clinical="resolved")), False),
        ((CLEAR, HYPERTENSION, condition("K76.82", verification="provisional")), None),
        ((CLEAR, HYPERTENSION, condition("K76.82", verification="refuted")), False),
        ((CLEAR, HYPERTENSION, condition("K76.82", recorded="2025-03-04")), False),
        ((CLEAR, HYPERTENSION, text("hepatic encephalopathy, mild")), None),
        ((CLEAR, HYPERTENSION, text("hypoxic encephalopathy")), False),
        ((observed("encephalopathy-grade", "grade-1-2", "2025-01-31"), HYPERTENSION), None),
        (
            (CLEAR, observed("encephalopathy-grade", "grade-1-2"), HYPERTENSION),
            None,
        ),
        (
            (
                observed("encephalopathy-grade", "grade-1-2"),
                observed("encephalopathy-grade", "grade-3-4"),
            ),
            True,
        ),
    ],
)
def test_active_encephalopathy(given, expected):
    assert truth("EncephalopathyActive", *given) is expected


def test_an_unknown_encephalopathy_is_missing_or_ambiguous():
    missing = fact("EncephalopathyActive", HYPERTENSION)
    assert (missing["known"], missing["ambiguous"]) == (False, False)
    open_ = fact("EncephalopathyActive", CLEAR, condition("K76.82", verification="provisional"))
    assert (open_["known"], open_["ambiguous"]) == (True, True)


YES, NO = observed("refractory-ascites", True), observed("refractory-ascites", False)


@pytest.mark.parametrize(
    ("given", "expected", "ambiguous"),
    [
        ((YES,), True, False),
        ((NO,), False, False),
        ((YES, NO_ASCITES), True, False),
        ((NO, observed("ascites-grade", "moderate-severe")), False, False),
        ((NO_ASCITES,), False, False),
        ((observed("ascites-grade", "mild"),), False, False),
        ((observed("ascites-grade", "mild"), NO_ASCITES), False, False),
        ((observed("ascites-grade", "moderate-severe"),), None, False),
        ((observed("ascites-grade", "moderate-severe"), NO_ASCITES), None, True),
        ((), None, False),
        ((YES, NO), None, True),
        ((observed("refractory-ascites", True, "2025-02-01"),), True, False),
        ((observed("refractory-ascites", True, "2025-01-31"), NO_ASCITES), False, False),
        ((observed("refractory-ascites", "yes, refractory"), NO_ASCITES), None, True),
        ((observed("refractory-ascites", "", set=EXTENDED), NO_ASCITES), None, True),
        (
            (observed("refractory-ascites", True, status="entered-in-error"), NO_ASCITES),
            False,
            False,
        ),
    ],
)
def test_refractory_ascites(given, expected, ambiguous):
    found = fact("RefractoryAscites", *given)
    assert (found["present"], found["ambiguous"]) == (expected, ambiguous)


@pytest.mark.parametrize(
    ("define", "codes", "words", "others"),
    [
        ("Hepatorenal", ["K76.7", "k767", "51292008"], "hepatorenal syndrome", "renal cyst"),
        (
            "HighRiskVarices",
            ["I85.00", "I85.11", "I85.1", "i8501", "28670008"],
            "Oesophageal varices",
            "varicose veins of the leg",
        ),
    ],
)
def test_a_condition_of_the_liver(define, codes, words, others):
    for code in codes:
        assert truth(define, condition(code)) is True
        assert truth(define, HYPERTENSION, condition(code, clinical="inactive")) is False
        assert truth(define, HYPERTENSION, condition(code, verification="refuted")) is False
        assert truth(define, condition(code, verification="differential")) is None
    assert truth(define, condition("I10", codings=[{"code": codes[-1]}])) is True
    assert truth(define) is None
    assert truth(define, HYPERTENSION) is False
    assert truth(define, HYPERTENSION_IN_SNOMED) is False
    assert truth(define, HYPERTENSION, text(words)) is None
    assert truth(define, HYPERTENSION, text(f"No evidence of {words}")) is False
    assert truth(define, HYPERTENSION, text(others)) is False
    assert truth(define, text(others)) is None
    assert evidence(define, HYPERTENSION, condition(codes[0])) == ["Condition/r2"]
