"""One clinician: opens a patient, reads, plans, opens the next; a page every few seconds."""

import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import requests

PAGES = ("why/LUNG", "match", "plan/LUNG", "record/Patient/{}", "why/LUNG", "plan/LUNG", "match")
"""What a clinician opens of a patient (`{}`), after the launch has shown the first page."""

_TIMEOUT_S = 60


@dataclass(frozen=True)
class Seen:
    """One page.

    Attributes:
        kind: `launch` or the page's name.
        started_s: the machine's monotonic clock.
        app_s: seconds that the app took, all hops of a launch together, without the EHR's.
        ok: whether it was the page that was wanted.
        patient: the patient's id.
    """

    kind: str
    started_s: float
    app_s: float
    ok: bool
    patient: str

    @property
    def ended_s(self) -> float:
        """When it was there, by the same clock."""
        return self.started_s + self.app_s


@dataclass
class Clinician:
    """A browser without script.

    Args:
        number: tells clinicians apart, and seeds their pace.
        ehr_url: the simulated EHR.
        app_url: the app.
        pace_s: shortest and longest time from page to page.
        note: takes each page that was seen.
        stop: set when it is enough.
    """

    number: int
    ehr_url: str
    app_url: str
    pace_s: tuple[float, float]
    note: Callable[[Seen], None]
    stop: threading.Event
    browser: requests.Session = field(default_factory=requests.Session)

    def work(self) -> None:
        """Open patient after patient until it is enough."""
        pace = random.Random(self.number)  # noqa: S311 - a pace is no secret
        self.stop.wait(pace.uniform(0, self.pace_s[1]))
        for seen in self._pages():
            self.note(seen)
            if self.stop.wait(max(0, pace.uniform(*self.pace_s) - seen.app_s)):
                return

    def _pages(self) -> Iterator[Seen]:
        visit = 0
        while True:
            visit += 1
            patient = f"load-{self.number}-{visit}"
            seen, base = self._get("launch", f"{self.ehr_url}/open/{patient}", patient)
            yield seen
            for page in PAGES if seen.ok else ():
                yield self._get(page, f"{base}/{page.format(patient)}", patient)[0]

    def _get(self, kind: str, url: str, patient: str) -> tuple[Seen, str]:
        """Open a page; return what was seen and the address of the launch."""
        started = time.monotonic()
        try:
            answer = self.browser.get(url, timeout=_TIMEOUT_S)
        except requests.RequestException:
            return Seen(kind, started, time.monotonic() - started, ok=False, patient=patient), ""
        hops = [*answer.history, answer]
        taken = sum(h.elapsed.total_seconds() for h in hops if h.url.startswith(self.app_url))
        launch = re.match(rf"{re.escape(self.app_url)}/l/\w+", answer.url)
        ok = answer.ok and launch is not None and "<h1" in answer.text
        # The app's hops are the end of a launch: its time is counted back from the last of them.
        started = time.monotonic() - taken if kind == "launch" else started
        return Seen(kind, started, taken, ok, patient), launch[0] if launch else ""
