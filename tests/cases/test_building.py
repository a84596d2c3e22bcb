"""A case.toml becomes the patient it describes."""

import csv
import re
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
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
STATUSES_WITHOUT_SYSTEM = {("", "active"), ("", "confirmed")}  # E-04: not readable
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


@pytest.mark.parametrize(
    ("key", "when", "rest"),
    [
        ("procedure", "performed", {"status": "completed"}),
        ("order", "occurrence", {"status": "active", "intent": "order"}),
    ],
)
def test_what_was_done_or_ordered_has_a_day_or_a_period(key, when, rest):
    assert resource({"key": key, "text": "Stent", "date": "2025-02-10"}) == {
        "resourceType": {"procedure": "Procedure", "order": "ServiceRequest"}[key],
        "id": "r",
        "code": {"text": "Stent"},
        f"{when}DateTime": "2025-02-10",
        "subject": {"reference": "Patient/p"},
        **rest,
    }
    period = {"start": "2025-02-10"}
    found = resource({"key": key, "text": "Stent", "period": period, "status": "revoked"})
    assert (found["status"], found[f"{when}Period"]) == ("revoked", period)


def test_raw_elements_stand_over_all_others_and_may_take_one_away():
    coding = [{"system": "https://hospital.example/status", "code": "S1"}]
    found = resource(
        {
            "key": "condition",
            "text": "?",
            "set": {"verificationStatus": {"coding": coding}, "subject": ""},
        }
    )
    assert found["verificationStatus"] == {"coding": coding}
    assert "subject" not in found


def test_an_element_of_the_patient_may_be_an_extension_alone():
    unknown = {"extension": [{"url": "https://hospital.example/why", "valueCode": "unknown"}]}
    found = resources({"patient": {"_deceasedDateTime": unknown}})
    assert found["case-1"]["_deceasedDateTime"] == unknown


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
    found = by_rule_e02(truths, anchor=True)
    assert found.status == "ineligible"
    assert found.lists == {
        "failed": ["X-BLEED"],
        "unknown": ["C-AGE"],
        "cautions": ["PORT-K01"],
        "not_assessable": ["K-STD"],
    }
    unknown = truths | {"X-BLEED": False}
    assert by_rule_e02(unknown, anchor=True).status == "indeterminate"
    assert by_rule_e02(truths | {"PORT-I01": False}, anchor=False).status == "not-applicable"
    passed = {"PORT-I01": True, "X-BLEED": False, "K-STD": None}
    assert by_rule_e02(passed, anchor=True).status == "eligible"


def test_no_case_holds_a_medical_code_that_the_code_table_lacks():
    with (ROOT / "tools" / "terminology" / "codes.csv").open(newline="") as rows:
        known = {(row["system"], row["code"]) for row in csv.DictReader(rows)}
    used = {as_listed(*code) for case in find_cases() for code in codes(case.bundle())} - {None}
    unknown = {each for each in used - known if not each[0].startswith(OTHER_TABLES)}
    assert unknown - STATUSES_WITHOUT_SYSTEM == set()


@pytest.mark.parametrize(
    ("written", "listed"),
    [
        ("C34.11", "C34.11"),
        ("C3411", "C34.11"),
        ("c34.11", "C34.11"),
        ("c34", "C34"),
        ("t80211a", "T80.211A"),
        ("LUNGCA", None),
        ("162.9", None),
        ("C34-11", None),
        ("C34.1.1", None),
    ],
)
def test_an_icd_code_is_looked_up_as_the_table_spells_it(written, listed):
    assert as_listed(ICD, written) == (listed and (ICD, listed))


def test_a_code_of_another_system_is_looked_up_as_it_is():
    assert as_listed("http://snomed.info/sct", "c3411") == ("http://snomed.info/sct", "c3411")


def as_listed(system, code):
    """Return the code as the table has it; None for an ICD-10-CM code of no such shape (E-03)."""
    if system != ICD:
        return system, code
    shape = re.fullmatch(r"([A-Z]\d[\dA-Z])\.?([\dA-Z]{0,4})", code.upper())
    return shape and (system, ".".join(filter(None, shape.groups())))


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
