"""What the benchmark asks of an engine."""

from dataclasses import dataclass
from typing import Protocol

Answers = list[tuple[str, ...]]
"""For each patient one text for each protocol, the route last."""


@dataclass(frozen=True)
class Measured:
    """How many patients were decided while the clock ran."""

    patients: int
    seconds: float

    @property
    def rate(self) -> float:
        """Patients a second."""
        return self.patients / self.seconds


class Engine(Protocol):
    """An evaluator that holds the patients; the same ones come round again."""

    def answers(self) -> Answers:
        """Return the answers: status, failed, unknown, cautions, modes."""
        ...

    def run_for(self, seconds: float) -> Measured:
        """Decide patients for so long, one after the other."""
        ...
