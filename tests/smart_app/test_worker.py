"""`ivfhir worker` as its own process, on SQLite and PostgreSQL; two of them send each plan once."""

import argparse
import signal
from pathlib import Path

import pytest

from ivfhir.errors import SettingsError
from smart_app.app import load_to_stay
from smart_app.fake_ehr.faults import Fault
from smart_app.worker import run
from tests.smart_app.over_http import ONE_PLAN, HttpClinician
from tests.smart_app.test_killed_in_a_write import NO_PLAN, Ward, running_ward, wait_until

pytestmark = pytest.mark.server

NO_THREAD = "outbox_thread = false"


def test_the_collector_walks_no_protocol_of_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}

    def made(_: None, **how: object) -> None:
        asked.update(how)
        raise SettingsError("no app is needed here")

    monkeypatch.setattr("smart_app.worker.load_settings", lambda _: None)
    monkeypatch.setattr("smart_app.worker.create_app", made)
    with pytest.raises(SettingsError, match="no app is needed"):
        run(argparse.Namespace(config=None, once=False))
    assert asked == {"protocols": load_to_stay}


def leave_unsent(ward: Ward, patient: str = "halloran") -> str:
    """Let a clinician accept a plan while the EHR is down for it; return its draft."""
    clinician = HttpClinician(ward.ehr_url)
    clinician.launch(patient)
    draft_id = clinician.make_draft()
    ward.faults.add(Fault("status-503", times=1, method="POST"))
    page = clinician.browser.post(clinician.page.url, data=clinician.confirmation(), timeout=60)
    assert "Not written: the EHR failed" in page.text
    assert "Last tried at" in page.text
    return draft_id


def two_workers_send_each_plan_once(folder: Path, fhir_url: str, database_url: str = "") -> None:
    with running_ward(folder, fhir_url, database_url=database_url, more_settings=NO_THREAD) as ward:
        draft_id = leave_unsent(ward)
        assert ward.counts(draft_id) == NO_PLAN
        ward.kill_app()
        workers = [ward.start_worker() for _ in range(2)]
        ward.let_them_be_due()
        wait_until(lambda: set(ward.outbox_states().values()) == {"delivered"})
        assert ward.counts(draft_id) == ONE_PLAN
        for worker in workers:
            worker.send_signal(signal.SIGTERM)
        assert [worker.wait(30) for worker in workers] == [0, 0]


def test_two_workers_on_one_sqlite_send_each_plan_once(sekmet: str, tmp_path: Path) -> None:
    two_workers_send_each_plan_once(tmp_path, sekmet)


def test_two_workers_on_one_postgresql_send_each_plan_once(
    sekmet: str, tmp_path: Path, postgres
) -> None:
    two_workers_send_each_plan_once(tmp_path, sekmet, postgres.new_database())


def test_once_sends_what_is_due_and_says_what_is_left(sekmet: str, tmp_path: Path) -> None:
    with running_ward(tmp_path, sekmet, more_settings=NO_THREAD) as ward:
        draft_id = leave_unsent(ward)
        done = ward.send_once()
        assert (done.returncode, done.stdout) == (
            0,
            "0 sent, 0 not yet, 0 waiting for a sign-in, 0 parked\n",
        )
        ward.let_them_be_due()
        ward.faults.add(Fault("status-503", times=1, method="POST"))
        done = ward.send_once()
        assert done.returncode == 5
        assert done.stdout.startswith("0 sent, 1 not yet")
        ward.let_them_be_due()
        done = ward.send_once()
        assert (done.returncode, done.stdout.split(",")[0]) == (0, "1 sent")
        assert ward.counts(draft_id) == ONE_PLAN


def test_once_tells_that_a_plan_was_parked(sekmet: str, tmp_path: Path) -> None:
    with running_ward(tmp_path, sekmet, more_settings=NO_THREAD) as ward:
        draft_id = leave_unsent(ward)
        ward.let_them_be_due()
        ward.faults.add(Fault("status-403", times=1, method="POST"))
        assert ward.send_once().returncode == 6
        assert ward.outbox_states() == {draft_id: "parked"}
        assert ward.counts(draft_id) == NO_PLAN
