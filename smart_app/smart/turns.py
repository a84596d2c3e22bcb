"""Whose turn it is to wait for an EHR: one that is slow must not hold every thread of a worker.

A request takes a turn before its first call to an EHR and gives it back at its end. Some threads
are always left: for requests that need no EHR, and for those that need another one.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from ivfhir.errors import BusyError

WAIT_S = 3.0
"""Seconds for which a request waits for its turn."""

RETRY_S = 5.0


@dataclass(frozen=True)
class Shares:
    """How many requests of one process may wait for EHRs.

    Attributes:
        calling: requests that call one EHR at the same time.
        waiting: requests that wait for a turn with one EHR.
        overall: both, of all EHRs together.
    """

    calling: int
    waiting: int
    overall: int


def shares_of(threads: int, *, calling: int = 0) -> Shares:
    """Return the shares that leave threads free.

    Args:
        threads: threads of the process.
        calling: what the operator set; 0 for half of the threads.
    """
    overall = max(1, threads - 1)
    calling = min(calling or max(1, threads // 2), overall)
    return Shares(calling, min(threads // 8, overall - calling), overall)


class Turns:
    """The turns of one process; safe for use by many threads."""

    def __init__(
        self,
        shares: Shares,
        *,
        wait_s: float = WAIT_S,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin with every turn free."""
        self._shares = shares
        self._wait_s = wait_s
        self._monotonic_s = monotonic_s
        self._free = threading.Condition()
        self._calling: Counter[str] = Counter()
        self._waiting: Counter[str] = Counter()

    def take(self, ehr: str) -> "Turn":
        """Return a turn with the EHR, waiting a little for it.

        Raises:
            BusyError: there is none.
        """
        with self._free:
            if not self._may_call(ehr):
                self._wait_for(ehr)
            self._calling[ehr] += 1
        return Turn(self, ehr)

    def give_back(self, ehr: str) -> None:
        """Let the next one have its turn."""
        with self._free:
            self._calling[ehr] -= 1
            if not self._calling[ehr]:
                del self._calling[ehr]
            self._free.notify_all()

    def _wait_for(self, ehr: str) -> None:
        if self._waiting[ehr] >= self._shares.waiting or self._held() >= self._shares.overall:
            raise _busy()
        ends_at = self._monotonic_s() + self._wait_s
        self._waiting[ehr] += 1
        try:
            while self._calling[ehr] >= self._shares.calling:
                if not self._free.wait(ends_at - self._monotonic_s()):
                    raise _busy()
        finally:
            self._waiting[ehr] -= 1

    def _may_call(self, ehr: str) -> bool:
        return (
            self._calling[ehr] < self._shares.calling
            and not self._waiting[ehr]
            and self._held() < self._shares.overall
        )

    def _held(self) -> int:
        return self._calling.total() + self._waiting.total()


class Turn:
    """One turn, given back once."""

    def __init__(self, turns: Turns, ehr: str) -> None:
        """Remember whose it is."""
        self._turns: Turns | None = turns
        self._ehr = ehr

    def give_back(self) -> None:
        """Give the turn back; a second time does nothing."""
        turns, self._turns = self._turns, None
        if turns is not None:
            turns.give_back(self._ehr)


def _busy() -> BusyError:
    return BusyError(
        "So many requests wait for the EHR that this one was not sent. Wait a few seconds and try "
        "again; if it stays so, the EHR is slow: tell your EHR administrator.",
        retry_after_s=RETRY_S,
    )
