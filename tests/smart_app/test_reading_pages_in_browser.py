"""The pages that only read, in a browser, in the states that no sample patient shows."""

import io
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest
import requests
from playwright.sync_api import Browser, Page

from ivfhir.servers.http import HttpRepository
from smart_app.demo import Demo
from smart_app.fake_ehr.sample_patients import LOAD_TIMEOUT_S
from tests.smart_app.pages.twisted_patients import load_twisted
from tests.smart_app.test_journey_in_browser import check_page, demo_page

pytestmark = pytest.mark.browser

STATES = {
    "provisional": ("", "Cannot tell yet for lung: a condition is not settled"),
    "bleeder-no-inr": ("", "Cannot tell yet for lung: 1 fact is missing"),
    "no-problems": ("", "The problem list is empty"),
    "no-problems-and-low": ("", "Not eligible for 6 protocols: "),
    "nothing": ("", "The problem list is empty"),
    "nowak": ("", "No protocol applies"),
    "dead-undated": ("", "Recorded as died, date not recorded"),
    "halloran": ("Observation", "Cannot tell yet for lung: results and measurements could not"),
    "duarte": ("Condition", "Cannot tell yet for oesophageal stent: the problem list could not"),
    "long": ("AllergyIntolerance", "Cannot tell yet for lung: the allergy list could not be read"),
}
"""Patient -> the type that cannot be read, and how the first page begins."""


@pytest.fixture(scope="module")
def demo_with_twists(
    browser: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Demo, Page]]:
    """The demo with twisted patients in its FHIR server, and a page."""
    folder: Path = tmp_path_factory.mktemp("demo")
    with demo_page(browser, folder, https=False) as (demo, page):
        load_twisted(
            HttpRepository(demo.fhir_url, session=requests.Session(), read_timeout_s=LOAD_TIMEOUT_S)
        )
        yield demo, page


@pytest.mark.parametrize("patient", STATES)
def test_the_reading_pages_are_sound_in_every_state(
    demo_with_twists: tuple[Demo, Page], patient: str
) -> None:
    demo, page = demo_with_twists
    unread, begins = STATES[patient]
    requests.post(f"{demo.ehr_url}/faults/clear", timeout=10)
    if unread:
        fault = {"name": "status-500", "path": f"/?{unread}"}
        requests.post(f"{demo.ehr_url}/faults", data=fault, timeout=10)
    page.goto(f"{demo.ehr_url}/open/{patient}")
    page.get_by_role("heading", level=1).wait_for()
    assert page.get_by_role("heading", level=1).inner_text().startswith(begins)
    launch = page.url.rpartition("/")[0]
    check_page(page)
    page.goto(f"{launch}/why/LUNG")
    page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true })")
    check_page(page)
    entry = page.locator("main a[href*='/record/']").first
    if entry.count():
        entry.click()
        page.get_by_role("heading", name="The entry").wait_for()
        check_page(page)
        page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true })")
        check_page(page)
    page.emulate_media(forced_colors="active")
    page.goto(f"{launch}/why/LUNG")
    check_page(page)
    page.emulate_media(forced_colors="none")


def test_the_page_of_an_entry_that_the_ehr_refuses_is_sound(
    demo_with_twists: tuple[Demo, Page],
) -> None:
    demo, page = demo_with_twists
    requests.post(f"{demo.ehr_url}/faults/clear", timeout=10)
    page.goto(f"{demo.ehr_url}/open/halloran")
    page.goto(page.url.replace("/match", "/why/LUNG"))
    fault = {"name": "status-403", "path": "/?Observation/"}
    requests.post(f"{demo.ehr_url}/faults", data=fault, timeout=10)
    page.locator("main a[href*='/record/Observation/']").first.click()
    page.get_by_role("heading", name="The EHR does not allow this").wait_for()
    check_page(page)


def test_on_paper_every_fold_is_open(demo_with_twists: tuple[Demo, Page]) -> None:
    demo, page = demo_with_twists
    requests.post(f"{demo.ehr_url}/faults/clear", timeout=10)
    page.goto(f"{demo.ehr_url}/open/halloran")
    page.goto(page.url.replace("/match", "/why/LUNG"))
    page.wait_for_load_state("networkidle")
    sheets = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    text = " ".join(" ".join(sheet.extract_text() for sheet in sheets).split())
    assert "Severe bleeding tendency: ruled out" in text
    assert "SIR consensus guidelines" in text
    assert "SIR consensus guidelines" not in page.inner_text("main")
