"""How much a server may answer: one that is broken or hostile must not take the caller down."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from ivfhir.errors import BadAnswerError, IncompleteError, UnreachableError

MEBIBYTE = 1 << 20


@dataclass(frozen=True)
class Limits:
    """What is taken from a server at most; the defaults suit a command line on a trusted server.

    Attributes:
        total_s: seconds for all answers together, from the first request on; None for no end.
        answer_bytes: size of one answer, after decompression.
        total_bytes: size of all answers together.
        values: how many objects, lists and members all answers may hold together: each takes up
            to a hundred times the memory of its text.
        pages: pages of search results, over all searches.
        entries: entries of search results, over all searches.
    """

    total_s: float | None = None
    answer_bytes: int = 128 * MEBIBYTE
    total_bytes: int = 1024 * MEBIBYTE
    values: int = 50_000_000
    pages: int = 10_000
    entries: int = 1_000_000


class Allowance:
    """What is left of the limits; every answer uses some of it up."""

    def __init__(
        self, limits: Limits, *, monotonic_s: Callable[[], float] = time.monotonic
    ) -> None:
        """Begin with all of it; the time runs from the first look at it."""
        self.limits = limits
        self._monotonic_s = monotonic_s
        self._ends_at: float | None = None
        self._bytes, self._values = limits.total_bytes, limits.values
        self._pages, self._entries = limits.pages, limits.entries

    def left_s(self, what: str) -> float | None:
        """Return the seconds that are left, None where there is no end.

        Raises:
            UnreachableError: none is left; `what` says what was asked for.
        """
        total_s = self.limits.total_s
        if total_s is None:
            return None
        now = self._monotonic_s()
        if self._ends_at is None:
            self._ends_at = now + total_s
        left_s = self._ends_at - now
        if left_s <= 0:
            raise UnreachableError(
                f"The server took longer than the {total_s:g} s that all its answers together may "
                f"take (asked for {what}); try again."
            )
        return left_s

    def left_bytes(self) -> int:
        """Return the size that the next answer may have."""
        return min(self.limits.answer_bytes, self._bytes)

    def use_bytes(self, size: int) -> None:
        """Count an answer."""
        self._bytes = max(0, self._bytes - size)

    def use_values(self, values: int, what: str) -> None:
        """Count what an answer holds, before it is taken apart.

        Raises:
            BadAnswerError: it is more than is left; `what` says what was asked for.
        """
        if values > self._values:
            raise BadAnswerError(
                f"The server's answers (asked for {what}) hold more than the {self.limits.values} "
                "values that are read of a record."
            )
        self._values -= values

    def use_page(self, entries: int, resource_type: str) -> None:
        """Count a page of search results.

        Raises:
            IncompleteError: it is one page, or one entry, too many.
        """
        self._pages -= 1
        self._entries -= entries
        if self._pages < 0 or self._entries < 0:
            limit = (
                f"{self.limits.pages} pages"
                if self._pages < 0
                else f"{self.limits.entries} entries"
            )
            raise IncompleteError(
                f"The search for {resource_type} goes beyond the {limit} that are read of a "
                "record; what was read is not all, so none of it counts."
            )
