"""The eligible patient with one thing changed, the way that real records are twisted."""

import copy
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from ivfhir.fhir.json import dumps, loads
from ivfhir.repository import Repository
from smart_app.fake_ehr.sample_patients import sample_bundles

Resources = list[dict[str, Any]]
ICD = "http://hl7.org/fhir/sid/icd-10-cm"
HL7 = "http://terminology.hl7.org/CodeSystem"


def day(before: int) -> str:
    """Return the day so many days before today, as FHIR writes it."""
    return (datetime.now(UTC).date() - timedelta(days=before)).isoformat()


def condition(
    name: str,
    *,
    code: str = "",
    text: str = "",
    verified: str = "confirmed",
    active: str = "active",
) -> dict[str, Any]:
    """Return an entry of the problem list."""
    concept: dict[str, Any] = {"text": text} if text else {}
    if code:
        concept["coding"] = [{"system": ICD, "code": code}]
    return {
        "resourceType": "Condition",
        "id": name,
        "subject": {"reference": "Patient/halloran"},
        "code": concept,
        "recordedDate": day(9),
        "verificationStatus": {
            "coding": [{"system": f"{HL7}/condition-ver-status", "code": verified}]
        },
        "clinicalStatus": {"coding": [{"system": f"{HL7}/condition-clinical", "code": active}]},
    }


def allergy(name: str, text: str) -> dict[str, Any]:
    """Return an entry of the allergy list that no code explains."""
    return {
        "resourceType": "AllergyIntolerance",
        "id": name,
        "patient": {"reference": "Patient/halloran"},
        "code": {"text": text},
        "recordedDate": day(400),
    }


def without(resources: Resources, *names: str) -> Resources:
    """Return the resources whose type is not among the names, and whose id has none of them."""
    return [
        each
        for each in resources
        if each["resourceType"] not in names and not any(name in each["id"] for name in names)
    ]


def _dead(resources: Resources) -> Resources:
    for each in resources:
        if each["resourceType"] == "Patient":
            each["deceasedBoolean"] = True
    return resources


def _no_birth_date(resources: Resources) -> Resources:
    for each in resources:
        if each["resourceType"] == "Patient":
            each["birthDate"] = each["birthDate"][:4]
    return resources


def _disagreeing(resources: Resources) -> Resources:
    (platelets,) = [each for each in resources if each["id"] == "halloran-platelets"]
    other = copy.deepcopy(platelets)
    other["id"] = "halloran-more-platelets"
    other["valueQuantity"]["value"] = 40
    return [*resources, other]


def _unit_unknown(resources: Resources) -> Resources:
    (platelets,) = [each for each in resources if each["id"] == "halloran-platelets"]
    platelets["valueQuantity"] = {"value": 220, "unit": "per field"}
    return resources


def _long(resources: Resources) -> Resources:
    (platelets,) = [each for each in resources if each["id"] == "halloran-platelets"]
    more = []
    for number in range(700):
        each = copy.deepcopy(platelets)
        each["id"] = f"halloran-count-{number}"
        each["effectiveDateTime"] = day(20 + number)
        more.append(each)
    return [*resources, *more]


TWISTS: dict[str, Callable[[Resources], Resources]] = {
    "dead-undated": _dead,
    "half-born": _no_birth_date,
    "disagreeing": _disagreeing,
    "unit-unknown": _unit_unknown,
    "long": _long,
    "nothing": lambda all_: without(all_, "Condition", "Observation", "AllergyIntolerance"),
    "no-problems": lambda all_: without(all_, "Condition"),
    "no-problems-and-low": lambda all_: [
        {**each, "valueQuantity": {**each["valueQuantity"], "value": 45}}
        if each["id"] == "halloran-platelets"
        else each
        for each in without(all_, "Condition")
    ],
    "no-allergies": lambda all_: without(all_, "AllergyIntolerance"),
    "no-kidney": lambda all_: without(all_, "creatinine", "egfr"),
    "no-blood-count": lambda all_: without(all_, "platelets", "neutrophils", "haemoglobin"),
    "no-statements": lambda all_: without(all_, "standard-options", "surgical", "lines", "extent"),
    "provisional": lambda all_: [
        *without(all_, "cancer"),
        condition("halloran-odd", code="C34.11", text="Lung mass", verified="provisional"),
    ],
    "in-words": lambda all_: [
        *without(all_, "Condition"),
        condition("halloran-odd", text="Something in the chest"),
    ],
    "many-in-words": lambda all_: [
        *without(all_, "Condition"),
        *(condition(f"halloran-odd-{n}", text=f"Something {n}") for n in range(9)),
    ],
    "many-open": lambda all_: [
        *all_,
        *(
            condition(f"halloran-odd-{n}", code="D66", text="Haemophilia A", verified="provisional")
            for n in range(9)
        ),
    ],
    "bleeder": lambda all_: [
        *all_,
        condition("halloran-odd", code="D66", text="Haemophilia A", verified="provisional"),
    ],
    "bleeder-no-inr": lambda all_: [
        *without(all_, "inr"),
        condition("halloran-odd", code="D66", text="Haemophilia A", verified="provisional"),
    ],
    "unsited": lambda all_: [*all_, condition("halloran-odd", code="C79.9", text="Metastasis")],
    "contrast": lambda all_: [
        *without(all_, "AllergyIntolerance"),
        {
            **allergy("halloran-odd", "Iodinated contrast"),
            "code": {
                "coding": [{"system": "http://snomed.info/sct", "code": "293637006"}],
            },
        },
    ],
    "infected": lambda all_: [*all_, condition("halloran-odd", code="A41.9", text="Sepsis")],
}


def load_twisted(repository: Repository) -> None:
    """Load every twisted patient into a FHIR server; the name of the twist is the patient's id."""
    whole = next(sample_bundles(datetime.now(UTC).date()))
    for name, twist in TWISTS.items():
        resources = twist([copy.deepcopy(each["resource"]) for each in whole["entry"]])
        renamed: Any = loads(dumps(resources).replace("halloran", name), place=name)
        repository.transact(
            {
                "resourceType": "Bundle",
                "type": "transaction",
                "entry": [
                    {
                        "resource": each,
                        "request": {"method": "PUT", "url": f"{each['resourceType']}/{each['id']}"},
                    }
                    for each in renamed
                ],
            }
        )
