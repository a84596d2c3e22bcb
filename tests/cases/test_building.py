"""A case.toml becomes the patient it describes."""

import csv
from pathlib import Path

import pytest

from tests.cases.answers import by_rule_e02
from tests.cases.case import Case, find_cases
from tests.cases.facts import LOCAL, ROOT, to_resource

B0 = {
    "patient": {"gender": "male", "birthDate": "1962-05-14"},
    "add": [
        {"key": "inr", "value": 1, "date": "2025-02-28"},
        {"key": "weight", "value": 68, "date": "2025-02-26"},
        {"key": "weight", "name": "earlier-weight", "value": 70, "date": "2024-10-15"},
    ],
}
OTHER_TABLES = ("http://terminology.hl7.org/", LOCAL, "https://hospital.example/")


def resource(fact):
    return to_resource(fact, patient_id="p", resource_id="r")


def resources(table):
    bundle = Case(Path("case-1"), "LUNG", table, (B0,)).bundle()
    return {entry["resource"]["id"]: entry["resource"] for entry in bundle["entry"]}


def test_a_quantity_takes_code_and_unit_from_its_concept():
    assert resource({"key": "platelets", "value": 45, "date": "2025-02-28"}) == {
        "resourceType": "Observation",
        "id": "r",
        "status": "final",
        "code": {
            "coding": [
                {
                    "system": "http://loinc.org",
                    "code": "777-3",
                    "display": "Platelets [#/volume] in Blood by Automated count",
                }
            ]
        },
        "effectiveDateTime": "2025-02-28",
        "valueQuantity": {
            "value": 45,
            "unit": "10*9/L",
            "system": "http://unitsofmeasure.org",
            "code": "10*9/L",
        },
        "subject": {"reference": "Patient/p"},
    }


@pytest.mark.parametrize(
    ("key", "value", "element", "expected"),
    [
        ("ecog", 2, "valueInteger", 2),
        ("standard-options-reviewed", False, "valueBoolean", False),
        ("stage-group", "Stage IIIC", "valueCodeableConcept", {"text": "Stage IIIC"}),
        (
            "metastatic-extent",
            "none",
            "valueCodeableConcept",
            {"coding": [{"system": LOCAL, "code": "none"}]},
        ),
        (
            "ecog",
            "LA9627-6",
            "valueCodeableConcept",
            {"coding": [{"system": "http://loinc.org", "code": "LA9627-6", "display": "Dead"}]},
        ),
    ],
)
def test_a_value_goes_where_fhir_wants_it(key, value, element, expected):
    assert resource({"key": key, "value": value})[element] == expected


def test_an_empty_string_means_absent():
    condition = resource({"key": "dx-lung", "clinical": "", "verification": "provisional"})
    assert "clinicalStatus" not in condition
    assert condition["verificationStatus"]["coding"][0]["code"] == "provisional"
    assert "unit" not in resource({"key": "inr", "value": 1, "unit": ""})["valueQuantity"]


def test_an_allergy_belongs_to_its_patient():
    allergy = resource({"key": "allergy", "text": "x-ray dye", "severity": "severe"})
    assert allergy["patient"] == {"reference": "Patient/p"}
    assert allergy["code"] == {"text": "x-ray dye"}
    assert allergy["reaction"] == [{"manifestation": [{"text": "Reaction"}], "severity": "severe"}]


def test_a_case_changes_removes_and_adds_facts_by_name():
    found = resources(
        {
            "patient": {"gender": ""},
            "remove": [{"key": "inr"}],
            "change": [{"key": "weight", "name": "earlier-weight", "value": 80}],
            "add": [{"key": "weight", "value": 60, "date": "2025-03-01"}],
        }
    )
    assert found["case-1"] == {
        "resourceType": "Patient",
        "id": "case-1",
        "birthDate": "1962-05-14",
    }
    weights = {name: each["valueQuantity"]["value"] for name, each in found.items() if "w" in name}
    assert weights == {"weight": 68, "earlier-weight": 80, "weight-2": 60}
    assert "inr" not in found


def test_status_and_lists_follow_rule_e02():
    truths = {"PORT-I01": True, "C-AGE": None, "X-BLEED": True, "K-STD": None, "PORT-K01": True}
    found = by_rule_e02(truths)
    assert found.status == "ineligible"
    assert found.lists == {
        "failed": ["X-BLEED"],
        "unknown": ["C-AGE"],
        "cautions": ["PORT-K01"],
        "not_assessable": ["K-STD"],
    }
    assert by_rule_e02(truths | {"X-BLEED": False}).status == "indeterminate"
    assert by_rule_e02(truths | {"PORT-I01": False}).status == "not-applicable"
    assert by_rule_e02({"PORT-I01": True, "X-BLEED": False, "K-STD": None}).status == "eligible"


def test_no_case_holds_a_medical_code_that_the_code_table_lacks():
    with (ROOT / "tools" / "terminology" / "codes.csv").open(newline="") as rows:
        known = {(row["system"], row["code"]) for row in csv.DictReader(rows)}
    used = {code for case in find_cases() for code in codes(case.bundle())}
    assert {each for each in used - known if not each[0].startswith(OTHER_TABLES)} == set()


def codes(node):
    if isinstance(node, list):
        for each in node:
            yield from codes(each)
    elif isinstance(node, dict):
        system = node.get("system", "")
        if isinstance(node.get("code"), str) and "value" not in node:  # a Quantity has a unit code
            yield system, node["code"]
        for each in node.values():
            yield from codes(each)
