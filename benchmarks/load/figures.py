"""What a run showed: times beyond the EHR's reads, errors, memory."""

from collections.abc import Iterable, Sequence
from itertools import groupby
from statistics import mean, quantiles

from benchmarks.load.clinician import Seen

Interval = tuple[float, float]


def beyond_reads_ms(seen: Seen, busy: Iterable[Interval]) -> float:
    """Return the milliseconds of a page in which the EHR was not working for its patient.

    Args:
        seen: the page.
        busy: when the FHIR server worked for the patient; the intervals may overlap.
    """
    covered, until = 0.0, seen.started_s
    for interval in sorted(busy):
        start, end = max(interval[0], until), min(interval[1], seen.ended_s)
        if end > start:
            covered, until = covered + end - start, end
    return (seen.app_s - covered) * 1000


def summary(rows: Sequence[tuple[Seen, float]]) -> dict[str, dict[str, float]]:
    """Return count, errors and percentiles (ms beyond the reads) of each kind of page, and of all.

    Args:
        rows: each page with its time beyond the reads.
    """
    by_kind = sorted(rows, key=lambda row: row[0].kind)
    groups = {kind: list(each) for kind, each in groupby(by_kind, key=lambda row: row[0].kind)}
    return {kind: _figures(each) for kind, each in {"all": list(rows), **groups}.items()}


def _figures(rows: Sequence[tuple[Seen, float]]) -> dict[str, float]:
    times = [time for seen, time in rows if seen.ok]
    cuts = quantiles(times, n=100, method="inclusive") if len(times) > 1 else [0.0] * 99
    return {
        "pages": len(rows),
        "errors": sum(not seen.ok for seen, _ in rows),
        "p50Ms": round(cuts[49], 1),
        "p95Ms": round(cuts[94], 1),
        "p99Ms": round(cuts[98], 1),
    }


def growth(samples_mb: Sequence[float]) -> float:
    """Return how much more the last quarter held than the second one: 0.02 for 2 %.

    The first quarter fills caches; a leak goes on after it.
    """
    quarter = len(samples_mb) // 4
    if not quarter:
        return 0.0
    early, late = samples_mb[quarter : 2 * quarter], samples_mb[-quarter:]
    return mean(late) / mean(early) - 1
