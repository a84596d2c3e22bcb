"""The gates and stop rules on an independent engine: the CQL means there what it means here."""

import pytest

from tests.ivfhir.gate_patients import (
    AS_OF,
    PATIENTS,
    GatePatient,
)
from tests.ivfhir.twisted_gate_patients import TWISTED
from tests.servers.hapi_client import evaluate_on_hapi

pytestmark = pytest.mark.server


@pytest.mark.parametrize("patient", [*PATIENTS, *TWISTED], ids=str)
def test_hapi_answers_a_gate_as_worked_out_by_hand(
    patient: GatePatient, hapi_with_knowledge: str
) -> None:
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": resource} for resource in patient.resources()],
    }
    parameters = {"AsOf": {"valueDateTime": AS_OF}}
    values = evaluate_on_hapi(hapi_with_knowledge, "LUNG", bundle, parameters)
    found = {name: values[f"LUNG_{name}"] for name in patient.expected}
    assert found == patient.expected
