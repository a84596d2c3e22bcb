"""Invented patients, with lung cancer or without: 50 resources each, same seed, same patients."""

import csv
import json
import random
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from ivfhir.fhir.types import Resource

PROJECT = Path(__file__).resolve().parents[2]
SHARED = PROJECT / "plan_definitions" / "shared"
RESOURCES_PER_PATIENT = 50
AS_OF = "2025-03-03T23:59:59.999+00:00"
AS_OF_DAY = date(2025, 3, 3)
UCUM = "http://unitsofmeasure.org"
LOCAL = "https://ivfhir.example/fhir/CodeSystem/io"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"

# Value set, UCUM unit, lowest and highest value in steps of a tenth.
LABORATORY = (
    ("platelets", "10*9/L", 60, 350),
    ("anc", "10*9/L", 1.6, 8),
    ("haemoglobin", "g/dL", 8, 15),
    ("inr", "1", 0.9, 1.4),
    ("creatinine-mass", "mg/dL", 0.6, 1.6),
    ("bilirubin-mass", "mg/dL", 0.2, 1.5),
    ("albumin", "g/dL", 2.8, 4.6),
    ("weight", "kg", 55, 90),
)
# Local fact, its values; the first is the one that lets the patient pass, and comes most often.
STATEMENTS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("io-surgical-candidacy", ("unresectable", "medically-inoperable", "candidate")),
    ("io-metastatic-extent", ("localised", "regional", "disseminated")),
    ("io-prior-chemo-lines", (0, 1, 2)),
    ("io-standard-options-reviewed", (True, False)),
    ("io-driver-alteration", ("negative", "positive")),
    ("io-cachexia-stage", ("none", "precachexia", "refractory")),
)
# Of the liver, asked of patients with metastases there.
LIVER_STATEMENTS: tuple[tuple[str, tuple[Any, ...]], ...] = (
    ("io-portal-vein", ("patent", "branch-thrombosis", "main-thrombosis")),
    ("io-ascites-grade", ("none", "mild", "moderate-severe")),
    ("io-encephalopathy-grade", ("none", "grade-1-2")),
    ("io-refractory-ascites", (False, True)),
)
LIVER_MEASURES = (("io-tumour-burden-pct", "%"), ("io-largest-tumour-mm", "mm"))
# Value set of a cancer -> ICD-10-CM code of what a patient without one has instead.
INSTEAD = {"dx-lung": "N13.30", "dx-liver-mets": "I50.9", "metastasis-bone": "I50.9"}
HYPERTENSION = "I10"
COMORBID = ("bleeding-disorder", "active-infection", "cachexia", "metastasis-bone", "haemoptysis")


def make_patients(count: int, seed: int = 1, *, cancer: bool = True) -> list[bytes]:
    """Return the patients, each a collection Bundle as JSON text.

    Args:
        count: how many.
        seed: of what they have by chance.
        cancer: they have lung cancer, one in three with metastases in the liver. Without it they
            have another disease in its place, and all else is the same.
    """
    chance = random.Random(seed)  # noqa: S311 - invented patients, nothing secret
    codes = _codes_by_value_set()
    if not cancer:
        codes |= {name: [_icd(code)] * len(codes[name]) for name, code in INSTEAD.items()}
    return [json.dumps(_bundle(number, chance, codes)).encode() for number in range(count)]


def _bundle(number: int, chance: random.Random, codes: dict[str, list[Resource]]) -> Resource:
    patient: Resource = {
        "resourceType": "Patient",
        "id": f"p{number}",
        "gender": chance.choice(["male", "female"]),
        "birthDate": (AS_OF_DAY - timedelta(days=chance.randint(30, 85) * 365)).isoformat(),
    }
    resources = [patient]
    for each in _content(chance, codes):
        subject = "patient" if each["resourceType"] == "AllergyIntolerance" else "subject"
        reference = {"reference": f"Patient/{patient['id']}"}
        resources.append({**each, "id": f"p{number}-{len(resources)}", subject: reference})
        if len(resources) == RESOURCES_PER_PATIENT:
            break
    entries = [{"resource": each} for each in resources]
    return {"resourceType": "Bundle", "type": "collection", "entry": entries}


def _content(chance: random.Random, codes: dict[str, list[Resource]]) -> Iterator[Resource]:
    """Yield what is recorded of one patient, the newest first, then ever older results."""
    yield _condition(chance.choice(codes["dx-lung"]))
    yield _condition(_icd(HYPERTENSION))
    if chance.random() < 0.2:
        yield _condition(chance.choice(codes[chance.choice(COMORBID)]))
    yield {
        "resourceType": "AllergyIntolerance",
        "code": {"coding": [codes["no-known-allergy"][0]]},
    }
    yield _observation(
        codes["ecog"][0], _days_ago(5), {"valueInteger": chance.choice([0, 1, 1, 2])}
    )
    yield _observation(
        codes["height"][0], _days_ago(1700), _quantity(chance.randint(150, 190), "cm")
    )
    yield from _statements(chance, STATEMENTS)
    if chance.random() < 1 / 3:
        yield _condition(chance.choice(codes["dx-liver-mets"]))
        yield from _statements(chance, LIVER_STATEMENTS)
        for name, unit in LIVER_MEASURES:
            yield _local(name, _quantity(chance.randint(10, 75), unit))
    for days in range(3, 300, 60):
        for name, unit, low, high in LABORATORY:
            value = chance.randint(int(low * 10), int(high * 10)) / 10
            yield _observation(codes[name][0], _days_ago(days), _quantity(value, unit))


def _statements(
    chance: random.Random, statements: tuple[tuple[str, tuple[Any, ...]], ...]
) -> Iterator[Resource]:
    for name, values in statements:
        value = values[0] if chance.random() < 0.9 else chance.choice(values)
        yield _local(name, _statement(value))


def _local(name: str, value: Resource) -> Resource:
    return _observation({"system": LOCAL, "code": name}, _days_ago(11), value)


def _condition(code: Resource) -> Resource:
    return {
        "resourceType": "Condition",
        "clinicalStatus": {"coding": [{"system": CLINICAL, "code": "active"}]},
        "verificationStatus": {"coding": [{"system": VERIFICATION, "code": "confirmed"}]},
        "code": {"coding": [code]},
        "recordedDate": _days_ago(40),
    }


def _observation(code: Resource, when: str, value: Resource) -> Resource:
    return {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [code]},
        "effectiveDateTime": when,
        **value,
    }


def _statement(value: str | int | bool) -> Resource:
    if isinstance(value, bool):
        return {"valueBoolean": value}
    if isinstance(value, int):
        return {"valueInteger": value}
    return {"valueCodeableConcept": {"coding": [{"system": LOCAL, "code": value}]}}


def _quantity(value: float, unit: str) -> Resource:
    return {"valueQuantity": {"value": value, "unit": unit, "system": UCUM, "code": unit}}


def _days_ago(days: int) -> str:
    return (AS_OF_DAY - timedelta(days=days)).isoformat()


def _codes_by_value_set() -> dict[str, list[Resource]]:
    found = {}
    for path in SHARED.glob("ValueSet-*.json"):
        value_set = json.loads(path.read_text(encoding="utf-8"))
        found[value_set["id"]] = value_set["expansion"]["contains"]
    return found


@cache
def _icd(code: str) -> Resource:
    with (PROJECT / "tools" / "terminology" / "codes.csv").open(encoding="utf-8") as handle:
        row = next(row for row in csv.DictReader(handle) if row["code"] == code)
    return {"system": row["system"], "code": row["code"], "display": row["display"]}
