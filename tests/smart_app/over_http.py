"""A clinician at a browser of their own, who reaches a running app over real HTTP."""

import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import requests

from ivfhir.fhir.types import Resource
from ivfhir.repository import Repository
from ivfhir.writing.bundle import PLAN_SYSTEM

TIMEOUT_S = 120
ONE_PLAN = {
    "CarePlan": 1,
    "RequestGroup": 1,
    "ServiceRequest": 31,
    "MedicationRequest": 8,
    "CommunicationRequest": 1,
    "Goal": 5,
    "Provenance": 1,
}
"""The 48 entries of the sample patient's plan."""


@dataclass
class HttpClinician:
    """A browser without script; `page` is the one that it shows.

    Args:
        ehr_url: where the EHR's list of patients is.
    """

    ehr_url: str
    browser: requests.Session = field(default_factory=requests.Session)
    page: requests.Response = field(default_factory=requests.Response)

    @property
    def launch_url(self) -> str:
        """The address below which the pages of the launch are."""
        return self.page.url.split("/l/")[0] + "/l/" + self.page.url.split("/l/")[1].split("/")[0]

    def launch(self, patient: str = "halloran") -> requests.Response:
        """Open the app from the EHR's list."""
        return self._show(
            self.browser.get(f"{self.ehr_url}/open/{patient}", timeout=TIMEOUT_S), want=200
        )

    def open(self, page: str) -> requests.Response:
        """Open a page of the launch."""
        return self._show(
            self.browser.get(f"{self.launch_url}/{page}", timeout=TIMEOUT_S), want=200
        )

    def make_draft(self) -> str:
        """Keep the proposed plan as a draft, open its review, and return its id."""
        page = self.open("plan/LUNG")
        form = {"_csrf": csrf_token(page.text), "next": "review"}
        self._show(self.browser.post(page.url, data=form, timeout=TIMEOUT_S), want=200)
        assert "/review/" in self.page.url
        return self.page.url.rpartition("/")[2]

    def confirmation(self) -> dict[str, str]:
        """Return what the form of the review sends; an earlier plan stays."""
        found = re.search(r'name="version" value="(\d+)"', self.page.text)
        assert found, self.page.text[:500]
        return {
            "_csrf": csrf_token(self.page.text),
            "confirm": "yes",
            "version": found[1],
            "earlier": "keep",
        }

    def race(self, clicks: int, form: Mapping[str, str]) -> list[requests.Response]:
        """Send the form of the page many times at once; return each answer, as followed."""
        url = self.page.url
        cookies = self.browser.cookies.get_dict()

        def click(_number: int) -> requests.Response:
            return requests.post(url, data=form, cookies=cookies, timeout=TIMEOUT_S)

        with ThreadPoolExecutor(clicks) as pool:
            return list(pool.map(click, range(clicks)))

    def _show(self, page: requests.Response, *, want: int) -> requests.Response:
        assert page.status_code == want, page.text[-1500:]
        self.page = page
        return page


def csrf_token(page: str) -> str:
    """Return the token in a page's form."""
    found = re.search(r'name="_csrf" value="([^"]+)"', page)
    assert found, page[:500]
    return found[1]


def stored_parts(
    repository: Repository, draft_id: str, patient: str
) -> Mapping[str, list[Resource]]:
    """Return what the server holds of a plan, by type."""

    def is_part(resource: Resource) -> bool:
        values = [str(each.get("value")) for each in resource.get("identifier", ())]
        return any(value.split(".")[0] == draft_id for value in values)

    parts = {
        name: list(filter(is_part, repository.search(name, {"patient": patient})))
        for name in ONE_PLAN
        if name != "Provenance"
    }
    signature = {"_tag": f"{PLAN_SYSTEM}|{draft_id}.signature"}
    return {**parts, "Provenance": list(repository.search("Provenance", signature))}


def stored_counts(repository: Repository, draft_id: str, patient: str) -> Mapping[str, int]:
    """Return how many resources of each type the server holds of a plan."""
    parts = stored_parts(repository, draft_id, patient)
    return {name: len(found) for name, found in parts.items()}
