"""How HAPI's answers become Python values, asked of the real server."""

import base64
from decimal import Decimal

import pytest
import requests

from tests.servers.hapi_client import (
    HapiRefusedError,
    apply_on_hapi,
    as_list,
    evaluate_on_hapi,
    put_all,
    validate_on_hapi,
)

pytestmark = pytest.mark.server

CQL = """library HapiClientProbe version '0.1.0'
using FHIR version '4.0.1'
include FHIRHelpers version '4.0.1'
valueset "Platelets": 'https://ivfhir.example/fhir/ValueSet/hapi-client-probe'
parameter AsOf DateTime
parameter Start Date
parameter segments Integer default 4
parameter factor Decimal
parameter OverrideReason String
context Patient
define Nothing: null as Boolean
define Empty: {} as List<String>
define One: {'a'}
define Two: {'a', null as String}
define Segments: segments
define At: AsOf
define Begin: Start
define Product: factor * 2
define Reason: OverrideReason
define Dose: 3.50 'mg'
define Window: Interval[DateTime(2025, 3, 1), DateTime(2025, 3, 5)]
define Counts: ([Observation: "Platelets"]) O
  return Tuple { reference: 'Observation/' + O.id.value,
    number: (O.value as FHIR.Quantity).value.value, unit: null as String }
define IsMale: Patient.gender.value = 'male'
"""
CANONICAL = "https://ivfhir.example/fhir"
COUNT = {"system": "http://loinc.org", "code": "777-3"}
VALUE_SET = {
    "resourceType": "ValueSet",
    "id": "hapi-client-probe",
    "url": f"{CANONICAL}/ValueSet/hapi-client-probe",
    "status": "draft",
    "compose": {"include": [{"system": COUNT["system"], "concept": [{"code": COUNT["code"]}]}]},
    "expansion": {"timestamp": "2026-11-24T00:00:00Z", "contains": [COUNT]},
}
LIBRARY = {
    "resourceType": "Library",
    "id": "HapiClientProbe",
    "url": f"{CANONICAL}/Library/HapiClientProbe",
    "version": "0.1.0",
    "name": "HapiClientProbe",
    "status": "draft",
    "type": {"text": "logic"},
    "content": [{"contentType": "text/cql", "data": base64.b64encode(CQL.encode()).decode()}],
}
PLAN = {
    "resourceType": "PlanDefinition",
    "id": "HapiClientProbe",
    "url": f"{CANONICAL}/PlanDefinition/HapiClientProbe",
    "status": "draft",
    "library": [f"{CANONICAL}/Library/HapiClientProbe|0.1.0"],
    "action": [
        {
            "id": define,
            "title": define,
            "condition": [
                {
                    "kind": "applicability",
                    "expression": {
                        "language": "text/cql",
                        "expression": define,
                        "reference": f"{CANONICAL}/Library/HapiClientProbe|0.1.0",
                    },
                }
            ],
        }
        for define in ("IsMale", "Nothing")
    ],
}
PATIENT = {"resourceType": "Patient", "id": "hapi-client-probe", "gender": "male"}


def count(number: int, value: str) -> dict:
    return {
        "resourceType": "Observation",
        "id": f"hapi-client-probe-{number}",
        "status": "final",
        "code": {"coding": [COUNT]},
        "subject": {"reference": "Patient/hapi-client-probe"},
        "valueQuantity": {"value": Decimal(value), "unit": "10*9/L"},
    }


def bundle(*resources: dict) -> dict:
    entries = [{"resource": each} for each in (PATIENT, *resources)]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


@pytest.fixture(scope="module")
def base(hapi):
    put_all(hapi, [VALUE_SET, LIBRARY, PLAN])
    return hapi


def test_values_of_every_kind_come_back(base):
    parameters = {
        "AsOf": {"valueDateTime": "2025-03-03T23:59:59.999+01:00"},
        "Start": {"valueDate": "2025-03-10"},
        "factor": Decimal("1.25"),
        "OverrideReason": "asked for",
    }
    values = evaluate_on_hapi(base, "HapiClientProbe", bundle(), parameters)
    assert values.pop("Patient")["id"] == "hapi-client-probe"
    assert values == {
        "At": "2025-03-03T23:59:59.999+01:00",
        "Begin": "2025-03-10",
        "Counts": [],
        "Dose": {
            "value": Decimal("3.50"),
            "unit": "mg",
            "system": "http://unitsofmeasure.org",
            "code": "mg",
        },
        "Empty": [],
        "IsMale": True,
        "Nothing": None,
        "One": "a",
        "Product": Decimal("2.50"),
        "Reason": "asked for",
        "Segments": 4,
        "Two": ["a", None],
        "Window": {"start": "2025-03-01", "end": "2025-03-05"},
    }
    assert (as_list(values["One"]), as_list(values["Empty"]), as_list(None)) == (["a"], [], [])


def test_tuples_come_back_as_dicts_with_their_nulls(base):
    values = evaluate_on_hapi(
        base, "HapiClientProbe", bundle(count(1, "49.9"), count(2, "180")), {"segments": 6}
    )
    assert sorted(values["Counts"], key=lambda each: each["reference"]) == [
        {"reference": "Observation/hapi-client-probe-1", "number": Decimal("49.9"), "unit": None},
        {"reference": "Observation/hapi-client-probe-2", "number": Decimal(180), "unit": None},
    ]
    assert values["Segments"] == 6


def test_nothing_of_the_patient_stays_on_the_server(base):
    evaluate_on_hapi(base, "HapiClientProbe", bundle(count(3, "1")))
    assert requests.get(f"{base}/Patient/hapi-client-probe", timeout=60).status_code == 404


def test_apply_keeps_only_the_action_whose_condition_is_true(base):
    care_plan = apply_on_hapi(base, "HapiClientProbe", bundle())
    [group] = [each for each in care_plan["contained"] if each["resourceType"] == "RequestGroup"]
    assert [action["title"] for action in group["action"]] == ["IsMale"]


def test_refusal_says_why(base):
    with pytest.raises(HapiRefusedError, match="NoSuchLibrary"):
        evaluate_on_hapi(base, "NoSuchLibrary", bundle())


def test_validation_names_the_place_of_an_error(base):
    assert validate_on_hapi(base, PATIENT) == []
    without_status = count(4, "1")
    del without_status["status"]
    [error] = validate_on_hapi(base, without_status)
    assert error.startswith("Observation: Observation.status: minimum required")
