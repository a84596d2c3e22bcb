"""After acceptance the next step is the written plan."""

import re
from collections.abc import Iterator

import pytest

from tests.smart_app.conftest import running_samples


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server with three sample patients, of this test's own."""
    with running_samples("halloran", "duarte", "sato") as base:
        yield base


def accepted(clinician):
    """Accept a plan; return the receipt and the address of the written plan."""
    draft_id = clinician.make_draft()
    receipt = clinician.open(clinician.accept(draft_id).headers["Location"])
    (href,) = re.findall(
        r'<a class="nhsuk-button" href="([^"]+)">See the written plan', receipt.text
    )
    return receipt, href


def test_the_receipt_and_the_steps_lead_to_the_plan_as_the_ehr_holds_it(clinician):
    receipt, href = accepted(clinician)
    assert f'<a href="{href}">Written plan</a>' in receipt.text
    page = clinician.open(href).text
    assert '<span aria-current="step">Written plan</span>' in page
    assert "Active in the EHR, by Dr Imogen Vance" in page
    assert "40 orders: 40 draft." in page
    assert "4 segments every 28 days" in page
    assert "The plan on a board" in page
    assert "The plan by date" in page
    assert page.count("<svg viewBox=") == 1
    match = clinician.open("match").text
    assert f'<a href="{href}">Standardised endovascular' in match
    assert f'<a href="{href}">Written plan</a>' in match
    assert "Drafts you left" not in match


def test_a_plan_of_another_program_is_shown_as_a_record(clinician, repository):
    plan = {
        "resourceType": "CarePlan",
        "id": "halloran-nursing",
        "status": "active",
        "intent": "plan",
        "title": "Nursing",
        "subject": {"reference": "Patient/halloran"},
    }
    request = {"method": "PUT", "url": "CarePlan/halloran-nursing"}
    entries = [{"resource": plan, "request": request}]
    repository.transact({"resourceType": "Bundle", "type": "transaction", "entry": entries})
    answer = clinician.open("written/halloran-nursing")
    assert answer.request.path.endswith("/record/CarePlan/halloran-nursing")


def test_another_patients_plan_is_not_shown(clinician):
    answer = clinician.open("written/sato-plan")
    assert answer.status_code == 404
    assert "SATO" not in answer.text
