"""Whoever sends a plan and whoever looks meanwhile leave one event of its write."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from ivfhir.errors import UnreachableError
from ivfhir.servers.http import HttpRepository
from ivfhir.write_back import write_back
from ivfhir.writing.bundle import PLAN_SYSTEM
from smart_app.visit import accepting
from tests.servers.postgres_server import PostgresServer
from tests.smart_app.conftest import (
    Clock,
    RunningEhr,
    new_client,
    running_samples,
)
from tests.smart_app.pages.conftest import Clinician, when_accepted
from tests.smart_app.tables_once import make_tables

WAIT_S = 30


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server of this test's own."""
    with running_samples("halloran") as base:
        yield base


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database of this test's own, on each of the engines."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'app.sqlite3'}"
    server: PostgresServer = request.getfixturevalue("postgres")
    return server.new_copy(make_tables)


def writes(app: Flask, draft_id: str) -> list[str]:
    """Return the outcome of each event of a draft's write, in order."""
    told = [event.content for event in app.extensions["ivfhir"].store.events()]
    return [
        each["outcome"]
        for each in told
        if (each["event"], each.get("draft")) == ("write", draft_id)
    ]


def meet_at_the_trail(app: Flask, monkeypatch: pytest.MonkeyPatch) -> threading.Barrier:
    """Let two who found the plan written come to the trail at one moment."""
    store = app.extensions["ivfhir"].store
    both, add = threading.Barrier(2), store.add_event

    def add_together(content: dict[str, str], **how: object) -> bool:
        if content["event"] == "write":
            both.wait(WAIT_S)
        return bool(add(content, **how))

    monkeypatch.setattr(store, "add_event", add_together)
    return both


def wait_for_the_plan(repository: HttpRepository, draft_id: str) -> None:
    query = {"identifier": f"{PLAN_SYSTEM}|{draft_id}"}
    until = time.monotonic() + WAIT_S
    while not repository.search("CarePlan", query):
        assert time.monotonic() < until
        time.sleep(0.02)


def looking_too(clinician: Clinician, app: Flask) -> Clinician:
    """Return the same clinician at another window of the same browser."""
    client = new_client(app)
    client._cookies = dict(clinician.client._cookies)
    return Clinician(client, clinician.launched)


def test_a_receipt_that_looks_while_the_plan_is_sent_leaves_no_second_event(
    clinician: Clinician,
    app: Flask,
    fake_ehr: RunningEhr,
    repository: HttpRepository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    draft_id = clinician.make_draft()
    other = looking_too(clinician, app)
    fake_ehr.fail("slow-after", method="POST", path="/?$")
    both = meet_at_the_trail(app, monkeypatch)
    with ThreadPoolExecutor(1) as pool:
        sent = pool.submit(clinician.accept, draft_id)
        wait_for_the_plan(repository, draft_id)
        receipt = other.open(f"receipt/{draft_id}").text
        assert sent.result().status_code == 303
    assert not both.broken  # Both found it written.
    assert "Written: 48 of 48 entries" in receipt
    assert "Written: 48 of 48 entries" in clinician.open(f"receipt/{draft_id}").text
    assert writes(app, draft_id) == ["success"]
    assert app.extensions["ivfhir"].store.prove_trail().breaks == []


def test_who_is_killed_before_the_receipt_leaves_the_event_once(
    clinician: Clinician, app: Flask, monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """Neither none, when the receipt came first, nor two, when the plan is found again."""
    draft_id = clinician.make_draft()
    store = app.extensions["ivfhir"].store

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(store, "save_written", killed)
        with pytest.raises(KeyboardInterrupt):
            clinician.accept(draft_id)
    assert writes(app, draft_id) == ["success"]
    assert "Not known to be written" in clinician.open(f"receipt/{draft_id}").text
    clinician.send(f"receipt/{draft_id}", {})
    assert "Written: 48 of 48 entries" in clinician.open(f"receipt/{draft_id}").text
    assert writes(app, draft_id) == ["success"]


def test_who_looks_while_a_plan_is_accepted_anew_keeps_no_receipt_of_the_first_time(
    clinician: Clinician, app: Flask, fake_ehr: RunningEhr, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft_id = clinician.make_draft()
    fake_ehr.fail("status-412", method="POST", path="/?$")
    assert clinician.accept(draft_id).status_code == 303
    assert "Not written" in clinician.open(f"receipt/{draft_id}").text
    other = looking_too(clinician, app)
    looked, pages = [], []
    monkeypatch.setattr(accepting, "find_sent", lambda *given: bool(looked.append(given)))
    when_accepted(
        app.extensions["ivfhir"].store,
        lambda: pages.append(other.open(f"receipt/{draft_id}").text),
        monkeypatch,
    )
    assert clinician.accept(draft_id).status_code == 303
    assert "Being accepted: look again in a moment" in pages[0]
    assert looked == []
    page = clinician.open(f"receipt/{draft_id}").text
    assert "Written: 48 of 48 entries, read back and the same" in page


def test_a_try_that_fails_after_somebody_found_the_plan_is_not_called_failed(
    clinician: Clinician, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft_id = clinician.make_draft()
    other = looking_too(clinician, app)
    seen = []

    def written_unheard(*given: Any, **how: Any) -> None:
        write_back(*given, **how)
        seen.append(other.open(f"receipt/{draft_id}").text)
        raise UnreachableError("No answer came.")

    monkeypatch.setattr("smart_app.visit.sending.write_back", written_unheard)
    assert clinician.accept(draft_id).status_code == 303
    assert "Written: 48 of 48 entries" in seen[0]
    assert "Written: 48 of 48 entries" in clinician.open(f"receipt/{draft_id}").text
    assert writes(app, draft_id) == ["success"]
