"""The gates and stop rules of LUNG: three-valued, and never open for want of data."""

import pytest

from ivfhir.evaluate import Evaluation, evaluate_protocol
from ivfhir.expressions.values import DateTime
from ivfhir.knowledge.load import ClinicalProtocol, load_protocol
from ivfhir.read import PatientRecord
from tests.ivfhir.gate_patients import (
    AS_OF,
    PATIENTS,
    GatePatient,
)
from tests.ivfhir.twisted_gate_patients import TWISTED


@pytest.fixture(scope="module")
def lung() -> ClinicalProtocol:
    return load_protocol("LUNG")


def evaluated(
    lung: ClinicalProtocol, patient: GatePatient, unread: dict[str, str] | None = None
) -> Evaluation:
    subject, *others = patient.resources()
    kept = [each for each in others if each["resourceType"] not in (unread or {})]
    as_of = DateTime.parse(AS_OF)
    assert as_of is not None
    return evaluate_protocol(lung, PatientRecord(subject, tuple(kept), unread or {}), as_of=as_of)


def answers(lung: ClinicalProtocol, patient: GatePatient) -> dict[str, object]:
    session = evaluated(lung, patient).session
    return {name: session.value(f"LUNG_{name}") for name in patient.expected}


@pytest.mark.parametrize("patient", [*PATIENTS, *TWISTED], ids=str)
def test_a_gate_answers_as_worked_out_by_hand(lung: ClinicalProtocol, patient: GatePatient) -> None:
    assert answers(lung, patient) == patient.expected


@pytest.mark.parametrize("unread", ["Condition", "Observation", "AllergyIntolerance"])
def test_a_failed_search_leaves_the_stop_for_contraindications_undecided(
    lung: ClinicalProtocol, unread: str
) -> None:
    session = evaluated(lung, GatePatient("unread", {}), {unread: "The server failed."}).session
    assert session.value("LUNG_S05") is None


def test_facts_of_the_angiography_never_enter_eligibility(lung: ClinicalProtocol) -> None:
    """E-12: what only angiography shows is deferred."""
    decisions = {
        str(evaluated(lung, patient).decision.to_json())
        for patient in PATIENTS
        if patient.changes
        and not patient.without
        and all("component" in change for change in patient.changes)
    }
    nothing = str(evaluated(lung, GatePatient("no angiography", {})).decision.to_json())
    assert decisions == {nothing}
