"""Twenty accepts of one draft at once, through two gunicorn workers on PostgreSQL: one plan."""

from pathlib import Path

import pytest

from smart_app.sealing import make_sealer
from smart_app.store import Store
from tests.servers.postgres_server import PostgresServer
from tests.servers.sekmet_server import run_sekmet
from tests.smart_app.over_http import ONE_PLAN, HttpClinician
from tests.smart_app.test_killed_in_a_write import running_ward


@pytest.mark.server
def test_twenty_racing_accepts_leave_one_plan_and_a_whole_trail(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.new_database()
    monkeypatch.setenv("IVFHIR_DATABASE_URL", url)
    with run_sekmet() as fhir_url, running_ward(tmp_path, fhir_url) as ward:
        clinician = HttpClinician(ward.ehr_url)
        clinician.launch()
        draft_id = clinician.make_draft()
        for answer in clinician.race(20, clinician.confirmation()):
            assert answer.status_code == 200, answer.text
            assert answer.url.endswith(f"/receipt/{draft_id}")
        assert "Written: 48 of 48 entries" in clinician.open(f"receipt/{draft_id}").text
        assert ward.counts(draft_id) == ONE_PLAN
    assert not (tmp_path / "app.sqlite3").exists()
    sealer = make_sealer(None, tmp_path / "key")
    store = Store(url, sealer, clock_s=lambda: 0.0, new_id=lambda: "x")
    try:
        assert store.prove_trail().breaks == []
        events = [event.content["event"] for event in store.events()]
        assert (events.count("sign"), events.count("write")) == (1, 1)
    finally:
        store.close()
