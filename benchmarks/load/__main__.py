"""`python -m benchmarks.load`: clinicians at work on two workers, and what their pages cost.

The app runs as `ivfhir serve` does, behind the simulated EHR, in front of a FHIR server that
answers in 50 ms. A page's time is measured from outside; the time in which the FHIR server worked
for its patient is taken off.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from pathlib import Path

import requests

from benchmarks.load.clinician import Clinician, Seen
from benchmarks.load.figures import Interval, beyond_reads_ms, growth, summary
from benchmarks.load.memory import workers_mb
from benchmarks.load.parts import Parts, running_parts

_SAMPLES = 100
"""How often memory is looked at during a run."""


def main(arguments: list[str] | None = None) -> int:
    """Run until enough pages were seen; print the report; return 1 when a page failed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    parser.add_argument("--clinicians", type=int, default=200, help="at work at once (200)")
    parser.add_argument("--pages", type=int, default=20_000, help="pages in all (20000)")
    parser.add_argument(
        "--pace", type=float, nargs=2, default=(10, 20), metavar="S", help="(10 20)"
    )
    parser.add_argument("--database", default="", help="SQLAlchemy URL; SQLite in a folder")
    options = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_parts(Path(folder), options.database) as parts,
    ):
        run = Run(parts, options.pages)
        started = time.monotonic()
        run.go(options.clinicians, (options.pace[0], options.pace[1]))
        seconds = time.monotonic() - started
        report = run.report() | {"clinicians": options.clinicians, "seconds": round(seconds)}
    print(json.dumps(report, indent=2))
    return 1 if run.errors else 0


class Run:
    """One run: pages and samples of memory as they come."""

    def __init__(self, parts: Parts, pages: int) -> None:
        """Stop after so many pages."""
        self._parts, self._wanted = parts, pages
        self._seen: list[Seen] = []
        self._memory_mb: list[float] = []
        self._stop = threading.Event()
        self._lock = threading.Lock()

    def go(self, clinicians: int, pace_s: tuple[float, float]) -> None:
        """Let the clinicians work until it is enough."""
        team = [
            Clinician(n, self._parts.ehr_url, self._parts.app_url, pace_s, self._note, self._stop)
            for n in range(clinicians)
        ]
        threads = [threading.Thread(target=each.work) for each in team]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    @property
    def errors(self) -> int:
        """How many pages did not come as they should."""
        return sum(not seen.ok for seen in self._seen)

    def report(self) -> dict[str, object]:
        """Return the figures."""
        busy: defaultdict[str, list[Interval]] = defaultdict(list)
        for patient in {seen.patient for seen in self._seen}:
            asked = requests.get(f"{self._parts.fhir_url}/busy/{patient}", timeout=60)
            busy[patient] = [(start, end) for start, end in asked.json()]
        rows = [(seen, beyond_reads_ms(seen, busy[seen.patient])) for seen in self._seen]
        return {
            "benchmark": "pages beyond their FHIR reads, two workers, FHIR in 50 ms",
            "pages": summary(rows),
            "memoryMb": [round(each) for each in self._memory_mb[:: max(1, _SAMPLES // 20)]],
            "memoryGrowth": round(growth(self._memory_mb), 3),
        }

    def _note(self, seen: Seen) -> None:
        with self._lock:
            self._seen.append(seen)
            done = len(self._seen)
            if done % max(1, self._wanted // _SAMPLES) == 0:
                self._memory_mb.append(workers_mb(self._parts.app_pid))
            if done >= self._wanted:
                self._stop.set()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except subprocess.SubprocessError as error:
        sys.exit(f"A part did not start: {error}")
