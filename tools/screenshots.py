"""Take the pictures of the guide from the running demo: `make docs`.

Needs Chromium: `apt-get install -y --no-install-recommends chromium fonts-wqy-microhei`. Dates on
the pages are those of the day it runs.
"""

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from smart_app.demo import Ports, running_demo

CHROMIUM = Path("/usr/bin/chromium")
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IMAGES = Path(__file__).parents[1] / "docs" / "images"
WIDTH, HEIGHT = 1200, 780


def main() -> int:
    """Write `match.png`, `why.png` and `plan.png`; return 1 without Chromium."""
    if not CHROMIUM.exists():
        print("Pictures need Chromium: apt-get install -y --no-install-recommends chromium")
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        with running_demo(Ports(0, 0, 0), folder=Path(folder)) as demo:
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            for patient, name, where in (
                ("HALLORAN", "match", "match"),
                ("LINDQVIST", "why", "why/LUNG"),
                ("HALLORAN", "plan", "plan/LUNG"),
            ):
                _open(page, demo.ehr_url, patient)
                page.goto(page.url.rsplit("/", 1)[0] + "/" + where)
                page.screenshot(path=IMAGES / f"{name}.png")
        browser.close()
    return 0


def _open(page: Page, ehr_url: str, patient: str) -> None:
    page.goto(ehr_url)
    page.locator("tr", has_text=patient).locator("a").first.click()
    page.wait_for_url("**/match")


if __name__ == "__main__":
    sys.exit(main())
