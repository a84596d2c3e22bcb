"""The journey in a real browser: from the EHR's list of patients to the plan on the server.

Every page on the way is checked with axe, at two widths, and for requests that leave the machine.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Frame, Page

from ivfhir.servers.http import HttpRepository
from ivfhir.writing.bundle import PLAN_SYSTEM
from smart_app.demo import Demo, Ports, running_demo
from tests.servers.hapi_client import validate_on_hapi

WIDTHS = (1200, 320)
LOCAL = {"127.0.0.1", "localhost", ""}

pytestmark = pytest.mark.browser


@contextmanager
def demo_page(
    browser: Browser, folder: Path, *, https: bool, fhir_url: str | None = None, script: bool = True
) -> Iterator[tuple[Demo, Page]]:
    """Run the demo and open a page; fail when it asks another machine or breaks the policy."""
    with running_demo(Ports(0, 0, 0), folder=folder, https=https, fhir_url=fhir_url) as demo:
        context = browser.new_context(ignore_https_errors=True, java_script_enabled=script)
        page = context.new_page()
        outside: list[str] = []
        complaints: list[str] = []
        page.on(
            "request",
            lambda request: (
                outside.append(request.url) if urlsplit(request.url).hostname not in LOCAL else None
            ),
        )
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if "Content Security Policy" in message.text
                else None
            ),
        )
        yield demo, page
        context.close()
    assert outside == []
    assert complaints == []


def check_page(page: Page) -> None:
    """Check the page with axe at both widths, and that it does not scroll sideways."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        found = Axe().run(page).response["violations"]
        assert [(each["id"], each["nodes"][0]["html"]) for each in found] == []
        root = "document.documentElement"
        assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), (page.url, width)
    page.set_viewport_size({"width": WIDTHS[0], "height": 900})


def walk(view: Page | Frame, check: Page | None) -> str:
    """Go from the answers to the receipt as a clinician does; return the draft's id."""

    def look() -> None:
        if check is not None:
            check_page(check)

    view.get_by_role("heading", name="Eligible for 1 protocol: lung").wait_for()
    look()
    view.get_by_role("link", name="See why, then plan").click()
    view.get_by_role("heading", name="Lung: eligible").wait_for()
    look()
    view.get_by_role("link", name="Make a plan").click()
    view.get_by_role("heading", name="4 segments every 28 days").wait_for()
    look()
    view.get_by_role("button", name="Review the plan").first.click()
    view.get_by_role("heading", name="Review: nothing is written yet").wait_for()
    look()
    keep = view.get_by_role("radio", name="Keep both active")
    if keep.count():
        keep.check()
    view.get_by_role("checkbox", name="I have checked patient and dates").check()
    view.get_by_role("button", name="Accept and write 48 entries").click()
    view.get_by_role("heading", name="Written: 48 of 48 entries, read back and the same").wait_for()
    look()
    return view.url.rpartition("/")[2]


def written(base: str, draft_id: str) -> list[dict[str, object]]:
    """Return what the server holds of a plan: the CarePlan and everything it points to."""
    repository = HttpRepository(base, session=requests.Session())
    (plan,) = repository.search("CarePlan", {"identifier": f"{PLAN_SYSTEM}|{draft_id}"})
    (reference,) = [each["reference"]["reference"] for each in plan["activity"]]
    group = repository.read("RequestGroup", reference.rpartition("/")[2])
    references = [*_requests(group["action"]), *(goal["reference"] for goal in plan["goal"])]
    parts = [repository.read(*each.split("/")[-2:]) for each in references]
    signatures = repository.search("Provenance", {"target": f"CarePlan/{plan['id']}"})
    return [plan, group, *parts, *signatures]


def _requests(actions: list[dict[str, object]]) -> Iterator[str]:
    for action in actions:
        if "resource" in action:
            yield action["resource"]["reference"]
        yield from _requests(action.get("action", []))


def test_top_level_on_the_small_server(browser: Browser, tmp_path: Path):
    with demo_page(browser, tmp_path, https=False) as (demo, page):
        page.goto(demo.ehr_url)
        page.get_by_role("link", name="Open ivfhir for Edmund HALLORAN", exact=True).click()
        draft_id = walk(page, page)
        assert len(written(demo.fhir_url, draft_id)) == 48
        page.get_by_role("link", name="Care plan").click()
        page.get_by_role("heading", name="Standardised endovascular").wait_for()
        check_page(page)


def test_in_a_frame_of_another_site_without_script(browser: Browser, tmp_path: Path):
    with demo_page(browser, tmp_path, https=True, script=False) as (demo, page):
        assert urlsplit(demo.ehr_url).hostname != urlsplit(demo.app_url).hostname
        page.goto(demo.ehr_url)
        page.get_by_role("link", name="Open ivfhir for Edmund HALLORAN in a frame").click()
        frame = page.wait_for_selector("iframe").content_frame()
        assert frame is not None
        draft_id = walk(frame, None)
        assert len(written(demo.fhir_url, draft_id)) == 48


@pytest.mark.server
def test_on_hapi_where_everything_written_is_valid(browser: Browser, hapi: str, tmp_path: Path):
    with demo_page(browser, tmp_path, https=False, fhir_url=hapi) as (demo, page):
        page.goto(demo.ehr_url)
        page.get_by_role("link", name="Open ivfhir for Edmund HALLORAN", exact=True).click()
        resources = written(hapi, walk(page, None))
    assert len(resources) == 48
    problems = {each["resourceType"]: validate_on_hapi(hapi, each) for each in resources}
    assert {name: lines for name, lines in problems.items() if lines} == {}


@pytest.mark.parametrize("patient", ["Per LINDQVIST", "Rui DUARTE"])
def test_an_override_by_keyboard_alone(browser: Browser, tmp_path: Path, patient: str):
    with demo_page(browser, tmp_path, https=False) as (demo, page):
        page.goto(demo.ehr_url)
        page.get_by_role("link", name=f"Open ivfhir for {patient}", exact=True).press("Enter")
        page.get_by_role("link", name="See what").press("Enter")
        check_page(page)
        page.get_by_role("link", name="Plan anyway").press("Enter")
        page.get_by_role("textbox").wait_for()
        check_page(page)
        page.get_by_role("radio", name="Tumour-board decision").press("Space")
        page.get_by_role("textbox").press_sequentially("The board asks for it.")
        page.get_by_role("button", name="Make a draft with this reason").press("Enter")
        page.get_by_role("heading", name="Override:").wait_for()
        page.get_by_role("button", name="Review the plan").first.press("Enter")
        page.get_by_role("heading", name="Override: nothing is written yet").wait_for()
        check_page(page)
        page.get_by_role("checkbox").press("Space")
        page.get_by_role("button", name="Accept and write").press("Enter")
        page.get_by_role("heading", name="Written: 48 of 48").wait_for()


@pytest.mark.parametrize(
    ("patient", "heading"),
    [
        ("Adam NOWAK", "No protocol applies"),
        ("Colm FERRIS", "Recorded as died"),
        ("Kenji SATO", "Eligible for 1 protocol"),
    ],
)
def test_the_other_answers_have_pages_too(
    browser: Browser, tmp_path: Path, patient: str, heading: str
):
    with demo_page(browser, tmp_path, https=False) as (demo, page):
        page.goto(demo.ehr_url)
        page.get_by_role("link", name=f"Open ivfhir for {patient}", exact=True).click()
        page.get_by_role("heading", name=heading).wait_for()
        check_page(page)
        page.get_by_role("link", name="Why").or_(page.get_by_role("link", name="See")).first.click()
        check_page(page)


def test_a_wrong_value_and_a_problem_have_pages_too(browser: Browser, tmp_path: Path):
    with demo_page(browser, tmp_path, https=False) as (demo, page):
        page.goto(demo.ehr_url)
        page.get_by_role("link", name="Open ivfhir for Edmund HALLORAN", exact=True).click()
        launch = page.url.rpartition("/")[0]
        page.goto(f"{launch}/plan/LUNG")
        page.get_by_role("textbox", name="Days between segments").fill("21")
        page.get_by_role("button", name="Show the new dates").click()
        page.get_by_role("heading", name="One thing to put right").wait_for()
        check_page(page)
        page.get_by_role("link", name="Days between segments must be 28 to 35").click()
        assert page.evaluate("document.activeElement.id") == "segment_interval_days"
