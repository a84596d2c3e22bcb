"""The app is killed in the middle of a write: the draft is found again, and there is one plan."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import text

from ivfhir.servers.http import HttpRepository
from smart_app.fake_ehr import Client, FakeEhrSettings, create_fake_ehr, fhir_proxy
from smart_app.fake_ehr.faults import Fault, Faults
from smart_app.fake_ehr.grants import Grants
from smart_app.fake_ehr.sample_patients import load_samples
from smart_app.local_server import listen, serving
from smart_app.store.engine import make_engine
from tests.forked_commands import Commands, Running
from tests.smart_app.over_http import ONE_PLAN, HttpClinician, csrf_token, stored_counts

COMMAND = [sys.executable, "-m", "ivfhir.cli.main"]
PATIENT = "halloran"
NO_PLAN = dict.fromkeys(ONE_PLAN, 0)

pytestmark = pytest.mark.server


@dataclass
class Ward:
    """A FHIR server, a simulated EHR in front of it, and the app in a process of its own."""

    folder: Path
    fhir_url: str
    ehr_url: str
    app_url: str
    faults: Faults
    app: subprocess.Popen[bytes] | Running | None = None
    grants: Grants | None = None
    metrics_url: str = ""
    database_url: str = ""
    more_settings: str = ""
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    commands: Commands | None = None

    def start_app(self) -> None:
        """Start the app on its database, forked where `commands` are, and wait until it serves."""
        words = ["serve", "--config", str(self._settings())]
        if self.commands is not None:
            self.app = self.commands.start(*words, err=self.folder / "app.log")
        else:
            with (self.folder / "app.log").open("ab") as log:
                self.app = subprocess.Popen([*COMMAND, *words], stderr=log, start_new_session=True)
        wait_until(self._serves)

    def kill_app(self) -> None:
        """Kill the app with all its workers, at once."""
        if self.app is not None:
            os.killpg(self.app.pid, signal.SIGKILL)
            self.app.wait()
            self.app = None

    def start_worker(self) -> subprocess.Popen[bytes]:
        """Start `ivfhir worker`, and wait until it works."""
        log = self.folder / f"worker-{len(self.workers)}.log"
        with log.open("wb") as file:
            worker = subprocess.Popen(
                [*COMMAND, "worker", "--config", str(self._settings())], stderr=file
            )
        self.workers.append(worker)
        wait_until(lambda: b"sends what waits" in log.read_bytes())
        return worker

    def send_once(self) -> subprocess.CompletedProcess[str]:
        """Run `ivfhir worker --once` to its end."""
        return subprocess.run(
            [*COMMAND, "worker", "--once", "--config", str(self._settings())],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def let_them_be_due(self) -> None:
        """Let the time pass until what waits in the outbox is tried again."""
        self.change("UPDATE outbox SET due_at = 0")

    def outbox_states(self) -> dict[str, str]:
        """Return how the plan of each draft stands in the outbox."""
        engine = make_engine(self._database)
        with engine.connect() as connection:
            found = connection.execute(text("SELECT draft_id, state FROM outbox")).all()
        engine.dispose()
        return {draft_id: state for draft_id, state in found}

    def draft_state(self, draft_id: str) -> str:
        """Return the state of a draft."""
        engine = make_engine(self._database)
        with engine.connect() as connection:
            state = connection.scalar(
                text("SELECT state FROM drafts WHERE id = :id"), {"id": draft_id}
            )
        engine.dispose()
        return str(state)

    def change(self, statement: str) -> None:
        """Change the app's database."""
        engine = make_engine(self._database)
        with engine.begin() as connection:
            connection.execute(text(statement))
        engine.dispose()

    @property
    def _database(self) -> str:
        return self.database_url or f"sqlite:///{self.folder}/app.sqlite3"

    def let_the_claim_end(self) -> None:
        """Let two minutes pass for the claim of whoever was writing."""
        self.change("UPDATE drafts SET claimed_until = 0")

    def counts(self, draft_id: str) -> dict[str, int]:
        """Return what the FHIR server holds of the plan."""
        repository = HttpRepository(self.fhir_url, session=requests.Session())
        return dict(stored_counts(repository, draft_id, PATIENT))

    def _serves(self) -> bool:
        assert self.app is not None
        assert self.app.poll() is None, (self.folder / "app.log").read_text()
        try:
            return requests.get(f"{self.app_url}/health", timeout=10).ok
        except requests.ConnectionError:
            return False

    def _settings(self) -> Path:
        path = self.folder / "ivfhir.toml"
        path.write_text(
            f"""
public_url = "{self.app_url}"
port = {self.app_url.rpartition(":")[2]}
database_url = "{self._database}"
key_file = "{self.folder / "key"}"
log_level = "error"
{self.more_settings}

[[ehr]]
name = "Ward"
iss = "{self.ehr_url}/fhir"
client_id = "ward"
""",
            encoding="utf-8",
        )
        return path


@contextmanager
def running_ward(
    folder: Path,
    fhir_url: str,
    *,
    database_url: str = "",
    more_settings: str = "",
    commands: Commands | None = None,
    **ehr_options: Any,
) -> Iterator[Ward]:
    """Run everything while the block runs, the samples loaded; by default on SQLite."""
    load_samples(HttpRepository(fhir_url, session=requests.Session()), datetime.now(UTC).date())
    app_url = f"http://127.0.0.1:{free_port()}"
    listener = listen("127.0.0.1", 0, option="--port")
    ehr_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    client = Client(
        client_id="ward", redirect_uri=f"{app_url}/callback", launch_url=f"{app_url}/launch"
    )
    ehr = create_fake_ehr(
        FakeEhrSettings(
            public_url=ehr_url, fhir_upstream=fhir_url, clients=(client,), **ehr_options
        )
    )
    with serving([(listener, ehr, None)]):
        ward = Ward(folder, fhir_url, ehr_url, app_url, ehr.extensions["fake_ehr"].faults)
        ward.grants = ehr.extensions["fake_ehr"].grants
        ward.database_url, ward.more_settings = database_url, more_settings
        ward.commands = commands
        ward.start_app()
        try:
            yield ward
        finally:
            ward.kill_app()
            for worker in ward.workers:
                worker.kill()
                worker.wait()


def free_port(above: int = 0) -> int:
    """Return a port below those of outgoing connections: none takes it while the app is dead."""
    for port in range(20_000 + os.getpid() % 5_000 + above, 32_000):
        with suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port
    raise AssertionError("no port is free")


def wait_until(condition: Callable[[], bool], *, within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def accept_and_kill(ward: Ward, clinician: HttpClinician, when: Callable[[], bool]) -> None:
    """Accept the draft whose review is open; kill the app at a moment, before it answers."""
    failed = threading.Event()

    def accept() -> None:
        try:
            clinician.browser.post(
                clinician.page.url, data=clinician.confirmation(), timeout=60, allow_redirects=False
            )
        except requests.ConnectionError:
            failed.set()

    thread = threading.Thread(target=accept)
    thread.start()
    wait_until(when)
    ward.kill_app()
    thread.join()
    assert failed.is_set(), "the app answered before it was killed"


def relaunch(ward: Ward, clinician: HttpClinician, draft_id: str) -> str:
    """Start the app again and open it from the EHR; return the address of the draft it offers."""
    ward.start_app()
    first = clinician.launch_url
    page = clinician.launch().text
    assert clinician.launch_url != first
    assert "Accepted, not known to be in the EHR yet" in page
    (path,) = [each.split('"')[0] for each in page.split('href="') if draft_id in each[:120]]
    return ward.app_url + path


def a_kill_after_the_commit(folder: Path, fhir_url: str) -> None:
    with running_ward(folder, fhir_url) as ward:
        clinician = HttpClinician(ward.ehr_url)
        clinician.launch()
        draft_id = clinician.make_draft()
        ward.faults.add(Fault("slow-after", times=1, method="POST"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(fhir_proxy, "_SLOW_S", 12.0)  # To count what HAPI has takes seconds, too.
            accept_and_kill(ward, clinician, lambda: ward.counts(draft_id) == ONE_PLAN)
        page = clinician.browser.get(relaunch(ward, clinician, draft_id), timeout=60).text
        assert "Written: 48 of 48 entries, read back and the same" in page
        assert ward.counts(draft_id) == ONE_PLAN


def test_a_kill_between_commit_and_answer_leaves_one_plan_and_its_receipt(
    sekmet: str, tmp_path: Path
) -> None:
    a_kill_after_the_commit(tmp_path, sekmet)


def test_a_kill_between_commit_and_answer_leaves_one_plan_on_hapi(
    hapi: str, tmp_path: Path
) -> None:
    a_kill_after_the_commit(tmp_path, hapi)


def test_a_commit_that_comes_after_the_kill_is_found_and_not_repeated(
    sekmet: str, tmp_path: Path
) -> None:
    with running_ward(tmp_path, sekmet) as ward:
        clinician = HttpClinician(ward.ehr_url)
        clinician.launch()
        draft_id = clinician.make_draft()
        ward.faults.add(Fault("slow", times=1, method="POST"))
        accept_and_kill(ward, clinician, lambda: ward.faults.listed() == [])
        assert ward.counts(draft_id) == NO_PLAN
        receipt = relaunch(ward, clinician, draft_id)
        with suppress(AssertionError):  # What is there in its place is told below.
            wait_until(lambda: ward.counts(draft_id) == ONE_PLAN)
        assert ward.counts(draft_id) == ONE_PLAN
        assert "Written: 48 of 48" in clinician.browser.get(receipt, timeout=60).text
        assert ward.counts(draft_id) == ONE_PLAN


def test_a_plan_that_never_left_is_sent_again_once(sekmet: str, tmp_path: Path) -> None:
    with running_ward(tmp_path, sekmet) as ward:
        clinician = HttpClinician(ward.ehr_url)
        clinician.launch()
        draft_id = clinician.make_draft()
        ward.faults.add(Fault("drop-before", times=1, method="POST"))
        accept_and_kill(ward, clinician, lambda: ward.faults.listed() == [])
        receipt = relaunch(ward, clinician, draft_id)
        clinician.page = clinician.browser.get(receipt, timeout=60)
        assert "Being written: look again in a moment" in clinician.page.text
        ward.let_the_claim_end()
        send_again = {"_csrf": csrf_token(clinician.page.text)}
        assert {each.status_code for each in clinician.race(20, send_again)} == {200}
        page = clinician.browser.get(receipt, timeout=60).text
        assert "Written: 48 of 48" in page
        assert ward.counts(draft_id) == ONE_PLAN
