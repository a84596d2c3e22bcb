"""Our evaluator, as a caller of the library uses it."""

from collections.abc import Sequence

from benchmarks.evaluate.patients import AS_OF
from benchmarks.evaluate.timing import Measured, measure
from ivfhir.evaluate import evaluate
from ivfhir.expressions.values import DateTime
from ivfhir.fhir.json import loads
from ivfhir.knowledge.load import ClinicalProtocol, load_protocol
from ivfhir.read import PatientRecord


def run(patients: Sequence[bytes], *, warm_up_s: float, seconds: float) -> Measured:
    """Measure our evaluator."""
    protocol = load_protocol("LUNG")
    as_of = DateTime.parse(AS_OF)
    assert as_of is not None
    return measure(
        lambda patient: _decide(patient, protocol, as_of),
        patients,
        warm_up_s=warm_up_s,
        seconds=seconds,
    )


def _decide(patient: bytes, protocol: ClinicalProtocol, as_of: DateTime) -> str:
    bundle = loads(patient.decode(), place="the patient")
    assert isinstance(bundle, dict)
    first, *others = (entry["resource"] for entry in bundle["entry"])
    record = PatientRecord(first, tuple(others), {})
    [decision] = evaluate(record, [protocol], as_of=as_of).protocols
    lists = (decision.failed, decision.unknown, decision.cautions)
    return "|".join([decision.status, *(f"[{', '.join(each)}]" for each in lists)])
