"""The trail's events go to an EHR that allows it: once each, and never where it does not."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest
import requests
from flask import Flask

from ivfhir.fhir.types import Resource
from ivfhir.servers.http import HttpRepository
from smart_app import audit_courier
from smart_app.audit_courier import deliver
from smart_app.audit_event import AUDIT_SYSTEM
from smart_app.fake_ehr import fhir_proxy
from smart_app.fake_ehr.faults import Fault
from smart_app.smart.scopes import audit_scope
from smart_app.store import Store
from tests.servers.sekmet_server import run_sekmet
from tests.smart_app.conftest import Launched, RunningEhr
from tests.smart_app.over_http import HttpClinician, csrf_token
from tests.smart_app.test_killed_in_a_write import running_ward, wait_until


@pytest.fixture
def ehr_options() -> dict[str, object]:
    return {"audit": True}


pytestmark = pytest.mark.usefixtures("only_when_told")


@pytest.fixture
def only_when_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the thread not send, so that a test sees each step; `deliver` is what it calls."""
    monkeypatch.setattr("smart_app.audit_courier.Courier.wake", lambda *_: None)


def store_of(app: Flask) -> Store:
    store: Store = app.extensions["ivfhir"].store
    return store


def states(app: Flask) -> list[str]:
    return [event.delivery for event in store_of(app).events()]


def on_ehr(app: Flask, fhir_server: str) -> list[Resource]:
    """Return what the FHIR server holds of this app's trail."""
    repository = HttpRepository(fhir_server, session=requests.Session())
    found = []
    for event in store_of(app).events():
        found += repository.search("AuditEvent", {"_tag": f"{AUDIT_SYSTEM}|{event.mark}"})
    return found


def let_them_be_due(app: Flask) -> None:
    path = str(store_of(app)._engine.url.database)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE audit_deliveries SET due_at = 0")


def send(app: Flask, launched: Launched) -> int:
    return deliver(app.extensions["ivfhir"], launched.launch_id)


def test_each_event_is_there_once_without_names(
    app: Flask, launched: Launched, fhir_server: str
) -> None:
    launched.client.get(launched.url("match"))
    assert states(app) == ["waiting"] * 3
    assert send(app, launched) == 3
    assert send(app, launched) == 0
    assert states(app) == ["sent"] * 3
    found = on_ehr(app, fhir_server)
    assert [each["action"] for each in found] == ["E", "R", "E"]
    assert "Vance" not in str(found)
    assert "Halloran" not in str(found)


def test_an_answer_that_is_lost_makes_no_second_event(
    app: Flask, launched: Launched, fake_ehr: RunningEhr, fhir_server: str
) -> None:
    fake_ehr.fail("drop-after", method="POST", path="AuditEvent")
    assert send(app, launched) == 0
    assert states(app) == ["waiting"]
    assert len(on_ehr(app, fhir_server)) == 1
    assert send(app, launched) == 0  # It is not due again yet.
    let_them_be_due(app)
    assert send(app, launched) == 1
    assert states(app) == ["sent"]
    assert len(on_ehr(app, fhir_server)) == 1


def test_of_many_that_send_at_once_each_event_goes_once(
    app: Flask, launched: Launched, fhir_server: str
) -> None:
    for page in ("match", "why/LUNG", "plan/LUNG", "record"):
        launched.client.get(launched.url(page))
    count = len(states(app))
    assert count >= 4
    threads = [threading.Thread(target=send, args=(app, launched)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states(app) == ["sent"] * count
    assert len(on_ehr(app, fhir_server)) == count


@pytest.mark.parametrize("fault", ["status-500", "status-429", "html", "outcome", "drop-before"])
def test_what_the_ehr_fails_to_take_waits_and_goes_later(
    app: Flask, launched: Launched, fake_ehr: RunningEhr, fault: str
) -> None:
    fake_ehr.fail(fault, method="POST", path="AuditEvent")
    assert send(app, launched) == 0
    assert states(app) == ["waiting"]
    let_them_be_due(app)
    assert send(app, launched) == 1


def test_a_refusal_is_for_good_and_said(
    app: Flask, launched: Launched, fake_ehr: RunningEhr, fhir_server: str
) -> None:
    launched.client.get(launched.url("match"))
    fake_ehr.fail("status-403", method="POST", path="AuditEvent")
    assert send(app, launched) == 0
    assert states(app) == ["refused"] * 3
    assert on_ehr(app, fhir_server) == []


def test_an_event_that_is_no_valid_fhir_is_not_sent_and_stays_in_the_trail(
    app: Flask, launched: Launched, fhir_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = audit_courier.to_audit_event

    def wrong(*args: object, **more: object) -> Resource:
        return made(*args, **more) | {"outcome": "9"}

    monkeypatch.setattr(audit_courier, "to_audit_event", wrong)
    assert send(app, launched) == 0
    assert states(app) == ["refused"]
    assert on_ehr(app, fhir_server) == []


def test_after_the_sign_out_nothing_is_sent_and_the_trail_says_so(
    app: Flask, launched: Launched, fhir_server: str
) -> None:
    page = launched.client.get(launched.url("match")).text
    answer = launched.client.post(
        launched.url("sign-out"),
        data={"_csrf": csrf_token(page)},
    )
    assert answer.status_code == 200
    let_them_be_due(app)
    assert send(app, launched) == 0
    assert states(app) == ["kept-here"] * 3 + ["none"]
    assert on_ehr(app, fhir_server) == []


def test_a_scope_that_is_not_granted_sends_nothing(
    app: Flask, client: object, fake_ehr: RunningEhr, launch_for: object
) -> None:
    fake_ehr.fail("no-audit")
    launched = launch_for(client)  # type: ignore[operator]  # a fixture's function
    assert send(app, launched) == 0
    assert states(app) == ["none"]


def test_a_scope_is_asked_for_only_where_it_is_named_or_the_site_asks() -> None:
    named = ["patient/*.cruds", "user/AuditEvent.c"]
    assert audit_scope(["permission-v2"], named, unnamed=False) == "user/AuditEvent.c"
    assert audit_scope(["permission-v2"], ["patient/*.cruds"], unnamed=False) is None
    assert audit_scope(["permission-v2"], ["patient/AuditEvent.rs"], unnamed=False) is None
    assert audit_scope(["permission-v2"], [], unnamed=True) == "patient/AuditEvent.c"
    assert audit_scope(["permission-v1"], [], unnamed=True) == "patient/AuditEvent.write"
    v1 = ["user/AuditEvent.write"]
    assert audit_scope(["permission-v1"], v1, unnamed=False) == "user/AuditEvent.write"


def accept_and_look(folder: Path, base: str, *, killed: bool) -> None:
    """Accept a plan on two workers; see that each event of the trail is on the EHR once."""
    with running_ward(folder, base, audit=True) as ward:
        clinician = HttpClinician(ward.ehr_url)
        clinician.launch()
        clinician.make_draft()
        with pytest.MonkeyPatch.context() as patch:
            if killed:  # The page of the receipt takes seconds, too, where much else goes on.
                patch.setattr(fhir_proxy, "_SLOW_S", 12.0)
                ward.faults.add(Fault("slow-after", times=1, method="POST", path="AuditEvent"))
            answer = clinician.browser.post(
                clinician.page.url, data=clinician.confirmation(), timeout=60
            )
            assert answer.status_code == 200
            if killed:
                ward.kill_app()
        if killed:
            with closing(sqlite3.connect(folder / "app.sqlite3")) as database, database:
                assert rows(database, "waiting")
                database.execute("UPDATE audit_deliveries SET due_at = 0")
            ward.start_app()
            clinician.open("match")

        def all_sent() -> bool:
            with closing(sqlite3.connect(folder / "app.sqlite3")) as database:
                return not rows(database, "waiting")

        wait_until(all_sent)
        with closing(sqlite3.connect(folder / "app.sqlite3")) as database:
            sent = rows(database, "sent")
    repository = HttpRepository(base, session=requests.Session())
    found = repository.search("AuditEvent", {})
    marks = [
        tag["code"]
        for each in found
        for tag in each["meta"]["tag"]
        if tag["system"] == AUDIT_SYSTEM
    ]
    assert len(marks) == len(set(marks)) == sent
    plans = [e for each in found for e in each["entity"] if "/" in str(e.get("what"))]
    assert any(e["what"].get("reference", "").startswith("CarePlan/") for e in plans)


def rows(database: sqlite3.Connection, state: str) -> int:
    query = "SELECT count(*) FROM audit_deliveries WHERE state = ?"
    [count] = database.execute(query, (state,)).fetchone()
    return int(count)


@pytest.mark.server
def test_an_accepted_plan_leads_to_events_on_the_ehr_once_each(tmp_path: Path) -> None:
    with run_sekmet() as base:
        accept_and_look(tmp_path, base, killed=False)


@pytest.mark.server
def test_a_kill_between_event_and_delivery_loses_and_doubles_none(tmp_path: Path) -> None:
    with run_sekmet() as base:
        accept_and_look(tmp_path, base, killed=True)


@pytest.mark.server
def test_a_kill_loses_and_doubles_none_on_hapi(hapi: str, tmp_path: Path) -> None:
    accept_and_look(tmp_path, hapi, killed=True)
