"""A decision as text: what could not be read, what does not apply, whom nothing can help."""

from dataclasses import replace

import pytest

from ivfhir.cli.text import decision_text
from ivfhir.evaluate import evaluate
from ivfhir.expressions.values import DateTime
from ivfhir.knowledge.load import ClinicalProtocol, load_protocol
from ivfhir.read import PatientRecord

CANCER = {
    "resourceType": "Condition",
    "id": "cancer",
    "clinicalStatus": {
        "coding": [
            {
                "system": "http://terminology.hl7.org/CodeSystem/condition-clinical",
                "code": "active",
            }
        ]
    },
    "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "C34.11"}]},
    "subject": {"reference": "Patient/p"},
}
ALIVE = PatientRecord(
    {"resourceType": "Patient", "id": "p", "gender": "male", "birthDate": "1962-05-14"},
    (CANCER,),
    {},
)


@pytest.fixture(scope="module")
def lung() -> ClinicalProtocol:
    return load_protocol("LUNG")


def _text(lung: ClinicalProtocol, record: PatientRecord) -> str:
    as_of = DateTime.parse("2025-03-03T23:59:59.999+00:00")
    assert as_of is not None
    return decision_text(evaluate(record, [lung], as_of=as_of), [lung])


def _section(text: str, heading: str) -> str:
    """Return what stands below a heading of two blanks, to the next one."""
    lines = text.split("\n")
    start = next(n for n, line in enumerate(lines) if line.startswith(f"  {heading}: "))
    rest = [n for n, line in enumerate(lines) if n > start and line[2:3].strip()]
    return "\n".join(lines[start : rest[0] if rest else None])


def test_an_unread_type_is_told_apart_from_what_is_missing(lung: ClinicalProtocol) -> None:
    unread = {"Observation": "Observation could not be read to its end: busy."}
    text = _text(lung, replace(ALIVE, unread=unread))
    unjudged = _section(text, "Could not be read")
    assert "Severe bleeding tendency" in unjudged
    assert "Could not be read, nothing judged from it: results and measurements" in unjudged
    assert "To obtain" not in unjudged
    missing = _section(text, "Missing")
    assert "To obtain: allergy entry (an entry in the allergy list, or" in missing
    assert "contrast-allergy" not in text
    assert "X-BLEED" not in missing


def test_what_does_not_apply_is_not_called_a_block(lung: ClinicalProtocol) -> None:
    hypertension = {
        **CANCER,
        "code": {"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "I10"}]},
    }
    text = _text(lung, replace(ALIVE, resources=(hypertension,)))
    assert "Does not apply: " in text
    assert "LUNG-I01" in _section(text, "Why it does not apply")
    assert "Blocks" not in text
    assert "To obtain" not in text


def test_nothing_is_to_be_obtained_of_the_dead(lung: ClinicalProtocol) -> None:
    text = _text(lung, replace(ALIVE, patient={**ALIVE.patient, "deceasedBoolean": True}))
    assert "Recorded as died. No plan can be made." in text
    assert "To obtain" not in text
