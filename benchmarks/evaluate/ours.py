"""Our evaluator, as a caller of the library uses it."""

import time
from collections.abc import Sequence

from benchmarks.evaluate.engine import Measured
from benchmarks.evaluate.patients import AS_OF
from ivfhir.decision import ProtocolDecision
from ivfhir.evaluate import evaluate
from ivfhir.expressions.values import DateTime
from ivfhir.fhir.json import loads
from ivfhir.knowledge.load import load_protocol
from ivfhir.read import PatientRecord


class OurEvaluator:
    """From JSON text to the decision, in this process."""

    def __init__(self, patients: Sequence[bytes]) -> None:
        """Load the protocol."""
        self._patients = patients
        self._protocol = load_protocol("LUNG")
        self._as_of = DateTime.parse(AS_OF)

    def answers(self) -> list[str]:
        """Return one text for each patient."""
        return [_shown(self._decide(patient)) for patient in self._patients]

    def run_for(self, seconds: float) -> Measured:
        """Decide patients for so long."""
        start = now = time.perf_counter()
        done = 0
        while now < start + seconds:
            self._decide(self._patients[done % len(self._patients)])
            done += 1
            now = time.perf_counter()
        return Measured(done, now - start)

    def _decide(self, patient: bytes) -> ProtocolDecision:
        assert self._as_of is not None
        bundle = loads(patient.decode(), place="the patient")
        assert isinstance(bundle, dict)
        first, *others = (entry["resource"] for entry in bundle["entry"])
        record = PatientRecord(first, tuple(others), {})
        return evaluate(record, [self._protocol], as_of=self._as_of).protocols[0]


def _shown(decision: ProtocolDecision) -> str:
    lists = (decision.failed, decision.unknown, decision.cautions)
    return "|".join([decision.status, *(f"[{', '.join(each)}]" for each in lists)])
