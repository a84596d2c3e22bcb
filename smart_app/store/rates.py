"""How often something was asked for, counted in the database: all workers and hosts share it."""

import math

from sqlalchemy import delete, select

from smart_app.store.database import Database
from smart_app.store.models import RateRow

WINDOW_S = 60
_REMOVED_AT_ONCE = 500


class RateStore(Database):
    """Counts in windows of a minute; the last one fades out over the present one."""

    def take(self, *key: str, most: int) -> int:
        """Count one more for a key, unless there were `most` in the last minute.

        Args:
            key: whom and what to count; kept as a fingerprint.
            most: how many a minute.

        Returns:
            0 when it was counted; otherwise the seconds after which to try again.
        """
        name, now = self._sealer.fingerprint("rate", *key), self._clock_s()
        window, passed = divmod(now, WINDOW_S)
        earlier = self._count(name, int(window) - 1)
        left = most - math.ceil(earlier * (1 - passed / WINDOW_S))
        if left >= 1 and self._take(name, int(window), most=left):
            return 0
        present = self._count(name, int(window))
        return _wait_s(earlier, present, most=most, passed=passed)

    def _count(self, name: str, window: int) -> int:
        query = select(RateRow.count).where(RateRow.key == name, RateRow.window == window)
        with self._transaction() as session:
            return session.scalar(query) or 0

    def _take(self, name: str, window: int, *, most: int) -> bool:
        """Add one in one statement; the first of a window removes what is over."""
        statement = (
            self._insert(RateRow)
            .values(key=name, window=window, count=1, ends_at=(window + 2) * WINDOW_S)
            .on_conflict_do_update(
                index_elements=[RateRow.key, RateRow.window],
                set_={"count": RateRow.count + 1},
                where=RateRow.count < most,
            )
            .returning(RateRow.count)
        )
        with self._transaction() as session:
            count = session.scalar(statement)
        if count == 1:
            self._remove_old()
        return count is not None

    def _remove_old(self) -> None:
        old = select(RateRow.key, RateRow.window).where(RateRow.ends_at <= self._now)
        with self._transaction() as session:
            for key, window in session.execute(old.limit(_REMOVED_AT_ONCE)).all():
                session.execute(delete(RateRow).where(RateRow.key == key, RateRow.window == window))


def _wait_s(earlier: int, present: int, *, most: int, passed: float) -> int:
    """Return the seconds until one more fits, counting that nobody else asks."""
    if present < most:  # The earlier minute must fade far enough.
        return max(math.ceil(WINDOW_S * (1 - (most - present - 1) / max(earlier, 1)) - passed), 1)
    # The present minute must end, and fade by one.
    return max(math.ceil(WINDOW_S - passed + WINDOW_S * (1 - (most - 1) / present)), 1)
