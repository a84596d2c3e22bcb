"""The trail's way to the EHR, by two gunicorn workers on PostgreSQL, under each setting."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from ivfhir.servers.http import HttpRepository
from smart_app.audit_event import AUDIT_SYSTEM
from smart_app.fake_ehr.faults import Fault
from smart_app.sealing import make_sealer
from smart_app.store import Store
from tests.servers.postgres_server import PostgresServer
from tests.servers.sekmet_server import run_sekmet
from tests.smart_app.over_http import HttpClinician
from tests.smart_app.test_killed_in_a_write import Ward, running_ward, wait_until

pytestmark = pytest.mark.server


@dataclass(frozen=True)
class Trail:
    """The app's trail, and what the EHR has of it."""

    ward: Ward
    store: Store

    def states(self) -> dict[str, int]:
        """Return how many events there are of each state of delivery."""
        found = [event.delivery for event in self.store.events()]
        return {state: found.count(state) for state in found}

    def on_ehr(self) -> list[str]:
        """Return the mark of each AuditEvent that the FHIR server holds."""
        repository = HttpRepository(self.ward.fhir_url, session=requests.Session())
        return [
            tag["code"]
            for each in repository.search("AuditEvent", {})
            for tag in each["meta"]["tag"]
            if tag["system"] == AUDIT_SYSTEM
        ]

    def marks(self) -> list[str]:
        """Return the mark of each event of the trail."""
        return [event.mark for event in self.store.events()]


@contextmanager
def running_trail(folder: Path, url: str) -> Iterator[Trail]:
    with run_sekmet() as fhir, running_ward(folder, fhir, database_url=url, audit=True) as ward:
        sealer = make_sealer(None, folder / "key")
        store = Store(url, sealer, clock_s=lambda: 0.0, new_id=lambda: "x")
        try:
            yield Trail(ward, store)
        finally:
            store.close()


def accept_a_plan(ward: Ward) -> HttpClinician:
    """Open the app, look at some pages, and accept a plan: with twenty clicks at once."""
    clinician = HttpClinician(ward.ehr_url)
    clinician.launch()
    clinician.open("why/LUNG")
    draft_id = clinician.make_draft()
    answers = clinician.race(20, clinician.confirmation())
    assert {answer.status_code for answer in answers} == {200}
    assert "Written: 48 of 48" in clinician.open(f"receipt/{draft_id}").text
    return clinician


def test_two_workers_send_each_event_once(postgres: PostgresServer, tmp_path: Path) -> None:
    with running_trail(tmp_path, postgres.new_database()) as trail:
        accept_a_plan(trail.ward)
        wait_until(lambda: set(trail.states()) == {"sent"})
        assert len(trail.marks()) >= 7  # Sign-in, five pages at least, signature, write.
        assert sorted(trail.on_ehr()) == sorted(trail.marks())
        assert trail.store.prove_trail().breaks == []


def test_an_event_whose_answer_is_lost_is_there_once(
    postgres: PostgresServer, tmp_path: Path
) -> None:
    url = postgres.new_database()
    with running_trail(tmp_path, url) as trail:
        trail.ward.faults.add(Fault("drop-after", times=2, method="POST", path="AuditEvent"))
        clinician = accept_a_plan(trail.ward)
        wait_until(lambda: trail.ward.faults.listed() == [])
        with trail.store._engine.begin() as connection:
            connection.exec_driver_sql("UPDATE audit_deliveries SET due_at = 0")
        clinician.open("match")

        def all_there() -> bool:
            return set(trail.on_ehr()) == set(trail.marks())

        wait_until(all_there)
        assert len(trail.on_ehr()) == len(set(trail.on_ehr()))


@pytest.mark.parametrize(
    ("setting", "fault", "state"),
    [
        ("ask", "unnamed-audit", "sent"),
        ("where-allowed", "unnamed-audit", "none"),
        ("no", "", "none"),
        ("where-allowed", "no-audit-create", "refused"),
        ("ask", "no-audit", "none"),
    ],
)
def test_what_setting_and_ehr_say_decides(
    *,
    postgres: PostgresServer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    setting: str,
    fault: str,
    state: str,
) -> None:
    monkeypatch.setenv("IVFHIR_EHR_AUDIT_TO_EHR", setting)
    with running_trail(tmp_path, postgres.new_database()) as trail:
        if fault:
            path = "metadata" if fault == "no-audit-create" else ""
            trail.ward.faults.add(Fault(fault, path=path))
        accept_a_plan(trail.ward)
        wait_until(lambda: "waiting" not in trail.states())
        assert set(trail.states()) == {state}
        assert len(trail.on_ehr()) == (len(trail.marks()) if state == "sent" else 0)
