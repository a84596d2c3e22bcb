"""A visit: one clinician with one patient, and the record as it was read for them."""

from dataclasses import dataclass

from smart_app.smart.launch import Launch
from smart_app.visit.reading import Reading, Readings, read_now


@dataclass(frozen=True)
class Visit:
    """A launch with its reading.

    Attributes:
        launch: who, which patient, which rights.
        readings: where readings are kept.
    """

    launch: Launch
    readings: Readings

    def reading(self) -> Reading:
        """Return the record as it was read in the last minutes, read now when it was not."""
        return self.readings.of(self.launch, self._read)

    def read_anew(self) -> Reading:
        """Read the record now, whatever is kept, and keep it."""
        return self.readings.renew(self.launch, self._read)

    def forget_reading(self) -> None:
        """Let the next page read anew."""
        self.readings.drop(self.launch)

    def _read(self) -> Reading:
        return read_now(self.launch)
