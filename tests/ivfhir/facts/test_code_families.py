"""Facts that only ICD-10-CM names: bleeding or perforation, critical limb ischaemia, heparin."""

import pytest

from tests.ivfhir.facts.records import (
    EXTENDED,
    HYPERTENSION,
    HYPERTENSION_IN_SNOMED,
    condition,
    evidence,
    fact,
    text,
    truth,
)

GI_CODES = [f"K{family}.{digit}" for family in range(25, 29) for digit in "012456"]
GI_OTHERS = [f"K{family}.{digit}" for family in range(25, 29) for digit in "379"]
FAMILIES = {
    "GiBleedPerforation": (
        ["K92.2", "K63.1", "k922", "k631", "k256", *GI_CODES],
        ["K92.1", "K92.81", "K63.2", "K29.01", "K24.0", *GI_OTHERS],
        ["Upper GI bleed", "Gastrointestinal haemorrhage", "Perforated duodenal ulcer"],
        ["Bleeding gums", "Gastric ulcer", "Perforated eardrum", "Magical bleed"],
    ),
    "CriticalLimbIschaemia": (
        ["I70.22", "I70.221", "I70.229", "I70.231", "I70.245", "I70.25", "I70.262", "i70221"],
        ["I70.21", "I70.211", "I70.213", "I70.27", "I70.291", "I70.0", "I70.321"],
        ["Critical limb ischemia", "Chronic limb-threatening ischaemia", "Rest pain of the foot"],
        ["Claudication", "Pain at rest in the chest", "Forest pain"],
    ),
    "HeparinThrombocytopenia": (
        ["D75.82", "D75.821", "D75.829", "d75821", "D75828"],
        ["D75.81", "D75.89", "D69.6", "D75.8"],
        ["Heparin-induced thrombocytopenia", "Thrombocytopenia after heparin"],
        ["Thrombocytopenia", "Heparin lock"],
    ),
}
ROWS = [(name, *row) for name, row in FAMILIES.items()]


@pytest.mark.parametrize(("define", "codes", "neighbours", "alerts", "others"), ROWS, ids=FAMILIES)
def test_a_family_of_codes(define, codes, neighbours, alerts, others):
    for code in codes:
        assert truth(define, condition(code)) is True, code
        assert truth(define, HYPERTENSION, condition(code, verification="refuted")) is False
        assert truth(define, condition(code, verification="provisional")) is None
        assert truth(define, condition(code, set=EXTENDED)) is None
        assert truth(define, HYPERTENSION, condition(code, recorded="2025-03-04")) is False
        assert evidence(define, HYPERTENSION, condition(code)) == ["Condition/r2"]
    second = [{"code": "38341003"}, {"code": codes[0]}]
    assert truth(define, condition("", codings=second)) is True
    for code in neighbours:
        assert truth(define, condition(code)) is False, code
    for words in alerts:
        assert truth(define, HYPERTENSION, text(words)) is None, words
        assert truth(define, HYPERTENSION, condition("73211009", text=words)) is None, words
        assert truth(define, HYPERTENSION, condition("E11.9", text=words)) is False, words
        assert truth(define, condition(codes[0]), text(words)) is True
    for words in others:
        assert truth(define, HYPERTENSION, text(words)) is False, words


@pytest.mark.parametrize("define", [*FAMILIES, "OesophagealFistula"])
def test_only_a_list_in_icd_10_cm_says_that_there_is_none(define):
    assert truth(define) is None
    assert not fact(define)["known"]
    assert truth(define, HYPERTENSION_IN_SNOMED) is None
    assert truth(define, text("Hypertension")) is None
    assert truth(define, condition("I10", clinical="resolved")) is None
    assert truth(define, condition("I10", verification="provisional")) is None
    assert truth(define, HYPERTENSION) is False
    assert truth(define, HYPERTENSION, HYPERTENSION_IN_SNOMED) is False


@pytest.mark.parametrize(
    ("define", "code"), [("GiBleedPerforation", "K92.2"), ("CriticalLimbIschaemia", "I70.221")]
)
def test_what_is_over_is_none(define, code):
    assert truth(define, HYPERTENSION, condition(code, clinical="resolved")) is False
    assert truth(define, condition(code, clinical="")) is None


@pytest.mark.parametrize("clinical", ["active", "inactive", "remission", "resolved", "", "gone"])
def test_heparin_induced_thrombocytopenia_once_recorded_stays(clinical):
    entry = condition("D75.821", clinical=clinical)
    assert truth("HeparinThrombocytopenia", HYPERTENSION, entry) is True
    words = text("Heparin-induced thrombocytopenia", clinical=clinical)
    assert truth("HeparinThrombocytopenia", HYPERTENSION, words) is None
    refuted = condition("D75.821", clinical=clinical, verification="refuted")
    assert truth("HeparinThrombocytopenia", HYPERTENSION, refuted) is False
    doubtful = condition("D75.821", clinical=clinical, verification="provisional")
    assert truth("HeparinThrombocytopenia", HYPERTENSION, doubtful) is None


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("History of heparin-induced thrombocytopenia", None),
        ("Family history of heparin-induced thrombocytopenia", False),
        ("No heparin-induced thrombocytopenia", False),
    ],
)
def test_a_history_of_it_speaks_of_it_and_one_in_the_family_does_not(words, expected):
    assert truth("HeparinThrombocytopenia", HYPERTENSION, text(words)) is expected
