"""Our evaluator, as a caller of the library uses it."""

import time
from collections.abc import Sequence

from benchmarks.evaluate.engine import Measured
from benchmarks.evaluate.patients import AS_OF
from ivfhir.decision import ProtocolDecision
from ivfhir.evaluate import evaluate
from ivfhir.expressions.values import DateTime
from ivfhir.fhir.json import loads
from ivfhir.knowledge.load import load_asked
from ivfhir.read import PatientRecord


class OurEvaluator:
    """From JSON text to the decision, in this process."""

    def __init__(self, patients: Sequence[bytes], beside: Sequence[str] = ()) -> None:
        """Load LUNG, and the protocols of some folders beside it."""
        self._patients = patients
        self._protocols = load_asked(["LUNG", *beside])
        self._as_of = DateTime.parse(AS_OF)

    def answers(self) -> list[str]:
        """Return one text for each patient."""
        return [_shown(self._decide(patient)[0]) for patient in self._patients]

    def all_agree(self) -> bool:
        """Return whether every protocol decides every patient as the first one does."""
        return all(
            len(decisions) == len(self._protocols) and len(set(map(_shown, decisions))) == 1
            for decisions in map(self._decide, self._patients)
        )

    def run_for(self, seconds: float) -> Measured:
        """Decide patients for so long."""
        start = now = time.perf_counter()
        done = 0
        while now < start + seconds:
            self._decide(self._patients[done % len(self._patients)])
            done += 1
            now = time.perf_counter()
        return Measured(done, now - start)

    def _decide(self, patient: bytes) -> list[ProtocolDecision]:
        assert self._as_of is not None
        bundle = loads(patient.decode(), place="the patient")
        assert isinstance(bundle, dict)
        first, *others = (entry["resource"] for entry in bundle["entry"])
        record = PatientRecord(first, tuple(others), {})
        return evaluate(record, self._protocols, as_of=self._as_of).answered


def _shown(decision: ProtocolDecision) -> str:
    lists = (decision.failed, decision.unknown, decision.cautions)
    text = "|".join([decision.status, *(f"[{', '.join(each)}]" for each in lists)])
    return text.replace(decision.id, "LUNG")
