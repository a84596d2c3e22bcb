"""Invented records, and what the shared facts say of them, before any protocol asks.

The evaluation is at the end of 3 March 2025 UTC.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from ivfhir.choices import with_single_choices
from ivfhir.expressions.index import ResourceIndex
from ivfhir.expressions.values import DateTime
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.load import ClinicalProtocol, load_protocol
from ivfhir.knowledge.package import SHARED, knowledge_root, read_json
from tests.cases.facts import to_resource

ICD = "http://hl7.org/fhir/sid/icd-10-cm"
TODAY = "2025-03-03"
HYPERTENSION = {"key": "condition", "code": "I10"}
HYPERTENSION_IN_SNOMED = {"key": "condition", "code": "38341003"}
EXTENDED = {"modifierExtension": [{"url": "http://example.org/not", "valueBoolean": True}]}


@cache
def _protocol() -> ClinicalProtocol:
    return load_protocol("LUNG")


@cache
def _value_sets() -> Mapping[str, frozenset[tuple[str, str]]]:
    """Return every shared value set: a protocol's own program holds those that it uses."""
    found = map(read_json, sorted((knowledge_root() / SHARED).glob("ValueSet-*.json")))
    return {
        each["url"]: frozenset(
            (code["system"], code["code"]) for code in each["expansion"]["contains"]
        )
        for each in found
    }


def fact(define: str, *given: Mapping[str, Any]) -> Any:
    """Return what a define of IOFacts gives for a record.

    Args:
        define: its name.
        given: facts as in a case.toml; an Observation without a date is of 28 February 2025.
    """
    index = ResourceIndex({"resourceType": "Patient", "id": "p"}, records(*given), _value_sets())
    as_of = DateTime.parse(f"{TODAY}T23:59:59.999+00:00")
    session = _protocol().library.session(index, parameters={"AsOf": as_of})
    return session.value(define, _protocol().facts)


def records(*given: Mapping[str, Any]) -> list[Resource]:
    """Return the resources of the given facts."""
    dated = [
        each
        if {"date", "period", "instant"} & each.keys() or each["key"] in UNDATED
        else {"date": "2025-02-28", **each}
        for each in given
    ]
    return [
        with_single_choices(to_resource(each, patient_id="p", resource_id=f"r{number}"))
        for number, each in enumerate(dated, 1)
    ]


UNDATED = {"radiotherapy", "radiotherapy-order", "biliary-instrumentation", "procedure", "order"}


def truth(define: str, *given: Mapping[str, Any]) -> Any:
    """Return whether a fact is present."""
    return fact(define, *given)["present"]


def span(define: str, *given: Mapping[str, Any]) -> tuple[Any, Any] | None:
    """Return a fact's interval, None when it is missing."""
    found = fact(define, *given)
    return (found["low"], found["high"]) if found["known"] else None


def exactly(number: str) -> tuple[Decimal, Decimal]:
    """Return the interval of one number."""
    return Decimal(number), Decimal(number)


def evidence(define: str, *given: Mapping[str, Any]) -> list[str]:
    """Return the references that a fact rests on."""
    return [each["reference"] for each in fact(define, *given)["evidence"]]


def condition(code: str = "", **more: Any) -> dict[str, Any]:
    """Return an entry of the problem list; ICD-10-CM may be written in any way."""
    system = {"system": ICD} if code[:1].isalpha() else {}
    return {"key": "condition", "code": code, **system, **more}


def text(words: str, **more: Any) -> dict[str, Any]:
    """Return an entry of the problem list without a code."""
    return {"key": "condition", "text": words, **more}


def observed(key: str, value: Any, date: str = "2025-02-28", **more: Any) -> dict[str, Any]:
    number = Decimal(value) if isinstance(value, str) and value[:1].isdigit() else value
    return {"key": key, "value": number, "date": date, **more}
