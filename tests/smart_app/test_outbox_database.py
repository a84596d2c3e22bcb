"""The app's database fails while a plan is accepted or sent: told, and nothing lost or doubled."""

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from sqlalchemy import event

from ivfhir.errors import DatabaseError
from ivfhir.fhir.types import Resource
from ivfhir.servers.http import HttpRepository
from smart_app.config import Ehr, Settings
from smart_app.outbox_worker import Sent, send_due
from smart_app.store import Store
from tests.servers.postgres_server import PostgresServer
from tests.smart_app.conftest import (
    APP_URL,
    CLIENT_ID,
    Launched,
    RunningEhr,
    new_client,
    running_samples,
)
from tests.smart_app.over_http import ONE_PLAN, stored_counts
from tests.smart_app.pages.conftest import Clinician, csrf_token


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server with one sample patient, of this test's own."""
    with running_samples("halloran") as base:
        yield base


@pytest.fixture
def clinician(launched: Launched) -> Clinician:
    return Clinician(launched.client, launched)


def counts(fhir_server: str, draft_id: str) -> dict[str, int]:
    repository = HttpRepository(fhir_server, session=requests.Session())
    return dict(stored_counts(repository, draft_id, "halloran"))


def after_the_commit(monkeypatch: pytest.MonkeyPatch, happens: Callable[[], None]) -> None:
    """Let something happen, once, between the server's commit and the app's next step."""
    original = HttpRepository.transact
    left = [happens]

    def transact(self: HttpRepository, bundle: Resource) -> Resource:
        answer = original(self, bundle)
        if left:
            left.pop()()
        return answer

    monkeypatch.setattr(HttpRepository, "transact", transact)


def store_of(app: Flask) -> Store:
    store: Store = app.extensions["ivfhir"].store
    return store


def let_time_pass(app: Flask) -> None:
    """Let the claim of who failed end, and what waits be due."""
    with store_of(app)._transaction() as session:
        connection = session.connection()
        connection.exec_driver_sql("UPDATE drafts SET claimed_until = 0")
        connection.exec_driver_sql("UPDATE outbox SET due_at = 0")


class Disk:
    """The disk of an SQLite database, which a test may fill."""

    def __init__(self, store: Store) -> None:
        self.full = False
        event.listen(store._engine, "checkout", self._limit)

    def _limit(self, connection: Any, *_: object) -> None:
        most = 1 if self.full else 1_000_000  # SQLite takes no less than there are already.
        connection.execute(f"PRAGMA max_page_count={most}")

    def fill(self) -> None:
        self.full = True


def test_a_full_disk_is_told_and_nothing_is_accepted(
    app: Flask, clinician: Clinician, fhir_server: str
) -> None:
    disk = Disk(store_of(app))
    draft_id = clinician.make_draft()
    clinician.open(f"review/{draft_id}")
    disk.fill()
    answer = clinician.accept(draft_id)
    assert answer.status_code == 503
    assert "no room left on its disk" in answer.text
    assert counts(fhir_server, draft_id) == dict.fromkeys(ONE_PLAN, 0)
    disk.full = False
    let_time_pass(app)
    store_of(app).adopt_unsent()
    assert clinician.accept(draft_id).status_code == 303
    assert counts(fhir_server, draft_id) == ONE_PLAN


def test_a_disk_that_is_full_when_the_plan_is_there_loses_and_doubles_nothing(
    app: Flask, clinician: Clinician, fhir_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(store_of(app))
    draft_id = clinician.make_draft()
    after_the_commit(monkeypatch, disk.fill)
    answer = clinician.accept(draft_id)
    assert answer.status_code == 503
    assert "no room left on its disk" in answer.text
    disk.full = False
    it_is_found_and_kept(app, clinician, fhir_server, draft_id)


def test_a_database_that_is_locked_when_the_plan_is_there_loses_and_doubles_nothing(
    app: Flask,
    clinician: Clinician,
    fhir_server: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    draft_id = clinician.make_draft()
    holder = sqlite3.connect(tmp_path / "app.sqlite3", isolation_level=None)
    after_the_commit(monkeypatch, lambda: holder.execute("BEGIN IMMEDIATE") and None)
    answer = clinician.accept(draft_id)
    assert answer.status_code == 503
    assert "is locked, so this could not be done" in answer.text
    holder.execute("ROLLBACK")
    holder.close()
    it_is_found_and_kept(app, clinician, fhir_server, draft_id)


def test_a_postgresql_that_is_restarted_when_the_plan_is_there_loses_and_doubles_nothing(
    on_postgres: Flask,
    postgres: PostgresServer,
    launch_for: Callable[..., Launched],
    fhir_server: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    browser = new_client(on_postgres)
    clinician = Clinician(browser, launch_for(browser))
    draft_id = clinician.make_draft()
    after_the_commit(monkeypatch, postgres.stop)
    try:
        answer = clinician.accept(draft_id)
    finally:
        postgres.start()
    assert answer.status_code == 503
    assert "database does not answer" in answer.text
    it_is_found_and_kept(on_postgres, clinician, fhir_server, draft_id)


def test_an_acceptance_that_was_kept_unheard_is_sent_all_the_same(
    app: Flask, clinician: Clinician, fhir_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft_id = clinician.make_draft()
    with monkeypatch.context() as patched:
        accepted = store_of(app).accept_draft

        def kept_unheard(*given: Any, **how: Any) -> bool:
            accepted(*given, **how)
            raise DatabaseError("The app's database does not answer.")

        patched.setattr(store_of(app), "accept_draft", kept_unheard)
        assert clinician.accept(draft_id).status_code == 503
    assert counts(fhir_server, draft_id) == dict.fromkeys(ONE_PLAN, 0)
    it_is_sent_and_kept(app, clinician, fhir_server, draft_id)


@pytest.mark.parametrize("ehr_is_away", [False, True])
def test_an_acceptance_whose_app_was_killed_is_not_undone_by_the_form_that_comes_again(
    app: Flask,
    clinician: Clinician,
    fake_ehr: RunningEhr,
    monkeypatch: pytest.MonkeyPatch,
    ehr_is_away: bool,
) -> None:
    draft_id = clinician.make_draft()
    page = clinician.open(f"review/{draft_id}")
    form = {"confirm": "yes", "version": "1"}
    with monkeypatch.context() as patched:
        patched.setattr("smart_app.visit.accepting.send_plan", killed)
        patched.setattr(store_of(app), "release_draft", lambda *_, **__: None)
        with pytest.raises(KeyboardInterrupt):
            clinician.send(f"review/{draft_id}", form, token=csrf_token(page))
    let_time_pass(app)
    if ehr_is_away:
        fake_ehr.fail("status-503", times=None)
    answer = clinician.send(f"review/{draft_id}", form, token=csrf_token(page))
    assert (answer.status_code, "/receipt/" in answer.headers["Location"]) == (303, True)
    fake_ehr.faults.clear()
    it_is_sent_and_kept(app, clinician, fake_ehr.settings.fhir_upstream, draft_id)


def killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


@pytest.fixture
def on_postgres(
    fake_ehr: RunningEhr, tmp_path: Path, make_app: Callable[..., Flask], postgres: PostgresServer
) -> Iterator[Flask]:
    """The app on PostgreSQL."""
    settings = Settings(
        public_url=APP_URL,
        ehrs=(Ehr(iss=fake_ehr.iss, client_id=CLIENT_ID, name="Test EHR"),),
        database_url=postgres.new_database(),
        key_file=str(tmp_path / "key"),
        timeout_s=5,
        log_level="error",
    )
    app = make_app(settings)
    yield app
    store_of(app).close()


def it_is_found_and_kept(app: Flask, clinician: Clinician, fhir_server: str, draft_id: str) -> None:
    """See that the plan is there once, and that the worker finds it and keeps its receipt."""
    assert counts(fhir_server, draft_id) == ONE_PLAN
    it_is_sent_and_kept(app, clinician, fhir_server, draft_id)


def it_is_sent_and_kept(app: Flask, clinician: Clinician, fhir_server: str, draft_id: str) -> None:
    """See that the worker leaves the plan there once, and keeps its receipt."""
    let_time_pass(app)
    assert send_due(app) == Sent(delivered=1)
    assert counts(fhir_server, draft_id) == ONE_PLAN
    assert "Written: 48 of 48 entries" in clinician.open(f"receipt/{draft_id}").text
