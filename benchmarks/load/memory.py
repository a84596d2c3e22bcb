"""Memory of the app's worker processes, as Linux counts it."""

from pathlib import Path


def workers_mb(parent: int) -> float:
    """Return the megabytes of a process's children; what they share is counted in parts (PSS)."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return sum(map(_proportional_kb, children)) / 1024


def _proportional_kb(pid: str) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0  # It ended meanwhile.
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
