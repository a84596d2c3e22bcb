"""What only a browser can tell of the pages: Enter, paper, forced colours, narrow screens."""

import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pypdf
import pytest
import requests
from playwright.sync_api import Browser, Page

from ivfhir.servers.http import HttpRepository
from smart_app.demo import Demo
from smart_app.smart.launch import Launch
from tests.smart_app.test_journey_in_browser import check_page, demo_page

LONG_ID = "a-plan-with-an-id-as-long-as-fhir-allows-" + "0123456789" * 2 + "abc"
LONG_TITLE = "https://plans.example.org/care-plans/of/the/house/" + "x" * 60

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(browser: Browser, tmp_path: Path) -> Iterator[tuple[Demo, Page, str]]:
    """The demo, a page with the app open for the eligible patient, and the launch's address."""
    with demo_page(browser, tmp_path, https=False) as (demo, page):
        page.goto(demo.ehr_url)
        page.get_by_role("link", name="Open ivfhir for Edmund HALLORAN", exact=True).click()
        page.get_by_role("heading", name="Eligible for 1 protocol: lung").wait_for()
        yield demo, page, page.url.rpartition("/")[0]


def accept(page: Page, launch: str) -> None:
    """Plan, review and accept with the proposed settings."""
    page.goto(f"{launch}/plan/LUNG")
    page.get_by_role("button", name="Review the plan").first.click()
    page.get_by_role("checkbox", name="I have checked patient and dates").check()
    page.get_by_role("button", name="Accept and write").click()
    page.get_by_role("heading", name="Written: 48 of 48").wait_for()


def test_an_old_sign_in_leads_to_a_page_that_asks_for_another(
    opened: tuple[Demo, Page, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, page, launch = opened
    page.goto(f"{launch}/plan/LUNG")
    page.get_by_role("button", name="Review the plan").first.click()
    page.get_by_role("checkbox", name="I have checked patient and dates").check()
    review = page.url
    later = datetime.now(UTC) + timedelta(minutes=61)
    with monkeypatch.context() as patch:
        patch.setattr(Launch, "now", lambda _self: later)
        page.get_by_role("button", name="Accept and write").click()
    page.get_by_role("heading", name="Sign in again to accept").wait_for()
    assert page.url == review
    check_page(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to main content"
    page.get_by_role("link", name="Sign in again").press("Enter")
    page.get_by_role("heading", name="Sign in to the simulated EHR").wait_for()
    page.get_by_role("link", name="Dr Imogen Vance").click()
    page.get_by_role("row").nth(1).get_by_role("link").click()
    page.get_by_role("heading", name="Review: nothing is written yet").wait_for()
    assert page.url == review
    assert page.get_by_role("checkbox", name="I have checked").is_checked()
    check_page(page)


def test_enter_in_a_field_shows_the_new_dates(opened: tuple[Demo, Page, str]) -> None:
    _, page, launch = opened
    page.goto(f"{launch}/plan/LUNG")
    page.get_by_role("textbox", name="Days between segments").fill("35")
    page.get_by_role("textbox", name="Days between segments").press("Enter")
    page.get_by_role("heading", name="4 segments every 35 days").wait_for()
    assert "/plan/LUNG?draft=" in page.url
    page.get_by_role("textbox", name="Year").press("Enter")
    page.get_by_role("heading", name="4 segments every 35 days").wait_for()
    assert "/plan/LUNG?draft=" in page.url
    check_page(page)


def test_every_printed_sheet_names_the_patient(opened: tuple[Demo, Page, str]) -> None:
    _, page, launch = opened
    page.goto(f"{launch}/plan/LUNG")
    assert sheets(page) > 1
    page.goto(f"{launch}/why/LUNG")
    assert sheets(page) > 1
    accept(page, launch)
    page.locator("details").evaluate_all("all => all.forEach(each => { each.open = true })")
    sheets(page)
    page.get_by_role("link", name="See the written plan").click()
    page.wait_for_url("**/written/**")
    assert sheets(page) > 1


def sheets(page: Page) -> int:
    """Print the page once it is there; return the number of sheets, each names the patient."""
    page.wait_for_load_state("networkidle")
    pages = pypdf.PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    for sheet in pages:
        text = " ".join(sheet.extract_text().split())
        assert "HALLORAN, Edmund, born 14 May 1962" in text
        assert "RN-100417" in text
    return len(pages)


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_forced_colours_keep_the_evidence_mark_and_the_board(
    opened: tuple[Demo, Page, str], scheme: str
) -> None:
    _, page, launch = opened
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    page.goto(f"{launch}/plan/LUNG")
    style = "each => getComputedStyle(each)"
    white = "rgb(255, 255, 255)"
    for drawing in (".strength svg", ".board svg"):
        for ground in page.locator(drawing).evaluate_all(
            f"all => all.map({style}.backgroundColor)"
        ):
            assert ground == white
    texts = page.locator(".board svg text")
    fills = set(texts.evaluate_all(f"all => all.map({style}.fill)"))
    assert texts.count() > 20
    assert fills <= {"rgb(27, 38, 44)", "rgb(74, 90, 99)"}  # --ink and --muted, on white
    squares = page.evaluate(
        "[...document.querySelectorAll('#e-1 rect')].map(each => getComputedStyle(each).fill)"
    )
    assert squares == ["rgb(27, 38, 44)", white, white, white]


def test_a_long_identifier_does_not_widen_a_page(opened: tuple[Demo, Page, str]) -> None:
    demo, page, launch = opened
    plan = {
        "resourceType": "CarePlan",
        "id": LONG_ID,
        "instantiatesCanonical": ["https://ivfhir.example/fhir/PlanDefinition/LUNG|0.1.0"],
        "status": "active",
        "intent": "plan",
        "title": LONG_TITLE,
        "subject": {"reference": "Patient/halloran"},
    }
    request = {"method": "PUT", "url": f"CarePlan/{LONG_ID}"}
    entries = [{"resource": plan, "request": request}]
    HttpRepository(demo.fhir_url, session=requests.Session()).transact(
        {"resourceType": "Bundle", "type": "transaction", "entry": entries}
    )
    for name in ("match?read=again", "why/LUNG", "plan/LUNG"):
        page.goto(f"{launch}/{name}")
        assert LONG_ID in page.content()
        check_page(page)
    page.get_by_role("button", name="Review the plan").first.click()
    page.get_by_role("radio", name="Replace it").wait_for()
    check_page(page)
    page.get_by_role("link", name=LONG_TITLE).click()
    page.get_by_text("The EHR shows no orders of this plan.").wait_for()
    check_page(page)


def test_a_draft_is_discarded_and_a_written_plan_shown(opened: tuple[Demo, Page, str]) -> None:
    _, page, launch = opened
    page.goto(f"{launch}/plan/LUNG")
    page.get_by_role("button", name="Keep the draft").click()
    page.goto(f"{launch}/match")
    page.get_by_role("link", name="Discard").click()
    page.get_by_role("heading", name="Discard this draft?").wait_for()
    check_page(page)
    page.get_by_role("button", name="Discard the draft").click()
    page.get_by_role("heading", name="Eligible for 1 protocol: lung").wait_for()
    assert page.get_by_text("Drafts you left").count() == 0
    accept(page, launch)
    check_page(page)
    page.get_by_role("link", name="See the written plan").click()
    page.get_by_role("heading", name="4 segments every 28 days").wait_for()
    check_page(page)


def test_signing_in_again_leads_to_the_same_patient_and_page(
    browser: Browser, tmp_path: Path
) -> None:
    with demo_page(browser, tmp_path, https=False) as (demo, page):
        for fault in ("short-token", "no-refresh"):
            requests.post(
                f"{demo.ehr_url}/faults", json={"name": fault, "times": 1}, timeout=10
            ).raise_for_status()
        page.goto(demo.ehr_url)
        page.get_by_role("link", name="Open ivfhir for Kenji SATO", exact=True).click()
        page.get_by_role("heading", name="Eligible for 1 protocol").wait_for()
        launch = page.url.rpartition("/")[0]
        page.wait_for_timeout(6_000)
        page.goto(f"{launch}/why/LUNG")
        page.get_by_role("heading", name="Your session ended").wait_for()
        check_page(page)
        page.get_by_role("link", name="Sign in again").click()
        page.get_by_role("link", name="Edmund HALLORAN").click()
        page.get_by_text("The EHR opened another patient than the one").wait_for()
        check_page(page)
        page.get_by_role("link", name="Sign in again").click()
        first = page.get_by_role("row").nth(1)
        assert first.inner_text().startswith("Kenji SATO (open in this EHR)")
        first.get_by_role("link").click()
        page.get_by_role("heading", name="Lung: eligible").wait_for()
        assert page.url == f"{launch}/why/LUNG"
        assert "SATO, Kenji" in page.content()


def test_signing_out_leads_to_a_page_that_holds_nothing_of_the_patient(
    opened: tuple[Demo, Page, str],
) -> None:
    _, page, launch = opened
    page.goto(f"{launch}/why/LUNG")
    check_page(page)
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="You are signed out of this window").wait_for()
    assert "HALLORAN" not in page.content().upper()
    check_page(page)
    page.goto(f"{launch}/match")
    assert "HALLORAN" not in page.content().upper()
    check_page(page)


def test_after_the_sign_out_the_back_button_shows_nothing_of_the_patient(
    opened: tuple[Demo, Page, str],
) -> None:
    _, page, launch = opened
    for name in ("why/LUNG", "plan/LUNG"):
        page.goto(f"{launch}/{name}")
        assert "HALLORAN" in page.content()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_role("heading", name="You are signed out of this window").wait_for()
    for _ in range(2):
        page.go_back()
        page.get_by_text("This window was signed out").wait_for()
        assert "HALLORAN" not in page.content().upper()
