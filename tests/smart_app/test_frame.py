"""A launch in a real browser: top-level, and in a frame of another site."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Frame, Page, expect

from smart_app.demo import Demo, Ports, running_demo

pytestmark = pytest.mark.browser

NAME = "Open ivfhir for Edmund HALLORAN"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The demo over https: the EHR on 127.0.0.1, the app on localhost."""
    folder: Path = tmp_path_factory.mktemp("demo")
    with running_demo(Ports(0, 0, 0), folder=folder, https=True) as running:
        yield running


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(ignore_https_errors=True)
    yield context
    context.close()


def framed(page: Page) -> Frame:
    """Return the app's frame once the launch has come to its end."""
    element = page.wait_for_selector("iframe[name=app]")
    assert element is not None
    frame = element.content_frame()
    assert frame is not None
    frame.wait_for_url("**/match")
    return frame


def test_the_app_opens_in_the_same_window(demo: Demo, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(demo.ehr_url)
    page.get_by_role("link", name=NAME, exact=True).click()
    page.wait_for_url(f"{demo.app_url}/l/*/match")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Eligible")


def test_the_app_opens_in_a_frame_of_another_site_and_stays_signed_in(
    demo: Demo, context: BrowserContext
) -> None:
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text))
    page.goto(demo.ehr_url)
    page.get_by_role("link", name=f"{NAME} in a frame", exact=True).click()
    frame = framed(page)
    frame.goto(frame.url.replace("/match", "/why/LUNG"))
    expect(frame.get_by_role("heading", level=1)).to_contain_text("Lung")
    [cookie] = context.cookies(demo.app_url)
    assert cookie["name"].startswith("__Host-ivfhir-")
    assert (cookie["secure"], cookie["httpOnly"], cookie["sameSite"]) == (True, True, "None")
    assert cookie["partitionKey"] == "https://127.0.0.1"
    assert troubles == []


def test_a_launch_in_a_frame_is_not_seen_outside_of_it(demo: Demo, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(demo.ehr_url)
    page.get_by_role("link", name=f"{NAME} in a frame", exact=True).click()
    url = framed(page).url
    answer = context.new_page().goto(url)
    assert answer is not None
    assert answer.status == 401


def test_another_site_cannot_frame_the_app(demo: Demo, context: BrowserContext) -> None:
    page = context.new_page()
    other_site = "https://127.0.0.2/"
    content = f'<iframe src="{demo.app_url}/"></iframe>'
    page.route(other_site, lambda route: route.fulfill(content_type="text/html", body=content))
    page.goto(other_site)
    frame = page.locator("iframe").element_handle().content_frame()
    assert frame is not None
    frame.wait_for_load_state()
    assert frame.url.startswith("chrome-error:")


@pytest.mark.parametrize("in_frame", [False, True])
def test_a_browser_that_launches_on_and_on_keeps_the_newest_eight(
    demo: Demo, context: BrowserContext, *, in_frame: bool
) -> None:
    page = context.new_page()
    urls = []
    for _ in range(100 if os.environ.get("IVFHIR_LONG") else 10):
        page.goto(demo.ehr_url)
        link = f"{NAME} in a frame" if in_frame else NAME
        page.get_by_role("link", name=link, exact=True).click()
        if in_frame:
            urls.append(framed(page).url)
        else:
            page.wait_for_url(f"{demo.app_url}/l/*/match")
            urls.append(page.url)
    names = [each["name"] for each in context.cookies() if "ivfhir" in each["name"]]
    assert len(names) == 8
    view = framed(page) if in_frame else page
    for url in urls[-8:]:
        view.goto(url)
        expect(view.get_by_role("heading", level=1)).to_contain_text("Eligible")
    view.goto(urls[-9])
    expect(view.get_by_role("alert")).to_contain_text("8 newer ones were opened")


@pytest.mark.parametrize("in_frame", [False, True])
def test_signing_out_works_without_script_and_in_a_frame(
    demo: Demo, browser: Browser, *, in_frame: bool
) -> None:
    context = browser.new_context(ignore_https_errors=True, java_script_enabled=False)
    page = context.new_page()
    page.goto(demo.ehr_url)
    link = f"{NAME} in a frame" if in_frame else NAME
    page.get_by_role("link", name=link, exact=True).click()
    if not in_frame:
        page.wait_for_url(f"{demo.app_url}/l/*/match")
    view = framed(page) if in_frame else page
    url = view.url
    view.get_by_role("button", name="Sign out").click()
    expect(view.get_by_role("heading", level=1)).to_contain_text("You are signed out")
    assert [each for each in context.cookies() if "ivfhir" in each["name"]] == []
    view.goto(url)
    expect(view.get_by_role("alert")).to_contain_text("This window was signed out")
    context.close()


def test_the_history_holds_no_code(demo: Demo, context: BrowserContext) -> None:
    page = context.new_page()
    seen: list[str] = []
    page.on("framenavigated", lambda frame: seen.append(frame.url))
    page.goto(demo.ehr_url)
    page.get_by_role("link", name=NAME, exact=True).click()
    page.wait_for_url(f"{demo.app_url}/l/*/match")
    page.goto(f"{demo.app_url}/callback?code=secret-code&state=secret-state")
    page.wait_for_url(f"{demo.app_url}/problem?**")
    page.go_back()
    page.wait_for_url(f"{demo.app_url}/l/*/match")
    assert not any("code=" in url or "state=" in url for url in seen)
