"""Facts of the stent protocol."""

from decimal import Decimal

import pytest

from tests.ivfhir.facts.records import (
    EXTENDED,
    HYPERTENSION,
    HYPERTENSION_IN_SNOMED,
    condition,
    exactly,
    fact,
    observed,
    span,
    text,
    truth,
)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ((), None),
        *(((observed("dysphagia-score", n),), exactly(str(n))) for n in range(5)),
        ((observed("dysphagia-score", 5),), None),
        ((observed("dysphagia-score", -1),), None),
        ((observed("dysphagia-score", "2", kind="quantity"),), exactly("2")),
        ((observed("dysphagia-score", "2.5", kind="quantity"),), None),
        (
            (observed("dysphagia-score", "2", kind="quantity", comparator=">="),),
            (Decimal(2), Decimal(4)),
        ),
        ((observed("dysphagia-score", 3, "2025-02-17"),), exactly("3")),
        ((observed("dysphagia-score", 3, "2025-02-16"),), None),
        ((observed("dysphagia-score", 3, status="preliminary"),), None),
        ((observed("dysphagia-score", "solids only"),), None),
        (
            (observed("dysphagia-score", 1), observed("dysphagia-score", 3)),
            (Decimal(1), Decimal(3)),
        ),
        (
            (observed("dysphagia-score", 9, "2025-03-01"), observed("dysphagia-score", 3)),
            exactly("3"),
        ),
    ],
)
def test_dysphagia_score(given, expected):
    assert span("DysphagiaScore", *given) == expected


@pytest.mark.parametrize(
    ("define", "key", "last", "stale"),
    [
        ("PlannedCurative", "planned-curative", "2025-01-02", "2025-01-01"),
        ("ProximalTumour", "proximal-tumour", "1999-01-01", None),
    ],
)
def test_a_statement_of_yes_or_no(define, key, last, stale):
    assert fact(define, observed(key, True, last))["codes"] == ["true"]
    assert fact(define, observed(key, False, last))["codes"] == ["false"]
    assert not fact(define)["known"]
    assert not fact(define, observed(key, "perhaps", last))["known"]
    if stale:
        assert not fact(define, observed(key, True, stale))["known"]


@pytest.mark.parametrize(
    ("define", "codes", "alerts", "others"),
    [
        (
            "OesophagealFistula",
            ["J86.0", "j860"],
            ["Tracheo-oesophageal fistula", "Malignant fistula to the bronchus"],
            ["Anal fistula", "Family history of oesophageal fistula"],
        ),
        (
            "AirwayCompression",
            ["J98.09", "J39.8", "j9809", "11296007"],
            ["Compression of the trachea by tumour", "Bronchial stenosis"],
            ["Compression fracture", "Chronic obstructive airway disease", "Aortic stenosis"],
        ),
    ],
)
def test_a_condition_of_the_oesophagus_or_airway(define, codes, alerts, others):
    for code in codes:
        assert truth(define, condition(code)) is True
        assert truth(define, HYPERTENSION, condition(code, clinical="resolved")) is False
        assert truth(define, HYPERTENSION, condition(code, verification="refuted")) is False
        assert truth(define, condition(code, verification="provisional")) is None
        assert truth(define, condition(code, set=EXTENDED)) is None
    assert truth(define) is None
    assert truth(define, HYPERTENSION) is False
    for words in alerts:
        assert truth(define, HYPERTENSION, text(words)) is None
        assert truth(define, condition(codes[0]), text(words)) is True
    for words in others:
        assert truth(define, HYPERTENSION, text(words)) is False, words


def test_a_list_in_snomed_says_that_there_is_no_compression():
    assert truth("AirwayCompression", HYPERTENSION_IN_SNOMED) is False
