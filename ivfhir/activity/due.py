"""When a request is due: its day, and the window around it."""

from typing import NamedTuple

from ivfhir.fhir.types import Resource


class Due(NamedTuple):
    """Whole days as FHIR dates; None where the request says nothing.

    Attributes:
        day: the planned day.
        earliest: first day of the window.
        latest: last day of the window.
    """

    day: str | None
    earliest: str | None
    latest: str | None

    @property
    def last(self) -> str | None:
        """The planned day; without one the last day of the window."""
        return self.day or self.latest


def due_of(request: Resource, action: Resource | None = None) -> Due:
    """Return when a request of any kind is due, read from the element its kind uses.

    ServiceRequest: occurrenceTiming; MedicationRequest: the first dosage's timing;
    CommunicationRequest: occurrencePeriod; Task: executionPeriod. These two have room for the
    window only: their planned day is the action's timingDateTime.

    Args:
        request: as a plan drafts it.
        action: of the RequestGroup that asks for it.
    """
    dosage: Resource = next(iter(request.get("dosageInstruction", [])), {})
    timing: Resource = request.get("occurrenceTiming") or dosage.get("timing") or {}
    period: Resource = (
        timing.get("repeat", {}).get("boundsPeriod")
        or request.get("occurrencePeriod")
        or request.get("executionPeriod")
        or {}
    )
    planned = (action or {}).get("timingDateTime")
    day = next(iter(timing.get("event", [])), request.get("occurrenceDateTime", planned))
    return Due(day, period.get("start"), period.get("end"))
