"""Sessions that accept plans of one protocol for one patient at once: one active plan stays."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
import requests

from ivfhir.servers.http import HttpRepository
from smart_app.demo import Ports, running_demo
from tests.smart_app.over_http import TIMEOUT_S, HttpClinician
from tests.smart_app.test_killed_in_a_write import running_ward

pytestmark = pytest.mark.server

HALLORAN = {"patient": "Patient/halloran"}


def plans(fhir_url: str, status: str) -> list[str]:
    """Return the identifiers of the patient's plans that have a status."""
    found = HttpRepository(fhir_url, session=requests.Session()).search("CarePlan", HALLORAN)
    return [each["identifier"][0]["value"] for each in found if each["status"] == status]


def orders(fhir_url: str, plan: str) -> set[str]:
    """Return the statuses of a plan's orders."""
    found = HttpRepository(fhir_url, session=requests.Session()).search("ServiceRequest", HALLORAN)
    return {
        each["status"]
        for each in found
        if each.get("identifier", [{}])[0].get("value", "").startswith(f"{plan}.")
    }


def accept_at_once(ehr_url: str, fhir_url: str, sessions: int) -> None:
    """Accept a draft each in many sessions at one moment; look at what came of it."""
    before = set(plans(fhir_url, "active"))
    clinicians = [HttpClinician(ehr_url) for _ in range(sessions)]
    drafts = []
    for clinician in clinicians:
        clinician.launch()
        drafts.append(clinician.make_draft())
    start = Barrier(sessions)

    def accept(clinician: HttpClinician) -> str:
        form = clinician.confirmation()
        start.wait()
        answer = clinician.browser.post(clinician.page.url, data=form, timeout=TIMEOUT_S)
        assert answer.status_code in (200, 409), answer.text[-1500:]
        return answer.text

    with ThreadPoolExecutor(sessions) as pool:
        answers = dict(zip(drafts, pool.map(accept, clinicians), strict=True))
    for clinician, draft in zip(clinicians, drafts, strict=True):
        answers[draft] = when_its_turn_came(clinician, draft, answers[draft])
    (stays,) = set(plans(fhir_url, "active")) - before
    assert "Written: 48 of 48" in answers[stays]
    assert orders(fhir_url, stays) == {"draft"}
    late = {
        draft
        for draft, answer in answers.items()
        if "Nothing is written" in answer or "Nothing was sent" in answer
    }
    revoked = set(drafts) - late - {stays}
    assert set(plans(fhir_url, "revoked")) & set(drafts) == revoked
    assert {status for each in revoked for status in orders(fhir_url, each)} <= {"revoked"}
    for clinician, draft in zip(clinicians, drafts, strict=True):
        if draft in revoked:
            page = clinician.open(f"receipt/{draft}").text
            assert tells_that_it_was_revoked(page)
            assert 'id="next"' not in page
            assert "The plan is in" not in page


STILL_ON_ITS_WAY = (
    "Another accepted plan for this patient goes first",
    "look again in a moment",
    "kept and sent again by itself",
)
"""The last: a busy server did not take it at once."""


def when_its_turn_came(clinician: HttpClinician, draft: str, answer: str) -> str:
    """Return the page of a plan after those that were accepted before it, and after its tries."""
    deadline = time.monotonic() + 120
    while any(words in answer for words in STILL_ON_ITS_WAY):
        assert time.monotonic() < deadline, answer[-1500:]
        time.sleep(0.5)
        answer = clinician.open(f"receipt/{draft}").text
    return answer


def tells_that_it_was_revoked(page: str) -> bool:
    """Whether its own session took the plan back, or another one did after it had looked."""
    own = "Withdrawn again: another plan was accepted at the same time" in page
    if own:
        return "Yours was revoked with its draft orders" in page
    return "Revoked since it was written" in page and "status is now revoked" in page


def test_of_eight_plans_accepted_at_once_one_stays(sekmet: str, tmp_path: Path) -> None:
    with running_ward(tmp_path, sekmet) as ward:
        accept_at_once(ward.ehr_url, ward.fhir_url, 8)


def test_of_four_plans_accepted_at_once_one_stays_on_hapi(hapi: str, tmp_path: Path) -> None:
    with running_demo(Ports(0, 0, 0), folder=tmp_path, fhir_url=hapi) as demo:
        accept_at_once(demo.ehr_url, demo.fhir_url, 4)
