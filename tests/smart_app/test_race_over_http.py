"""Twenty accepts of one draft at once, over real HTTP, on both servers: one of each part."""

from pathlib import Path

import pytest
import requests

from ivfhir.servers.http import HttpRepository
from smart_app.demo import Ports, running_demo
from tests.smart_app.over_http import ONE_PLAN, HttpClinician, stored_counts


def race_through_the_app(folder: Path, fhir_url: str | None) -> None:
    with running_demo(Ports(0, 0, 0), folder=folder, fhir_url=fhir_url) as demo:
        clinician = HttpClinician(demo.ehr_url)
        clinician.launch()
        draft_id = clinician.make_draft()
        for answer in clinician.race(20, clinician.confirmation()):
            assert answer.status_code == 200, answer.text
            assert answer.url.endswith(f"/receipt/{draft_id}")
            assert "Written: 48 of 48" in answer.text or "look again in a moment" in answer.text
        assert "Written: 48 of 48 entries" in clinician.open(f"receipt/{draft_id}").text
        repository = HttpRepository(demo.fhir_url, session=requests.Session())
        assert stored_counts(repository, draft_id, "halloran") == ONE_PLAN


@pytest.mark.server
def test_twenty_racing_accepts_leave_one_plan_on_the_small_server(tmp_path: Path) -> None:
    race_through_the_app(tmp_path, None)


@pytest.mark.server
def test_twenty_racing_accepts_leave_one_plan_on_hapi(hapi: str, tmp_path: Path) -> None:
    race_through_the_app(tmp_path, hapi)
