"""The regimens hold what the specification's table says (D.2), each number with its source."""

import json
import shutil
from datetime import date
from decimal import Decimal

import pytest

from ivfhir.errors import KnowledgeError, UnknownProtocolError
from ivfhir.knowledge.load import load_protocols
from ivfhir.knowledge.package import ROOT_VARIABLE, knowledge_root, regimens_folder
from ivfhir.knowledge.regimen import Bounds
from ivfhir.knowledge.regimens import load_regimen, load_regimens, read_regimen

REGIMENS = load_regimens()

# By hand from D.2: drug: days | published dose | bounds; a side that the table does not state is
# the published one, "-" for no lower side; a star marks what goes by vein.
TABLE = """
RG-LU1 cisplatin: 0 | 75 | 20 80 mg/m2; pemetrexed*: 1 | 500 | 350 500 mg/m2
RG-LU2 cisplatin: 0 | 60 75 | 60 75 mg/m2; gemcitabine*: 1 8 | 1000 1250 | 750 1250 mg/m2
RG-LU3 cisplatin: 0 | 75 | 75 75 mg/m2; docetaxel*: 1 | 60 75 | 55 75 mg/m2
RG-LU4 carboplatin: 0 | 5 6 | 4 6 AUC; paclitaxel*: 1 | 175 200 | 135 200 mg/m2
RG-LU5 cisplatin: 0 | 75 | 75 75 mg/m2; vinorelbine*: 1 8 | 25 | 20 30 mg/m2
RG-LU6 cisplatin: 0 | 75 | 75 75 mg/m2; carboplatin: 0 | 5 | 5 5 AUC; etoposide*: 1 2 3 | 100 | 80 120 mg/m2
RG-LU7 cisplatin: 0 | 25 | 25 25 mg/m2; fluorouracil: 0 | 300 | 300 300 mg/m2
RG-LI1 doxorubicin: 0 | 50 75 | 50 75 mg/m2
RG-LI2 doxorubicin: 0 | 50 150 | - 150 mg
RG-LI3 oxaliplatin: 0 | 130 | 65 130 mg/m2; leucovorin: 0 | 400 | 400 400 mg/m2; fluorouracil-bolus: 0 | 400 | - 400 mg/m2; fluorouracil-infusion: 0 | 2400 | - 2400 mg/m2
RG-LI4 epirubicin: 0 | 50 | 50 50 mg; lobaplatin: 0 | 50 | 50 50 mg
RG-LM1 irinotecan: 0 | 100 | - 100 mg
RG-LM2 mitomycin: 0 | 10 | 5 10 mg/m2; gemcitabine: 0 | 1000 | 750 1200 mg/m2
RG-LM3 mitomycin: 0 | 8 | 8 8 mg/m2; gemcitabine: 0; irinotecan: 0
RG-LM4 oxaliplatin: 0 | 85 | 65 130 mg/m2; leucovorin: 0 | 400 | 400 400 mg/m2; fluorouracil-bolus: 0 | 400 | - 400 mg/m2; fluorouracil-infusion: 0 | 2400 | - 2400 mg/m2
RG-LM5 cisplatin: 0 | 100 | - 100 mg/m2; liposomal-doxorubicin*: 1 | 20 35 | 20 35 mg/m2
RG-LM6 melphalan: 0 | 3 | 3 3 mg/kg
RG-LM7
RG-RE1 gemcitabine: 0 | 1000 | 750 1200 mg/m2; fluorouracil: 0 | 500 600 | 500 600 mg/m2
RG-RE2 melphalan: 0
RG-PO1 fluorouracil: 0 1 2 3 4 | 600 | 450 700 mg/m2; leucovorin: 0 1 2 3 4 | 170 | 170 170 mg/m2
RG-PO2 floxuridine: 0 | 0.12 | 0.05 0.20 mg/kg/d
RG-PO3 oxaliplatin: 0 | 85 | 65 100 mg/m2; fluorouracil*: 1
"""  # noqa: E501 - a row of the table a line
ROWS = dict(line.partition(" ")[::2] for line in TABLE.strip().splitlines())

# Shortest and longest interval, and what intensity is measured against; None is on demand.
INTERVALS = {
    **dict.fromkeys(["RG-LU1", "RG-LU2", "RG-LU3", "RG-LU4", "RG-LU5"], (28, 35, 21)),
    "RG-LU6": (28, 28, 21),
    "RG-LU7": (21, 28, 21),
    "RG-LI1": None,
    "RG-LI2": (60, 90, 60),
    "RG-LI3": (21, 21, 21),
    "RG-LI4": (42, 42, 42),
    "RG-LM1": (21, 21, 21),
    **dict.fromkeys(["RG-LM2", "RG-LM3", "RG-LM5"], (28, 28, 28)),
    "RG-LM4": (21, 28, 21),
    "RG-LM6": (42, 56, 42),
    "RG-LM7": None,
    "RG-RE1": (28, 28, 28),
    "RG-RE2": None,
    **dict.fromkeys(["RG-PO1", "RG-PO2"], (28, 28, 28)),
    "RG-PO3": (14, 14, 14),
}


def shown(drug):
    """Return a drug as the table above writes it."""
    name = f"{drug.id}{'*' if drug.route == 'intravenous' else ''}: "
    days = " ".join(map(str, drug.days))
    if drug.published is None:
        return name + days
    doses = " ".join(str(dose) for dose in dict.fromkeys(drug.published))
    low = "-" if drug.bounds.low is None else drug.bounds.low
    return f"{name}{days} | {doses} | {low} {drug.bounds.high} {drug.unit}"


def test_every_regimen_of_the_table_is_there():
    assert set(REGIMENS) == set(ROWS) == set(INTERVALS)
    assert len(REGIMENS) == 23


@pytest.mark.parametrize("name", list(ROWS))
def test_drugs_doses_days_routes_and_bounds_are_those_of_the_table(name):
    assert "; ".join(map(shown, REGIMENS[name].drugs)) == ROWS[name]


@pytest.mark.parametrize("name", list(INTERVALS))
def test_intervals(name):
    regimen, expected = REGIMENS[name], INTERVALS[name]
    if expected is None:
        assert (regimen.interval_days, regimen.reference_interval_days) == (None, None)
    else:
        assert (*regimen.interval_days, regimen.reference_interval_days) == expected


def test_caps_counts_and_totals():
    caps = {
        (name, drug.id): drug.cap_mg
        for name, regimen in REGIMENS.items()
        for drug in regimen.drugs
        if drug.cap_mg is not None
    }
    assert caps == {("RG-LI1", "doxorubicin"): 150, ("RG-LM6", "melphalan"): 220}
    most = {name: each.max_courses for name, each in REGIMENS.items() if each.max_courses}
    assert most == {"RG-LI3": 6, "RG-LM6": 6}
    fluorouracil = ("fluorouracil-bolus", "fluorouracil-infusion")
    for name in ("RG-LI3", "RG-LM4"):
        [total] = REGIMENS[name].totals
        assert (total.of, total.bounds) == (fluorouracil, Bounds(Decimal(1600), Decimal(2800)))
    assert REGIMENS["RG-LI3"].drugs[0].variants == (85,)
    [docetaxel] = [drug for drug in REGIMENS["RG-LU3"].drugs if drug.id == "docetaxel"]
    assert docetaxel.neutrophils_at_least == Decimal("1.5")


def test_what_each_is_for():
    def served(*asked, **told):
        return [name for name, each in REGIMENS.items() if each.serves(*asked, **told)]

    assert served("LUNG") == [f"RG-LU{number}" for number in range(1, 8)]
    assert served("LIVER", mode="TACE") == ["RG-LI1", "RG-LI2", "RG-LI4"]
    assert served("LIVER", mode="HAIC") == ["RG-LI3"]
    assert served("LMET", mode="INFUSION", primary="colorectal") == ["RG-LM2", "RG-LM5"]
    assert served("LMET", primary="melanoma") == ["RG-LM5", "RG-LM6", "RG-LM7"]
    assert served("LMET", primary="lung") == ["RG-LM5", "RG-LM7"]
    assert served("REGI", site="limb") == ["RG-RE2"]
    assert served("REGI", site="pancreas") == ["RG-RE1"]
    assert served("PORT") == ["RG-PO1", "RG-PO2", "RG-PO3"]


def test_what_has_no_dose_says_so():
    proposals = {name: each.proposal for name, each in REGIMENS.items() if each.proposal != "dosed"}
    assert proposals == {"RG-LM6": "referral", "RG-LM7": "by-board", "RG-RE2": "referral"}


CLASSES = {
    "non-specific": "cisplatin carboplatin oxaliplatin lobaplatin doxorubicin epirubicin mitomycin "
    "liposomal-doxorubicin melphalan",
    "specific": "pemetrexed gemcitabine fluorouracil floxuridine docetaxel paclitaxel vinorelbine "
    "etoposide irinotecan",
    "": "leucovorin",
}


def test_drug_classes_are_those_of_the_specification():
    found = {drug.drug: drug.cell_cycle for each in REGIMENS.values() for drug in each.drugs}
    assert found == {name: kind for kind, names in CLASSES.items() for name in names.split()}


def test_only_regimens_with_a_systemic_specific_drug_complete_an_arterial_one():
    without = [name for name, each in REGIMENS.items() if not each.has_systemic_specific]
    assert "RG-LU7" in without
    assert [name for name in without if REGIMENS[name].protocols == ("LUNG",)] == ["RG-LU7"]


EXCLUSIONS = {
    "cisplatin": ("AG-CIS",),
    "carboplatin": ("AG-CARBO",),
    "oxaliplatin": ("platinum-allergy",),
    "lobaplatin": ("platinum-allergy",),
    "pemetrexed": ("AG-PEM",),
    "doxorubicin": ("AG-DOX",),
    "liposomal-doxorubicin": ("AG-DOX",),
    "epirubicin": ("AG-DOX",),
    "fluorouracil": ("AG-FLUORO",),
    "floxuridine": ("AG-FLUORO", "AG-FUDR"),
    "irinotecan": ("AG-IRI",),
    "mitomycin": ("AG-MMC",),
}


def test_rules_that_exclude_and_limits_over_a_life():
    for name, regimen in REGIMENS.items():
        for drug in regimen.drugs:
            own = ("AG-PHP",) if name == "RG-LM6" else ()
            assert drug.exclusions == (*EXCLUSIONS.get(drug.drug, ()), *own)
    limits = {
        drug.drug: (drug.counts_as, *drug.cumulative_highest)
        for each in REGIMENS.values()
        for drug in each.drugs
        if drug.cumulative_highest is not None
    }
    assert limits == {
        "doxorubicin": ("doxorubicin", 550, 400),
        "liposomal-doxorubicin": ("doxorubicin", 550, 400),
        "mitomycin": ("mitomycin", 50, 50),
    }
    drugs = [drug for each in REGIMENS.values() for drug in each.drugs if drug.course_highest]
    highest = {(drug.drug, drug.course_highest, drug.course_rule) for drug in drugs}
    assert highest == {("cisplatin", 100, "AG-CIS-MAX")}


def test_every_number_says_where_it_comes_from():
    for regimen in REGIMENS.values():
        for drug in regimen.drugs:
            numbers = {"dose": drug.published, "cap_mg": drug.cap_mg, "bounds": drug.bounds}
            wanted = {name for name, number in numbers.items() if number is not None}
            assert wanted <= set(drug.marks)
        if regimen.interval_days is not None:
            assert {"interval_days", "reference_interval_days"} <= set(regimen.marks)
    assert REGIMENS["RG-LU1"].drugs[0].marks["dose"] == "lit-conf [R9]"
    assert REGIMENS["RG-LU1"].drugs[0].marks["route"] == "lit-GK"


def test_the_review_is_the_authors_own():
    assert {(each.reviewed, each.reviewed_by) for each in REGIMENS.values()} == {
        (date(2026, 11, 28), "the authors' own")
    }


def test_drugs_carry_codes_only_where_one_was_seen():
    coded = {d.drug: d.concept.get("coding") for r in REGIMENS.values() for d in r.drugs}
    text_only = {name for name, codings in coded.items() if codings is None}
    assert text_only == {"lobaplatin", "melphalan", "liposomal-doxorubicin"}
    assert {each["code"] for each in coded["cisplatin"]} == {"2555", "L01XA01"}
    assert {each["code"] for each in coded["floxuridine"]} == {"L01BC09"}


def test_regimens_are_no_protocols():
    assert not set(load_protocols()) & set(REGIMENS)


def test_an_unknown_regimen_is_refused_with_those_there_are():
    with pytest.raises(UnknownProtocolError, match="RG-LU1"):
        load_regimen("RG-XX1")
    assert load_regimen("RG-LU1") == REGIMENS["RG-LU1"]


def test_what_is_no_regimen_is_refused():
    path = knowledge_root() / "lung" / "PlanDefinition-LUNG.json"
    with pytest.raises(KnowledgeError, match="LUNG is no regimen"):
        read_regimen(json.loads(path.read_text()))


def test_another_folder_of_protocols_has_ours_until_it_has_its_own(tmp_path, monkeypatch):
    ours = regimens_folder()
    monkeypatch.setenv(ROOT_VARIABLE, str(tmp_path))
    assert regimens_folder() == ours
    (tmp_path / "regimens").mkdir()
    shutil.copy(ours / "PlanDefinition-RG-LM7.json", tmp_path / "regimens")
    assert list(load_regimens()) == ["RG-LM7"]
