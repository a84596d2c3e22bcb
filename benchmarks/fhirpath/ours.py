"""Our engine, measured as the peers are."""

import time
from statistics import median
from typing import Any

from ivfhir.expressions.fhirpath import FhirPath, compile_fhirpath, to_json
from ivfhir.fhir.json import loads

COMPILES = 20


class Ours:
    """Our engine on these patients and conditions.

    Attributes:
        compile_ms: milliseconds to compile one condition, the median of some rounds.
    """

    def __init__(self, patients: list[bytes], conditions: list[str]) -> None:
        """Read the patients and compile the conditions."""
        self._patients = [loads(text.decode(), place="patient") for text in patients]
        rounds = []
        for _ in range(COMPILES):
            began = time.perf_counter()
            self._compiled: list[FhirPath] = [compile_fhirpath(text) for text in conditions]
            rounds.append(time.perf_counter() - began)
        self.compile_ms = median(rounds) * 1000 / len(conditions)

    @property
    def answers(self) -> list[list[Any]]:
        """For each patient, for each condition, what it gives."""
        return [
            [[to_json(item) for item in each.evaluate(patient)] for each in self._compiled]
            for patient in self._patients
        ]

    def run_for(self, seconds: float) -> float:
        """Return the patients a second, all conditions each, over so many seconds."""
        start, count = time.perf_counter(), 0
        while time.perf_counter() - start < seconds:
            patient = self._patients[count % len(self._patients)]
            for condition in self._compiled:
                condition.evaluate(patient)
            count += 1
        return count / (time.perf_counter() - start)
