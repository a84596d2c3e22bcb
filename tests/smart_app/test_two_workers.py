"""Two workers, one record: what one of them reads again, the other shows."""

from pathlib import Path

import pytest
import requests

from ivfhir.servers.http import HttpRepository
from tests.smart_app.over_http import TIMEOUT_S, HttpClinician
from tests.smart_app.test_killed_in_a_write import Ward, running_ward

pytestmark = pytest.mark.server


def change_platelets(fhir_url: str, number: int) -> None:
    """Let the laboratory report another count."""
    repository = HttpRepository(fhir_url, session=requests.Session())
    resource = repository.read("Observation", "halloran-platelets")
    resource["valueQuantity"]["value"] = number
    request = {"method": "PUT", "url": "Observation/halloran-platelets"}
    entry = [{"resource": resource, "request": request}]
    repository.transact({"resourceType": "Bundle", "type": "transaction", "entry": entry})


def press(ward: Ward, clinician: HttpClinician, page: str) -> str:
    """Open a page over a connection of its own, so that any worker may answer."""
    answer = requests.get(
        f"{clinician.launch_url}/{page}",
        cookies=clinician.browser.cookies.get_dict(),
        headers={"Connection": "close"},
        timeout=TIMEOUT_S,
    )
    assert answer.status_code == 200, answer.text[-1000:]
    assert answer.url.startswith(ward.app_url)
    return answer.text


def test_read_again_shows_the_newest_record_in_every_worker(sekmet: str, tmp_path: Path) -> None:
    with running_ward(tmp_path, sekmet) as ward:
        clinician = HttpClinician(ward.ehr_url)
        clinician.launch()
        for _ in range(12):
            assert "Eligible for 1 protocol" in press(ward, clinician, "match")
        try:
            change_platelets(ward.fhir_url, 20)
            assert "Not eligible for lung" in press(ward, clinician, "match?read=again")
            for _ in range(20):
                assert "Not eligible for lung" in press(ward, clinician, "match")
        finally:
            change_platelets(ward.fhir_url, 210)
