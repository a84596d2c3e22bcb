"""Plans of many patients in lines: one line a patient, of which one plan at a time is under way."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from threading import Condition

from ivfhir.fhir.types import Resource
from ivfhir.sync.plans import SyncPlan, Token


@dataclass
class Line:
    """A patient's plans on a server, the earlier first.

    Attributes:
        plans: those that are not done.
        parked: those of before that could not be sent.
        coming: in a dry run, the open plans that would be there by now.
        gone: in a dry run, references of plans that would have ended by now.
        arrived: in a dry run, identifiers of the plans that would be there by now.
    """

    plans: deque[SyncPlan]
    parked: list[SyncPlan] = field(default_factory=list)
    coming: list[Resource] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    arrived: set[Token] = field(default_factory=set)

    @property
    def plan(self) -> SyncPlan:
        """The one that is next, or under way."""
        return self.plans[0]


class Lines:
    """The lines of a run, shared by its threads.

    The last ones are half as many as the others: nothing else goes on while these are read back.

    Args:
        plans: all plans, a patient's earlier ones first.
        most: how many lines are taken at once.
        trial: how many of many lines are taken and given back before any other.
    """

    def __init__(self, plans: Iterable[SyncPlan], *, most: int, trial: int = 0) -> None:
        """Sort plans into lines."""
        by_patient: dict[str, Line] = {}
        for plan in plans:
            by_patient.setdefault(plan.patient, Line(deque())).plans.append(plan)
        self._waiting = deque(by_patient.values())
        self._taken = 0
        self._trial = trial if len(self._waiting) > 4 * trial else 0
        lines = len(self._waiting) - self._trial
        groups = max(2, -(-(2 * lines + most) // (2 * most)))
        self._most = max(1, 2 * lines // (2 * groups - 1))
        self._change = Condition()

    def take(self) -> list[Line]:
        """Return the lines whose next plans are to be sent now; none when all is done.

        Waits while others have all that is left.
        """
        with self._change:
            while self._taken and (self._trial or not self._waiting):
                self._change.wait()
            count = min(self._trial or self._most, len(self._waiting))
            taken = [self._waiting.popleft() for _ in range(count)]
            self._taken += len(taken)
            return taken

    def give_back(self, lines: Iterable[Line]) -> None:
        """Take the plans that were under way off their lines."""
        with self._change:
            for line in lines:
                line.plans.popleft()
                self._taken -= 1
                if line.plans:
                    self._waiting.append(line)
            self._trial = 0
            self._change.notify_all()
