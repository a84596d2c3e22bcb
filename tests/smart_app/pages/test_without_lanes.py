"""A plan whose actions do not say their lanes, as one that an earlier release drafted."""

import re
from collections.abc import Iterator

import pytest

from smart_app.pages.plan import plan_title
from smart_app.pages.plan_items import plan_items
from tests.smart_app.conftest import running_samples
from tests.smart_app.pages.conftest import Clinician, sample


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server with three sample patients, of this test's own."""
    with running_samples("halloran", "duarte", "sato") as base:
        yield base


def without_lanes(plan):
    """Take what `CodeSystem/io-plan` said of the actions out of a CarePlan."""
    for resource in plan["contained"]:
        if resource["resourceType"] == "RequestGroup":
            _strip(resource)
    return plan


def _strip(group):
    for action in group.get("action", ()):
        for name in ("code", "prefix", "textEquivalent"):
            action.pop(name, None)
        _strip(action)


def test_it_is_listed_by_date_and_not_drawn(clinician: Clinician, app):
    """No lane is guessed: a MedicationRequest may go into an artery as well as into a vein."""
    drafts = app.extensions["ivfhir"].store
    draft = drafts.load_draft(clinician.launched.launch_id, clinician.make_draft())
    assert "The plan on a board" in clinician.open(f"plan/LUNG?draft={draft.id}").text
    plan = without_lanes(draft.body["carePlan"])
    drafts.update_draft(draft, body={**draft.body, "carePlan": plan})
    pages = [clinician.open(f"plan/LUNG?draft={draft.id}")]
    receipt = clinician.open(clinician.accept(draft.id).headers["Location"]).text
    (written,) = re.findall(r'href="([^"]+)">See the written plan', receipt)
    pages.append(clinician.open(written))
    for page in pages:
        assert page.status_code == 200
        assert "The plan on a board" not in page.text
        assert "<svg viewBox=" not in page.text
        assert "Drug in the vein" not in page.text
        assert "#g--planned" not in page.text
        assert "The plan by date" in page.text
        assert "Segment 1: arterial platinum, partial embolisation" in page.text
        for title in ("Baseline assessment", "Safety check before segment 4", "Follow-up CT"):
            assert title in page.text


def test_its_title_has_the_first_planned_day():
    """The baseline, 14 days before segment 1; not the first day on which something is allowed."""
    patient = sample("halloran")
    items = plan_items(without_lanes(patient.care_plan("2025-03-03")))
    assert plan_title(items, patient.card) == "Lung: plan from Mon 17 Feb 2025"
