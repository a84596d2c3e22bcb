"""One fact of a case.toml becomes one FHIR resource."""

import csv
import re
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

Fact = Mapping[str, Any]
ROOT = Path(__file__).parents[2]
LOCAL = "https://ivfhir.example/fhir/CodeSystem/io"
SYSTEMS = {  # the form of a code tells its system
    r"[A-TV-Z]\d[\dA-Z](\.\w+)?": "http://hl7.org/fhir/sid/icd-10-cm",
    r"\d{6,}": "http://snomed.info/sct",
    r"(LA)?\d+-\d": "http://loinc.org",
    r"\d{4,5}": "http://www.nlm.nih.gov/research/umls/rxnorm",
    r"io-.*": LOCAL,
    r"0[0-9A-HJ-NP-Z]{6}": "http://www.cms.gov/Medicare/Coding/ICD10",
}
STATUS_SYSTEMS = {  # of clinicalStatus and verificationStatus
    "Condition": ("condition-clinical", "condition-ver-status"),
    "AllergyIntolerance": ("allergyintolerance-clinical", "allergyintolerance-verification"),
}


def to_resource(fact: Fact, *, patient_id: str, resource_id: str) -> dict[str, Any]:
    """Return the resource that a fact stands for.

    Args:
        fact: a table of case.toml; README.md beside the cases lists its fields.
        patient_id: the subject.
        resource_id: the id of the new resource.

    Raises:
        KeyError: the fact's key is not in concepts.toml.
    """
    concept = _concepts()[fact["key"]]
    kind = concept.get("type", "Observation")
    build = {
        "Observation": _observation,
        "Condition": _condition,
        "AllergyIntolerance": _allergy,
        "Procedure": _procedure,
        "ServiceRequest": _order,
    }
    resource = {"resourceType": kind, "id": resource_id, **build[kind](concept | fact)}
    owner = "patient" if kind == "AllergyIntolerance" else "subject"
    resource[owner] = {"reference": f"Patient/{patient_id}"}
    return present(resource | fact.get("set", {}))


def present(table: Mapping[str, Any]) -> dict[str, Any]:
    """Return the table without its empty strings: in a case they mean `absent`."""
    return {name: value for name, value in table.items() if value != ""}


def _observation(fact: Fact) -> dict[str, Any]:
    resource = {"status": fact.get("status", "final"), "code": _coded(fact)}
    for field, element in [
        ("date", "effectiveDateTime"),
        ("instant", "effectiveInstant"),
        ("period", "effectivePeriod"),
    ]:
        if field in fact:
            resource[element] = fact[field]
    if fact.get("value", "") != "":
        element, value = _value(fact)
        resource[element] = value
    return resource


def _value(fact: Fact) -> tuple[str, Any]:
    kind, value = fact["kind"], fact["value"]
    if kind == "quantity":
        unit = fact.get("unit", "")
        quantity = {"value": value, "comparator": fact.get("comparator", "")}
        if unit:
            quantity |= {"unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
        return "valueQuantity", present(quantity)
    if kind == "coded" or isinstance(value, str):
        return "valueCodeableConcept", _answer(fact["code"], str(value))
    return {"integer": "valueInteger", "boolean": "valueBoolean"}[kind], value


def _answer(question: str, value: str) -> dict[str, Any]:
    system = _system(value)
    if system is None and question.startswith("io-"):
        return {"coding": [{"system": LOCAL, "code": value}]}
    return {"text": value} if system is None else {"coding": [_coding(system, value)]}


def _condition(fact: Fact) -> dict[str, Any]:
    resource = _statuses(fact, "Condition") | {"code": _coded(fact)}
    for field, element in [("recorded", "recordedDate"), ("abatement", "abatementDateTime")]:
        if field in fact:
            resource[element] = fact[field]
    return resource


def _allergy(fact: Fact) -> dict[str, Any]:
    resource = _statuses(fact, "AllergyIntolerance") | {"code": _coded(fact)}
    resource["criticality"] = fact.get("criticality", "")
    if "severity" in fact or "manifestation" in fact:
        manifestation = _coded({"code": fact.get("manifestation", ""), "text": "Reaction"})
        reaction = {"manifestation": [manifestation], "severity": fact.get("severity", "")}
        resource["reaction"] = [present(reaction)]
    return resource


def _procedure(fact: Fact) -> dict[str, Any]:
    resource = {"status": fact.get("status", "completed"), "code": _coded(fact)}
    for field, element in [("date", "performedDateTime"), ("period", "performedPeriod")]:
        if field in fact:
            resource[element] = fact[field]
    return present(resource)


def _order(fact: Fact) -> dict[str, Any]:
    resource = {
        "status": fact.get("status", "active"),
        "intent": fact.get("intent", "order"),
        "code": _coded(fact),
        "authoredOn": fact.get("recorded", ""),
    }
    for field, element in [("date", "occurrenceDateTime"), ("period", "occurrencePeriod")]:
        if field in fact:
            resource[element] = fact[field]
    return present(resource)


def _statuses(fact: Fact, kind: str) -> dict[str, Any]:
    clinical, verification = STATUS_SYSTEMS[kind]
    return {
        "clinicalStatus": _status(clinical, fact.get("clinical", "active")),
        "verificationStatus": _status(verification, fact.get("verification", "confirmed")),
    }


def _status(system: str, code: str) -> Any:
    url = f"http://terminology.hl7.org/CodeSystem/{system}"
    return {"coding": [{"system": url, "code": code}]} if code else ""


def _coded(fact: Fact) -> dict[str, Any]:
    codings = [{"code": fact["code"], **fact}] if fact.get("code") else []
    codings += fact.get("codings", [])
    concept = {
        "coding": [
            _coding(coding.get("system", _system(coding["code"])), coding["code"], coding)
            for coding in codings
        ],
        "text": fact.get("text", ""),
    }
    return {name: value for name, value in concept.items() if value}


def _coding(system: str | None, code: str, given: Fact | None = None) -> dict[str, Any]:
    display = (given or {}).get("display", _displays().get((system, code), ""))
    return present({"system": system or "", "code": code, "display": display})


def _system(code: str) -> str | None:
    return next((url for form, url in SYSTEMS.items() if re.fullmatch(form, code)), None)


@cache
def _concepts() -> dict[str, dict[str, Any]]:
    return tomllib.loads((Path(__file__).parent / "concepts.toml").read_text(), parse_float=Decimal)


@cache
def _displays() -> dict[tuple[str | None, str], str]:
    with (ROOT / "tools" / "terminology" / "codes.csv").open(newline="") as rows:
        return {(row["system"], row["code"]): row["display"] for row in csv.DictReader(rows)}
