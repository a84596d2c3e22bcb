"""The diagnosis anchors of the other protocols, and the primary site."""

import pytest

from tests.ivfhir.facts.records import (
    EXTENDED,
    HYPERTENSION,
    HYPERTENSION_IN_SNOMED,
    ICD,
    condition,
    evidence,
    fact,
    text,
    truth,
)

ANCHORS = {
    "LiverCancer": (
        ["C22.0", "C22.8", "c221", "109841003"],
        ["Hepatocellular carcinoma", "Liver tumour", "Cholangiocarcinoma"],
        ["Extrahepatic bile duct cancer", "Hepatitis B", "Benign neoplasm of liver"],
    ),
    "StomachCancer": (
        ["C16.9", "C16.0", "c169", "363349007"],
        ["Stomach cancer", "Gastric adenocarcinoma"],
        ["Gastric ulcer", "Family history of stomach cancer", "Oesophageal cancer"],
    ),
    "PancreasCancer": (
        ["C25.0", "c259", "363418001"],
        ["Pancreatic carcinoma"],
        ["Pancreatitis", "History of pancreatic cancer"],
    ),
    "DuodenumCancer": (
        ["C17.0", "c170"],
        ["Tumor of the duodenum"],
        ["Duodenal ulcer", "Tumor of the jejunum"],
    ),
    "LimbTumour": (
        ["C49.21", "C40.02", "c4360", "C47.1"],
        ["Sarcoma of the left leg", "Melanoma, both forearms", "Tumour of foot", "Femur sarcoma"],
        [
            "Basal cell carcinoma of arm",
            "Squamous cell carcinoma of skin of hand",
            "Pharmacy tumour",
            "Sarcoma of the kneecap",
            "Fracture of femur",
        ],
    ),
    "OesophagealCancer": (
        ["C15.5", "C16.0", "c155", "363402007"],
        ["Esophageal cancer", "Oesophageal tumour", "Cancer of the cardia"],
        ["Oesophagitis", "Cardiac tumour", "No evidence of oesophageal cancer"],
    ),
    "LiverMetastasis": (
        ["C78.7", "c787", "94381002"],
        ["Liver metastases", "Hepatic metastasis", "Secondary malignant neoplasm of liver"],
        ["Hepatocellular carcinoma", "Liver cirrhosis", "Secondary hypertension with liver cyst"],
    ),
}
ROWS = [(name, *row) for name, row in ANCHORS.items()]


@pytest.mark.parametrize(("define", "codes", "alerts", "others"), ROWS, ids=list(ANCHORS))
def test_an_anchor(define, codes, alerts, others):
    assert truth(define) is None
    assert truth(define, HYPERTENSION) is False
    assert truth(define, HYPERTENSION_IN_SNOMED) is False
    assert truth(define, condition("C34.11")) is False
    for code in codes:
        assert truth(define, condition(code)) is True
        assert truth(define, condition(code), text(alerts[0])) is True
        assert evidence(define, HYPERTENSION, condition(code)) == ["Condition/r2"]
        assert truth(define, HYPERTENSION, condition(code, verification="provisional")) is None
        assert truth(define, HYPERTENSION, condition(code, verification="refuted")) is False
        assert truth(define, HYPERTENSION, condition(code, clinical="resolved")) is False
        assert truth(define, HYPERTENSION, condition(code, recorded="2025-03-04")) is False
        assert truth(define, HYPERTENSION, condition(code, set=EXTENDED)) is None
    second = [{"code": "99999999", "system": "http://example.org"}, {"code": codes[0]}]
    assert truth(define, condition("", codings=second)) is True
    for words in alerts:
        assert truth(define, HYPERTENSION, text(words)) is None, words
        assert truth(define, HYPERTENSION, condition("73211009", text=words)) is None, words
        assert truth(define, HYPERTENSION, condition("I11.9", text=words)) is False, words
        assert truth(define, HYPERTENSION, text(words, clinical="resolved")) is False, words
    for words in others:
        assert truth(define, HYPERTENSION, text(words)) is False, words


@pytest.mark.parametrize(
    ("define", "words"),
    [
        ("LiverCancer", "Secondary malignant neoplasm of liver"),
        ("LiverCancer", "Metastasis to liver"),
        ("StomachCancer", "Carcinoma metastatic to stomach"),
        ("PancreasCancer", "Metastases in the pancreas"),
        ("LimbTumour", "Tumour, secondary, of femur"),
    ],
)
def test_no_alert_for_a_primary_from_what_is_spread(define, words):
    assert truth(define, HYPERTENSION, text(words)) is False


def test_no_alert_for_a_primary_from_an_entry_of_a_metastasis_set():
    entry = condition("94381002", text="Liver tumour")
    assert truth("LiverCancer", HYPERTENSION, entry) is False
    assert truth("LiverMetastasis", HYPERTENSION, entry) is True


@pytest.mark.parametrize("code", ["C22.9", "c229", "93870000"])
def test_a_liver_tumour_of_unsaid_origin_leaves_the_primary_open(code):
    found = fact("LiverCancer", HYPERTENSION, condition(code))
    assert (found["present"], found["ambiguous"], found["known"]) == (None, True, True)
    [note] = found["notes"]
    assert note.startswith("Condition/r2 leaves open whether there is primary liver cancer")
    assert truth("LiverCancer", condition(code), condition("C22.0")) is True
    assert truth("LiverCancer", condition("", codings=[{"code": code, "system": ICD}])) is None
    provisional = condition("C22.0", verification="provisional")
    assert truth("LiverCancer", condition(code), provisional) is None
    assert truth("LiverCancer", HYPERTENSION, condition(code, clinical="inactive")) is False
    assert truth("LiverCancer", HYPERTENSION, condition(code, verification="refuted")) is False


# ------------------------------------------------------------------------------ primary site


@pytest.mark.parametrize(
    ("code", "site"),
    [
        ("C18.7", "colorectal"),
        ("C19", "colorectal"),
        ("C20", "colorectal"),
        ("c187", "colorectal"),
        ("Z85.038", "colorectal"),
        ("Z85.048", "colorectal"),
        ("363406005", "colorectal"),
        ("C16.9", "stomach"),
        ("Z85.028", "stomach"),
        ("372014001", "stomach"),
        ("C15.5", "oesophagus"),
        ("Z85.01", "oesophagus"),
        ("C25.0", "pancreas"),
        ("Z85.07", "pancreas"),
        ("C50.911", "breast"),
        ("Z85.3", "breast"),
        ("z853", "breast"),
        ("254837009", "breast"),
        ("C34.11", "lung"),
        ("Z85.118", "lung"),
        ("363358000", "lung"),
        ("C43.9", "melanoma"),
        ("C69.30", "melanoma"),
        ("C69.41", "melanoma"),
        ("Z85.820", "melanoma"),
        ("372244006", "melanoma"),
        ("C69.50", "other"),
        ("C21.0", "other"),
        ("C17.0", "other"),
        ("C61", "other"),
        ("C97", "other"),
        ("C7A.021", "other"),
        ("Z85.05", "other"),
        ("Z85.110", "other"),
        ("109841003", "other"),
    ],
)
def test_a_primary_of_any_clinical_status_names_its_site(code, site):
    for clinical in ("active", "inactive", "resolved", "remission", ""):
        found = fact("PrimarySite", condition(code, clinical=clinical))
        assert (found["codes"], found["present"], found["known"]) == ([site], True, True)
    assert evidence("PrimarySite", HYPERTENSION, condition(code)) == ["Condition/r2"]


@pytest.mark.parametrize(
    ("given", "codes"),
    [
        ((), []),
        ((HYPERTENSION,), []),
        ((condition("C80.1"),), ["unknown"]),
        ((condition("Z85.9"),), ["unknown"]),
        ((condition("C80.0"),), []),
        ((condition("C78.7"), condition("C79.51"), condition("C77.2"), condition("C7B.02")), []),
        ((condition("D12.6"),), []),
        ((text("Colon cancer"),), []),
        ((condition("C18.7", verification="refuted"),), []),
        ((condition("C18.7", verification="entered-in-error"),), []),
        ((condition("C18.7", recorded="2025-03-04"),), []),
    ],
)
def test_no_named_primary_is_missing(given, codes):
    found = fact("PrimarySite", *given)
    assert (found["codes"], found["present"], found["known"]) == (codes, None, False)


@pytest.mark.parametrize(
    "entry",
    [
        condition("C18.7", verification="provisional"),
        condition("C18.7", verification="provisional", clinical="inactive"),
        condition("C18.7", verification="perhaps"),
        condition("C18.7", set=EXTENDED),
        condition("C22.9"),
        condition("93870000"),
    ],
)
def test_a_doubtful_primary_is_ambiguous_unless_another_settles_it(entry):
    found = fact("PrimarySite", entry)
    assert (found["codes"], found["present"], found["ambiguous"]) == ([], None, True)
    settled = fact("PrimarySite", entry, condition("C50.911", clinical="resolved"))
    assert (settled["codes"], settled["present"], settled["ambiguous"]) == (["breast"], True, False)


def test_several_primaries_give_several_sites():
    found = fact("PrimarySite", condition("C18.7"), condition("C50.911"), condition("C18.2"))
    assert sorted(found["codes"]) == ["breast", "colorectal"]
    with_unknown = fact("PrimarySite", condition("C80.1"), condition("C18.7"))
    assert with_unknown["codes"] == ["colorectal"]
