"""What the benchmark asks of an engine."""

from dataclasses import dataclass
from typing import Protocol


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

    def answers(self) -> list[str]:
        """Return one text for each patient: status, failed, unknown, cautions."""
        ...

    def run_for(self, seconds: float) -> Measured:
        """Decide patients for so long, one after the other."""
        ...
