"""Attacks on launch, callback and session, against the app in processes of its own: two workers.

The short form runs with the other tests; `IVFHIR_LONG=1` runs the figures of docs/security.md.
"""

import os
import random
import re
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from ivfhir.servers.http import HttpRepository
from smart_app.fake_ehr.faults import Fault
from tests.servers.postgres_server import PostgresServer
from tests.servers.sekmet_server import run_sekmet
from tests.smart_app.hostile_launches import HOSTILE_HEADERS, hostile_queries
from tests.smart_app.over_http import csrf_token
from tests.smart_app.test_killed_in_a_write import Ward, free_port, running_ward

LONG = bool(os.environ.get("IVFHIR_LONG"))
TIMEOUT_S = 60
BROWSERS = 4
NAMES = {"halloran": "HALLORAN", "sato": "SATO"}
USERS = {"vance": "Dr Imogen Vance", "okafor": "Dr Chidi Okafor"}

pytestmark = pytest.mark.server


@pytest.fixture(scope="module")
def ward(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ward]:
    """The app on two workers, with its figures published, and without limits of a minute."""
    port = free_port(above=1_000)
    with pytest.MonkeyPatch.context() as patch, run_sekmet() as fhir:
        patch.setenv("IVFHIR_ADDRESS_PER_MINUTE", "0")
        patch.setenv("IVFHIR_EHR_PER_MINUTE", "0")
        patch.setenv("IVFHIR_METRICS_PORT", str(port))
        with running_ward(tmp_path_factory.mktemp("ward"), fhir) as running:
            running.metrics_url = f"http://127.0.0.1:{port}/metrics"
            yield running


def launch(
    browser: requests.Session, ward: Ward, patient: str = "halloran", user: str = "vance"
) -> str:
    """Open the app from the EHR; return the address below which its pages are."""
    url = f"{ward.ehr_url}/open/{patient}?user={user}"
    page = browser.get(url, timeout=TIMEOUT_S)
    assert page.status_code == 200, (page.status_code, page.text[-600:])
    return page.url.removesuffix("/match")


def test_no_hostile_launch_is_accepted(ward: Ward) -> None:
    iss = f"{ward.ehr_url}/fhir"
    queries = list(hostile_queries(iss))
    assert len(set(queries)) >= 250
    browser = requests.Session()
    for number, query in enumerate(queries):
        headers = HOSTILE_HEADERS[number % len(HOSTILE_HEADERS)]
        answer = browser.get(
            f"{ward.app_url}/launch?{query}",
            headers=headers,
            allow_redirects=False,
            timeout=TIMEOUT_S,
        )
        assert answer.status_code in (400, 414), (query, answer.status_code)
        assert "Location" not in answer.headers, query
        assert not browser.cookies, query
        assert "<script" not in answer.text, query
    for headers in HOSTILE_HEADERS[:6]:
        answer = browser.get(
            f"{ward.app_url}/launch?iss={iss}&launch=x",
            headers=headers,
            allow_redirects=False,
            timeout=TIMEOUT_S,
        )
        asked = urlsplit(answer.headers["Location"])
        assert f"{asked.scheme}://{asked.netloc}" == ward.ehr_url
        assert parse_qs(asked.query)["redirect_uri"] == [f"{ward.app_url}/callback"]


def test_of_many_callbacks_at_once_one_is_accepted(ward: Ward) -> None:
    for _ in range(10 if LONG else 3):
        browser = requests.Session()
        way = way_back(browser, ward)
        cookies = browser.cookies.get_dict()

        def come(_number: int, way: str = way, cookies: dict[str, str] = cookies) -> str:
            answer = requests.get(way, cookies=cookies, allow_redirects=False, timeout=TIMEOUT_S)
            assert answer.status_code == 303
            return answer.headers["Location"]

        with ThreadPoolExecutor(10) as pool:
            ended = list(pool.map(come, range(10)))
        assert sum("/l/" in each for each in ended) == 1
        assert sum(each.startswith("/problem?") for each in ended) == 9


def way_back(browser: requests.Session, ward: Ward, patient: str = "halloran") -> str:
    """Begin a sign-in and return the address that the EHR sends the browser back to."""
    url = f"{ward.ehr_url}/open/{patient}"
    for _ in range(2):
        url = browser.get(url, allow_redirects=False, timeout=TIMEOUT_S).headers["Location"]
    answer = browser.get(url, allow_redirects=False, timeout=TIMEOUT_S)
    assert "code=" in answer.headers["Location"]
    return answer.headers["Location"]


def test_no_page_stays_at_an_address_with_a_code(ward: Ward) -> None:
    browser = requests.Session()
    way = way_back(browser, ward)
    for url in (way.replace("state=", "state=x"), way, way, f"{ward.app_url}/callback?code=x"):
        page = browser.get(url, timeout=TIMEOUT_S)
        assert "code=" not in page.url
        assert "state=" not in page.url
        assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.status_code == 400
    assert "unknown, already used or too old" in page.text
    other = requests.get(page.url, headers={"User-Agent": "another"}, timeout=TIMEOUT_S)
    assert "unknown, already used" not in other.text
    assert other.status_code == 400


@pytest.mark.parametrize("abandon", [0.0, 0.5])
def test_a_browser_that_launches_without_end_is_never_locked_out(
    ward: Ward, abandon: float
) -> None:
    browser, chance = requests.Session(), random.Random(7)
    bases: list[str] = []
    for _ in range(500 if LONG else 40):
        if chance.random() < abandon:
            way_back(browser, ward)
        else:
            bases.append(launch(browser, ward))
        sent = "; ".join(f"{each.name}={each.value}" for each in browser.cookies)
        assert len(sent) < 4_000
    for base in bases[-8:]:
        assert browser.get(f"{base}/match", timeout=TIMEOUT_S).status_code == 200
    page = browser.get(f"{bases[-9]}/match", timeout=TIMEOUT_S)
    assert page.status_code == 401
    assert "closed because 8 newer ones were opened" in page.text


class Tab:
    """One window of a browser: a patient and a user, and the steps from launch to receipt."""

    def __init__(self, browser: requests.Session, ward: Ward, patient: str, user: str) -> None:
        self._browser, self._ward, self.patient, self.user = browser, ward, patient, user
        self._way = self._base = self.draft_id = self.launch_token = ""
        self.page = requests.Response()
        self.steps = [self._begin, self._come_back, self._plan, self._keep, self._accept]

    def go(self) -> None:
        """Take the next step, and check whose page it shows."""
        self.steps.pop(0)()
        if not self._base:
            return
        assert self.page.status_code == 200, (self.page.url, self.page.text[-800:])
        own, others = NAMES[self.patient], set(NAMES.values()) - {NAMES[self.patient]}
        assert own in self.page.text
        assert not any(each in self.page.text for each in others)
        assert USERS[self.user] in self.page.text

    def _begin(self) -> None:
        url = f"{self._ward.ehr_url}/open/{self.patient}?user={self.user}"
        for _ in range(3):
            answer = self._browser.get(url, allow_redirects=False, timeout=TIMEOUT_S)
            url = answer.headers["Location"]
            self.launch_token = self.launch_token or parse_qs(urlsplit(url).query)["launch"][0]
        self._way = url

    def _come_back(self) -> None:
        self.page = self._browser.get(self._way, timeout=TIMEOUT_S)
        self._base = self.page.url.removesuffix("/match")

    def _plan(self) -> None:
        self.page = self._browser.get(f"{self._base}/plan/LUNG", timeout=TIMEOUT_S)

    def _keep(self) -> None:
        form = {"_csrf": csrf_token(self.page.text), "next": "review"}
        self.page = self._browser.post(f"{self._base}/plan/LUNG", data=form, timeout=TIMEOUT_S)
        assert "/review/" in self.page.url, self.page.text[-800:]
        self.draft_id = self.page.url.rpartition("/")[2]

    def _accept(self) -> None:
        version = re.search(r'name="version" value="(\d+)"', self.page.text)
        assert version
        form = {"_csrf": csrf_token(self.page.text), "confirm": "yes", "version": version[1]}
        url = f"{self._base}/review/{self.draft_id}"
        self.page = self._browser.post(url, data=form | {"earlier": "keep"}, timeout=TIMEOUT_S)


def test_two_tabs_of_one_browser_are_never_crossed(ward: Ward) -> None:
    """Browsers work beside each other; each walks its two tabs past each other, again and again."""
    count = 1_000 if LONG else 12
    with ThreadPoolExecutor(BROWSERS) as pool:
        walks = [pool.submit(walk, ward, range(n, count, BROWSERS)) for n in range(BROWSERS)]
        done = sum(each.result() for each in walks)
    assert done == count


def walk(ward: Ward, seeds: range) -> int:
    """Walk two tabs of one browser past each other, an order of steps a seed.

    Returns:
        How many orders were walked, none of them crossed.
    """
    browser = requests.Session()
    every = 50 if LONG else 4
    for seed in seeds:
        chance = random.Random(seed)
        tabs = [
            Tab(browser, ward, "halloran", chance.choice(list(USERS))),
            Tab(browser, ward, "sato", chance.choice(list(USERS))),
        ]
        for tab in tabs:
            if seed % every:  # A written plan costs more than all before it.
                tab.steps.pop()
        while any(tab.steps for tab in tabs):
            chance.choice([tab for tab in tabs if tab.steps]).go()
        for tab, other in (tabs, tabs[::-1]):
            page = browser.get(f"{tab._base}/review/{other.draft_id}", timeout=TIMEOUT_S)
            assert page.status_code == 403
            assert NAMES[other.patient] not in page.text
        if seed % every == 0:
            for tab in tabs:
                assert_written_for_its_own(ward, tab)
        forget_drafts(ward, [tab.draft_id for tab in tabs])
    return len(seeds)


def assert_written_for_its_own(ward: Ward, tab: Tab) -> None:
    repository = HttpRepository(ward.fhir_url, session=requests.Session())
    found = repository.search("CarePlan", {"patient": tab.patient})
    [plan] = [each for each in found if tab.draft_id in str(each.get("identifier"))]
    assert plan["subject"]["reference"] == f"Patient/{tab.patient}"
    assert plan["author"]["reference"].endswith(f"Practitioner/{tab.user}")


def forget_drafts(ward: Ward, draft_ids: list[str]) -> None:
    """Remove what the pages of the next launches would list: it only makes them slow."""
    with closing(sqlite3.connect(ward.folder / "app.sqlite3", timeout=30)) as database, database:
        database.executemany("DELETE FROM drafts WHERE id = ?", [(each,) for each in draft_ids])


def test_no_secret_and_no_name_stands_anywhere_it_should_not(ward: Ward) -> None:
    canaries, urls, problems = plant(ward)
    assert len(canaries) >= 40
    time.sleep(0.5)
    places = {
        "log": (ward.folder / "app.log").read_bytes(),
        "metrics": requests.get(ward.metrics_url, timeout=TIMEOUT_S).content,
        "addresses": "\n".join(urls).encode(),
        "problem pages": "\n".join(problems).encode(),
    }
    for path in ward.folder.glob("app.sqlite3*"):
        places[path.name] = path.read_bytes()
    assert b"ivfhir_request_seconds" in places["metrics"]
    assert {"app.sqlite3", "app.sqlite3-wal"} <= places.keys()
    found = [
        (what, place) for what in canaries for place in places if what.encode() in places[place]
    ]
    assert found == []


def test_no_secret_and_no_name_stands_in_a_dump_of_postgresql(
    postgres: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("IVFHIR_METRICS_PORT", raising=False)  # The other ward publishes there.
    url = postgres.new_database()
    with run_sekmet() as fhir, running_ward(tmp_path, fhir, database_url=url) as ward:
        canaries, _, _ = plant(ward)
        log = (tmp_path / "app.log").read_bytes()
    dump = postgres.dump(url)
    assert len(canaries) >= 40
    assert b"COPY public.launches" in dump
    assert b"ivk1".hex().encode() in dump  # How sealed rows begin: bytes stand in it as hex.
    for what in canaries:
        for form in (what.encode(), what.encode().hex().encode()):
            assert form not in dump, what
        assert what.encode() not in log, what


def plant(ward: Ward) -> tuple[set[str], list[str], list[str]]:
    """Work as a clinician and as one whom things go wrong for.

    Returns:
        What is secret or of a person; the addresses of pages; the pages of problems.
    """
    canaries = {"HALLORAN", "Halloran", "Edmund", "SATO", "Dr Imogen Vance", "Dr Chidi Okafor"}
    urls: list[str] = []
    problems: list[str] = []
    pairs = [(patient, user) for patient in NAMES for user in USERS]
    for patient, user in [*pairs, pairs[0]]:
        browser = requests.Session()
        tab = Tab(browser, ward, patient, user)
        tab.go()
        query = parse_qs(urlsplit(tab._way).query)
        canaries |= {query["code"][0], query["state"][0], tab.launch_token}
        canaries |= {cookie.value or "" for cookie in browser.cookies} - {patient}
        tab.go()
        canaries |= {cookie.value or "" for cookie in browser.cookies} - {patient}
        replayed = browser.get(tab._way, timeout=TIMEOUT_S)
        urls += [tab.page.url, replayed.url]
        problems += [replayed.text]
        tab.go()
        canaries.add(csrf_token(tab.page.text))
        urls.append(tab.page.url)
        ward.faults.add(Fault("status-500", times=1, path=".*Observation"))
        broken = browser.get(f"{tab._base}/match?read=again", timeout=TIMEOUT_S)
        urls.append(broken.url)
        problems.append(broken.text.partition("<main")[2])
        forged = browser.post(f"{tab._base}/plan/LUNG", data={"x": "y"}, timeout=TIMEOUT_S)
        assert forged.status_code == 403
        problems.append(forged.text.partition("<main")[2])
        stranger = requests.get(f"{tab._base}/match", timeout=TIMEOUT_S)
        assert stranger.status_code == 401
        problems.append(stranger.text)
        ward.faults.clear()
    assert ward.grants is not None
    canaries |= {name for _, name in ward.grants._kept}
    return canaries, urls, problems
