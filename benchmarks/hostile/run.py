"""The app in its own processes, a clinician who opens pages, and what was seen."""

import json
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from benchmarks.hostile.cases import Case, cases
from benchmarks.hostile.ehr import CLIENT, HostileEhr, running
from benchmarks.hostile.page_check import scripts_in

LONGEST_S = 5.0
"""What a page may take where one of an honest record takes `HONEST_S`; longer where that does."""
HONEST_S = 0.25
MOST_PACE = 4.0
"""So much longer at most: an app that is slow with every record is no slow machine."""
MOST_MB = 512.0
_PAGES = ("match?read=again", "why/LUNG", "plan/LUNG", "record/Patient/halloran")
_ENDED = 401


@dataclass
class Seen:
    """What was seen over all cases."""

    kinds: Counter[str] = field(default_factory=Counter)
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    not_asked: int = 0
    longest_s: float = 0.0
    most_mb: float = 0.0

    def report(self) -> dict[str, Any]:
        """Return the figures."""
        return {
            "answers": self.kinds.total() - self.not_asked,
            "kinds": dict(sorted(self.kinds.items())),
            "statuses": dict(sorted(self.statuses.items())),
            "longestSeconds": round(self.longest_s, 2),
            "mostMegabytesOfOneWorker": round(self.most_mb),
            "faults": self.faults,
        }


def attack(folder: Path, *, seed: int, count: int, workers: int = 2) -> Seen:
    """Give the app so many hostile answers and return what was seen; `faults` shall be empty.

    Args:
        folder: for the app's database, key and log.
        seed: of the cases.
        count: how many.
        workers: worker processes of the app.
    """
    port = _free_port()
    ehr = HostileEhr(f"http://127.0.0.1:{port}")
    seen = Seen()
    with running(ehr), _app(folder, ehr, port, workers) as process:
        browser = _launch(ehr)
        for case in cases(seed, count, elsewhere=ehr.elsewhere):
            seen.kinds[case.kind] += 1
            ehr.case, ehr.hits = case, 0
            if case.on.startswith("Practitioner"):
                browser = _launch(ehr)
            ended = _open_pages(browser, ehr, case, seen)
            ehr.case = None
            if ehr.strays:
                seen.faults.append(f"{case.name}: a token went to {ehr.strays.pop()}")
            if not ehr.hits and case.on == "metadata":
                seen.not_asked += 1  # After a failing statement it is not asked for at each page.
            elif not ehr.hits:
                seen.faults.append(f"{case.name}: it was never asked for ({case.on})")
            if ended:
                browser = _launch(ehr)
            if process.poll() is not None:
                seen.faults.append(f"{case.name}: the app ended")
                break
        seen.most_mb = max(_peaks_mb(process.pid), default=0.0)
    if seen.most_mb >= MOST_MB:
        seen.faults.append(f"a worker grew to {seen.most_mb:.0f} MB")
    return seen


@dataclass
class _Browser:
    session: requests.Session
    launch_url: str


def _launch(ehr: HostileEhr) -> _Browser:
    session = requests.Session()
    page = session.get(f"{ehr.app_url}/launch?{ehr.launch_query()}", timeout=60)
    found = re.match(r"(.*/l/[^/]+)/", page.url)
    if found is None:
        raise RuntimeError(f"the launch failed: {page.status_code} {page.url} {page.text[-800:]}")
    return _Browser(session, found[1])


def _open_pages(browser: _Browser, ehr: HostileEhr, case: Case, seen: Seen) -> bool:
    """Open each page as a clinician does; tell whether the session ended."""
    ended = False
    for page in _PAGES:
        answer, taken = _timed(browser, page)
        seen.statuses[answer.status_code] += 1
        seen.longest_s = max(seen.longest_s, taken)
        if taken >= LONGEST_S and taken >= LONGEST_S * _pace(ehr):
            seen.faults.append(f"{case.name}: {page} took {taken:.1f} s")
        if answer.status_code == requests.codes.internal_server_error:
            seen.faults.append(f"{case.name} ({case.on}): {page} answered 500")
        seen.faults += [f"{case.name}: {page} holds {each}" for each in scripts_in(answer.text)]
        ended = ended or answer.status_code == _ENDED
    return ended


def _timed(browser: _Browser, page: str) -> tuple[requests.Response, float]:
    """Return a page and the seconds that it took."""
    started = time.monotonic()
    answer = browser.session.get(f"{browser.launch_url}/{page}", timeout=120)
    return answer, time.monotonic() - started


def _pace(ehr: HostileEhr) -> float:
    """Return how much longer than on a machine at rest a page of an honest record takes now."""
    case, ehr.case = ehr.case, None
    browser = _launch(ehr)
    taken = statistics.median(_timed(browser, _PAGES[0])[1] for _ in range(5))
    ehr.case = case
    return min(max(1.0, taken / HONEST_S), MOST_PACE)


@contextmanager
def _app(
    folder: Path, ehr: HostileEhr, port: int, workers: int
) -> Iterator[subprocess.Popen[bytes]]:
    settings = folder / "ivfhir.toml"
    settings.write_text(
        f"""
public_url = "{ehr.app_url}"
port = {port}
database_url = "sqlite:///{folder / "app.sqlite3"}"
key_file = "{folder / "key"}"
workers = {workers}
timeout_s = 3
page_timeout_s = 4
ehr_cache_s = 0
log_level = "error"

[[ehr]]
name = "Hostile"
iss = {json.dumps(ehr.base)}
client_id = "{CLIENT}"
""",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "smart_app.serve", "--config", str(settings)]
    with (folder / "app.log").open("ab") as log:
        process = subprocess.Popen(command, stderr=log, start_new_session=True)
    try:
        _wait_until_up(process, ehr.app_url, folder / "app.log")
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(60)


def _wait_until_up(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    ends_at = time.monotonic() + 60
    while time.monotonic() < ends_at and process.poll() is None:
        try:
            if requests.get(f"{url}/health", timeout=5).ok:
                return
        except requests.RequestException:
            time.sleep(0.1)
    raise RuntimeError(f"the app did not start: {log.read_text(encoding='utf-8')[-2000:]}")


def _peaks_mb(parent: int) -> list[float]:
    """Return the largest size that each worker ever had (Linux)."""
    peaks = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except (OSError, ValueError):
            continue
        if lines.get("PPid", "").strip() == str(parent) and "VmHWM" in lines:
            peaks.append(int(lines["VmHWM"].split()[0]) / 1024)
    return peaks


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
