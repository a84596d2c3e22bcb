"""A regimen chosen, refused, confirmed and written, as a clinician at a browser does it."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, Page

from ivfhir.servers.http import HttpRepository
from smart_app.demo import Demo
from tests.smart_app.test_journey_in_browser import check_page, demo_page

pytestmark = pytest.mark.browser

PICTURES = os.environ.get("IVFHIR_PICTURES", "")
STATEMENTS = (
    "no hearing loss of grade 2 or more",
    "no neuropathy of grade 2 or more",
    "no heart failure of NYHA class III or IV",
    "the histology is the one that the regimen is for",
    "at least 5 doses of folate",
)


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[tuple[Demo, Page, str]]:
    """The demo, a page with the app open for the eligible patient, and the launch's address."""
    with demo_page(browser, tmp_path, https=False) as (demo, page):
        page.goto(demo.ehr_url)
        page.get_by_role("link", name="Open ivfhir for Edmund HALLORAN", exact=True).click()
        page.get_by_role("heading", name="Eligible for 1 protocol: lung").wait_for()
        yield demo, page, page.url.rpartition("/")[0]


def test_a_regimen_is_refused_confirmed_reviewed_and_written(
    opened: tuple[Demo, Page, str],
) -> None:
    demo, page, launch = opened
    page.goto(f"{launch}/plan/LUNG")
    page.get_by_role("radio", name="RG-LU1").check()
    look(page, "plan")
    page.get_by_role("button", name="Put the regimen into the plan").click()
    page.get_by_role("heading", name="One thing to put right").wait_for()
    assert page.get_by_role("radio", name="RG-LU1").is_checked()
    look(page, "refused")
    for words in STATEMENTS:
        page.get_by_role("checkbox", name=words).check()
    page.get_by_role("button", name="Put the regimen into the plan").click()
    page.get_by_role("heading", name="Numbers behind the doses").wait_for()
    assert page.get_by_role("radio", name="RG-LU1").is_checked()
    look(page, "given")
    page.get_by_role("button", name="Review the plan").first.click()
    page.get_by_role("heading", name="Review: nothing is written yet").wait_for()
    assert page.get_by_text("Platinum, arterial: cisplatin 135 mg").count()
    look(page, "review")
    page.get_by_role("checkbox", name="I have checked patient and dates").check()
    page.get_by_role("button", name="Accept and write").click()
    page.get_by_role("heading", name="Written: 48 of 48").wait_for()
    assert page.get_by_text("8 of 8 the same").count()
    look(page, "receipt")
    server = HttpRepository(demo.fhir_url, session=requests.Session())
    written = server.search("MedicationRequest", {"patient": "halloran"})
    doses = {
        rate["doseQuantity"]["value"]
        for each in written
        for dosage in each.get("dosageInstruction", ())
        for rate in dosage.get("doseAndRate", ())
        if rate["type"]["coding"][0]["code"] == "ordered"
    }
    assert {float(each) for each in doses} == {135.0, 895.0}


def look(page: Page, name: str) -> None:
    """Check the page; keep a picture of it at both widths where a folder for them is named."""
    check_page(page)
    for width in (320, 1200) if PICTURES else ():
        page.set_viewport_size({"width": width, "height": 900})
        page.screenshot(path=Path(PICTURES) / f"regimen-{name}-{width}.png", full_page=True)
