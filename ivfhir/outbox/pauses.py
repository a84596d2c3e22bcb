"""How long to wait after a failure: twice as long each time, up to a bound."""

from collections.abc import Callable


def _no_chance() -> float:
    return 1.0


def growing_pause_s(
    failures: int, *, first_s: float, longest_s: float, random: Callable[[], float] = _no_chance
) -> float:
    """Return the seconds to wait after so many failures in a row.

    Args:
        failures: how many there were, from 1.
        first_s: after the first one, at most.
        longest_s: after any, at most.
        random: returns a number from 0 to below 1, so that two that failed together do not come
            back together: the pause is between half and all of it. Without it, all.
    """
    doubled_s: float = first_s * 2.0 ** min(max(failures - 1, 0), 30)
    return min(longest_s, doubled_s) * (0.5 + random() / 2)
