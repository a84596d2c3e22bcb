"""Each rule of section C on both sides of each number, at equality, and where nothing is known."""

import pytest

from ivfhir.dosing.exclusions import (
    EXCLUDED,
    UNCONFIRMED,
    UNKNOWN,
    clearance_ends,
    facts_of,
    findings,
    statements_of,
)
from ivfhir.dosing.inputs import Input, Inputs, Lack
from ivfhir.knowledge.dosing_rules import dosing_rules
from ivfhir.knowledge.regimens import load_regimens
from tests.ivfhir.dosing.digits import d, four
from tests.ivfhir.dosing.patients import AS_OF, B0, CISPLATIN, EXAMINED, V12, number

REGIMENS = load_regimens()
STATEMENTS = dosing_rules().statements
DRUGS = {
    "cisplatin": "RG-LU1",
    "carboplatin": "RG-LU4",
    "oxaliplatin": "RG-LI3",
    "pemetrexed": "RG-LU1",
    "docetaxel": "RG-LU3",
    "doxorubicin": "RG-LI1",
    "epirubicin": "RG-LI4",
    "fluorouracil": "RG-PO1",
    "floxuridine": "RG-PO2",
    "irinotecan": "RG-LM1",
    "melphalan": "RG-LM6",
    "mitomycin": "RG-LM2",
}


def drug(name):
    return next(each for each in REGIMENS[DRUGS[name]].drugs if each.id == name)


def found(name, confirmed=None, given=B0, **changed):
    """Return kind and rule of each finding; everything is confirmed unless it is told."""
    inputs = Inputs(given | changed, as_of=AS_OF)
    confirmed = STATEMENTS if confirmed is None else confirmed
    each = findings(drug(name), inputs, confirmed=confirmed, regimen_id=DRUGS[name])
    return [(finding.kind, finding.rule) for finding in each]


LIMITS = [
    ("cisplatin", "ecog", "1", "2"),
    ("carboplatin", "platelets_10e9_l", "100", "99"),
    ("docetaxel", "neutrophils_10e9_l", "1.5", "1.49"),
    ("doxorubicin", "lvef_pct", "50", "49"),
    ("epirubicin", "lvef_pct", "50", "49"),
    ("doxorubicin", "bilirubin_mg_dl", "3", "3.01"),
    ("irinotecan", "bilirubin_mg_dl", "2", "2.01"),
    ("floxuridine", "bilirubin_mg_dl", "1.49", "1.5"),
    ("floxuridine", "ecog", "1", "2"),
    ("mitomycin", "creatinine_mg_dl", "1.7", "1.71"),
    ("melphalan", "weight_kg", "35", "34.9"),
    ("melphalan", "haemoglobin_g_dl", "10", "9.9"),
    ("melphalan", "platelets_10e9_l", "100", "99"),
    ("melphalan", "neutrophils_10e9_l", "2.01", "2.0"),
    ("melphalan", "burden_pct", "49", "50"),
]


@pytest.mark.parametrize(("name", "fact", "passes", "excluded"), LIMITS)
def test_both_sides_of_each_limit(name, fact, passes, excluded):
    assert found(name, **{fact: number(passes, AS_OF)}) == []
    [(kind, rule)] = found(name, **{fact: number(excluded, AS_OF)})
    assert kind == EXCLUDED
    assert rule in (*drug(name).exclusions, DRUGS["docetaxel"])


@pytest.mark.parametrize(("name", "fact", "passes", "excluded"), LIMITS)
def test_a_value_that_straddles_its_limit_is_not_selectable(name, fact, passes, excluded):
    low, high = sorted((passes, excluded), key=d)
    confirmed = set(STATEMENTS) - ({"lvef"} if fact == "lvef_pct" else set())
    kinds = [kind for kind, _ in found(name, confirmed, **{fact: number(low, AS_OF, high=high)})]
    assert kinds == ([UNCONFIRMED] if fact == "lvef_pct" else [UNKNOWN])


@pytest.mark.parametrize(("name", "fact"), [row[:2] for row in LIMITS if row[1] != "lvef_pct"])
def test_a_missing_value_is_not_selectable_whatever_is_confirmed(name, fact):
    assert {kind for kind, _ in found(name, **{fact: None})} == {UNKNOWN}


@pytest.mark.parametrize(
    ("name", "clearance", "kinds"),
    [
        ("cisplatin", "60", []),
        ("cisplatin", "59.99", [(EXCLUDED, "AG-CIS")]),
        ("pemetrexed", "45", []),
        ("pemetrexed", "44.99", [(EXCLUDED, "AG-PEM")]),
    ],
)
def test_clearance_on_both_sides(name, clearance, kinds):
    # At 68 years and a creatinine of 1 mg/dL the clearance of a man in mL/min is his weight in kg.
    changed = {
        "age_years": number("68"),
        "weight_kg": number(clearance, AS_OF),
        "creatinine_mg_dl": number("1", AS_OF),
    }
    assert found(name, **changed) == kinds


@pytest.mark.parametrize("missing", ["creatinine_mg_dl", "weight_kg", "age_years", "sex"])
def test_an_unknown_clearance_is_not_selectable(missing):
    assert (UNKNOWN, "AG-CIS") in found("cisplatin", **{missing: None})


def test_the_clearance_of_another_sex_has_both_ends():
    inputs = Inputs(V12 | {"sex": Input("other")}, as_of=AS_OF)
    low, high = clearance_ends(inputs)
    assert (four(low), four(high)) == (d("53.46"), d("62.89"))
    kinds = found("cisplatin", given=V12, sex=Input("other"))
    assert kinds == [(UNKNOWN, "AG-CIS")]
    assert isinstance(clearance_ends(Inputs({}, as_of=AS_OF)), Lack)


def test_reduced_clearance_excludes_cisplatin_and_says_what_it_rests_on():
    inputs = Inputs(V12, as_of=AS_OF)
    [finding] = findings(drug("cisplatin"), inputs, confirmed=STATEMENTS, regimen_id="RG-LU1")
    assert finding.kind == EXCLUDED
    assert "clearance below 60 mL/min" in finding.sentence
    assert "53.46" in finding.sentence
    assert "creatinine 0.8 mg/dL of 2025-02-28" in finding.sentence


@pytest.mark.parametrize(
    ("name", "fact", "statement"),
    [
        ("cisplatin", "platinum_allergy", "platinum-allergy"),
        ("carboplatin", "platinum_allergy", "platinum-allergy"),
        ("oxaliplatin", "platinum_allergy", "platinum-allergy"),
        ("pemetrexed", "squamous", "histology"),
        ("fluorouracil", "dpd_deficiency", "dpd"),
        ("floxuridine", "dpd_deficiency", "dpd"),
        ("melphalan", "hit", "hit"),
        ("melphalan", "varices", "varices"),
    ],
)
def test_a_statement_stands_in_for_what_is_unknown_and_not_for_what_excludes(name, fact, statement):
    others = set(STATEMENTS) - {statement}
    assert [kind for kind, _ in found(name, others, **{fact: None})] == [UNCONFIRMED]
    assert found(name, **{fact: None}) == []
    assert found(name, others, **{fact: Input(value=False)}) == []
    assert [kind for kind, _ in found(name, **{fact: Input(value=True)})] == [EXCLUDED]


def test_pregnancy_excludes_cisplatin_and_no_statement_helps():
    woman = {"sex": Input("female"), "age_years": number("40")}
    assert found("cisplatin", **woman) == [(UNKNOWN, "AG-CIS")]
    assert found("cisplatin", **woman, pregnant=Input(value=True)) == [(EXCLUDED, "AG-CIS")]
    assert found("cisplatin", **woman, pregnant=Input(value=False)) == []


@pytest.mark.parametrize(
    ("portal_vein", "kinds"),
    [
        ("patent", []),
        ("branch-thrombosis", [EXCLUDED]),
        ("main-thrombosis", [EXCLUDED]),
        ("hepatofugal", [EXCLUDED]),
    ],
)
def test_a_portal_vein_that_is_not_patent_excludes_the_pump(portal_vein, kinds):
    changed = {"portal_vein": Input(portal_vein, date=AS_OF)}
    assert [kind for kind, _ in found("floxuridine", **changed)] == kinds


STATED = {
    "cisplatin": {"hearing", "neuropathy", "nyha"},
    "pemetrexed": {"histology", "folate-b12"},
    "doxorubicin": {"lvef"},
    "epirubicin": {"lvef", "cumulative-dose"},
    "fluorouracil": {"dpd"},
    "floxuridine": {"dpd", "portal-hypertension"},
    "irinotecan": {"ugt1a1"},
    "melphalan": {"hit", "brain-lesions", "varices", "coagulopathy"},
}


@pytest.mark.parametrize(("name", "statements"), list(STATED.items()))
def test_what_no_record_tells_has_to_be_confirmed(name, statements):
    inputs = Inputs(B0, as_of=AS_OF)
    each = findings(drug(name), inputs, confirmed=(), regimen_id=DRUGS[name])
    assert {finding.confirm for finding in each} == statements
    assert {finding.kind for finding in each} == {UNCONFIRMED}


def test_statements_and_facts_of_a_drug_are_told_in_advance():
    assert statements_of(drug("doxorubicin")) == ("lvef", "cumulative-dose")
    assert "platinum-allergy" in statements_of(drug("cisplatin"))
    assert facts_of(drug("pemetrexed")) == (
        *("creatinine_mg_dl", "age_years", "weight_kg", "sex"),
        "squamous",
    )
    assert facts_of(drug("docetaxel")) == ("neutrophils_10e9_l",)
    assert "cumulative_mitomycin_mg_m2" in facts_of(drug("mitomycin"))


def test_every_rule_is_named_by_a_drug():
    named = {rule for each in REGIMENS.values() for one in each.drugs for rule in one.exclusions}
    assert set(dosing_rules().rules) == named


def test_a_finding_says_the_same_without_the_rule_s_id():
    regimen = REGIMENS["RG-LU1"]
    [cisplatin, _] = regimen.drugs
    known = {**B0, "ecog": number("2", EXAMINED), "creatinine_mg_dl": None}
    found = findings(
        cisplatin, Inputs(known, as_of=AS_OF), confirmed=CISPLATIN, regimen_id=regimen.id
    )
    by_kind = {each.kind: each for each in found}
    assert by_kind[EXCLUDED].sentence.startswith("AG-CIS excludes cisplatin: ECOG at least 2")
    assert by_kind[EXCLUDED].in_words.startswith("cisplatin is excluded: ECOG at least 2")
    assert "(AG-CIS)" in by_kind[UNKNOWN].sentence
    assert "AG-" not in by_kind[UNKNOWN].in_words
