"""What one engine answered, and how fast."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Measured:
    """A run of one engine.

    Args:
        answers: one text for each patient: status, failed, unknown, cautions.
        patients: how many were decided while the clock ran; the same ones come round again.
        seconds: how long the clock ran.
    """

    answers: tuple[str, ...]
    patients: int
    seconds: float

    @property
    def rate(self) -> float:
        """Patients a second."""
        return self.patients / self.seconds


def measure(
    decide: Callable[[bytes], str], patients: Sequence[bytes], *, warm_up_s: float, seconds: float
) -> Measured:
    """Decide patients for some time untimed, then each once for its answer, then timed."""
    _run_for(decide, patients, warm_up_s)
    answers = tuple(decide(patient) for patient in patients)
    start = time.perf_counter()
    done = _run_for(decide, patients, seconds)
    return Measured(answers, done, time.perf_counter() - start)


def _run_for(decide: Callable[[bytes], str], patients: Sequence[bytes], seconds: float) -> int:
    end = time.perf_counter() + seconds
    done = 0
    while time.perf_counter() < end:
        decide(patients[done % len(patients)])
        done += 1
    return done
