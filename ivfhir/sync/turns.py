"""Whose turn it is: a patient of the server has one plan under way, whatever the input calls them.

Two files may name one patient by two identifiers, so their plans stand in two lines. Only the
server tells that they belong together.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Condition


class Turns:
    """The patients of a server of whom a plan is under way; for all threads of a run."""

    def __init__(self) -> None:
        """Nobody's is."""
        self._taken: set[str] = set()
        self._change = Condition()

    def take(self, patient: str) -> bool:
        """Take a patient's turn; return whether it was free."""
        with self._change:
            if patient in self._taken:
                return False
            self._taken.add(patient)
            return True

    def give_back(self, patients: Iterable[str]) -> None:
        """Let others have the turns of patients."""
        with self._change:
            self._taken.difference_update(patients)
            self._change.notify_all()

    @contextmanager
    def wait_for(self, patient: str) -> Iterator[None]:
        """Have a patient's turn, once it is free. Whoever waits must hold no other."""
        with self._change:
            self._change.wait_for(lambda: patient not in self._taken)
            self._taken.add(patient)
        try:
            yield
        finally:
            self.give_back([patient])
