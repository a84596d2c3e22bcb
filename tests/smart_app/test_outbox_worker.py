"""What did not reach the EHR in the click is sent later: once, in order, or it is said why not."""

import io
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import timedelta

import pytest
import requests
from flask import Flask

from ivfhir.errors import RejectedError, SessionEndedError, UnauthorisedError, UsageError
from ivfhir.fhir.types import Resource
from ivfhir.outbox.failing import After
from ivfhir.servers.http import HttpRepository
from ivfhir.sync.servers import Server
from smart_app import outbox_worker
from smart_app.fake_ehr.grants import Access, Refresh
from smart_app.logs import make_logger
from smart_app.outbox_worker import OutboxThread, Sent, send_due
from smart_app.services import AppServices
from smart_app.store import Store
from smart_app.store.outbox import Waiting
from smart_app.visit.way import SINGLES, Way
from tests.smart_app.conftest import (
    CLIENT_ID,
    Clock,
    Launched,
    RunningEhr,
    new_client,
    running_samples,
)
from tests.smart_app.pages.conftest import Clinician, csrf_token
from tests.smart_app.pages.test_routes_write import change_platelets, plans_of
from tests.smart_app.test_killed_in_a_write import wait_until


@pytest.fixture
def fhir_server() -> Iterator[str]:
    """Base URL of a FHIR server with two sample patients, of this test's own."""
    with running_samples("halloran", "duarte") as base:
        yield base


@pytest.fixture
def repository(fhir_server: str) -> HttpRepository:
    return HttpRepository(fhir_server, session=requests.Session())


@pytest.fixture
def clinician(launched: Launched) -> Clinician:
    return Clinician(launched.client, launched)


@pytest.fixture
def unsent(clinician: Clinician, fake_ehr: RunningEhr) -> str:
    """The draft of a plan that was accepted and that the EHR did not take in the click."""
    draft_id = clinician.make_draft()
    fake_ehr.fail("status-503", method="POST", path=".*")
    assert clinician.accept(draft_id).status_code == 303
    return draft_id


@pytest.fixture
def second(app: Flask, fake_ehr: RunningEhr, launch_for: Callable[..., Launched]) -> str:
    """The same for another patient."""
    other = relaunch(app, launch_for, "duarte")
    draft_id = other.make_draft(**{"override-reason": "Platelets are given before."})
    fake_ehr.fail("status-503", method="POST")
    other.accept(draft_id)
    return draft_id


def store_of(app: Flask) -> Store:
    store: Store = app.extensions["ivfhir"].store
    return store


def state_of(app: Flask, draft_id: str) -> str:
    found = store_of(app).waiting_of(draft_id)
    assert found is not None
    return found.entry.state


def let_them_be_due(app: Flask) -> None:
    path = str(store_of(app)._engine.url.database)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE outbox SET due_at = 0")


def sign_out(clinician: Clinician) -> str:
    page = clinician.open("match")
    answer = clinician.send("sign-out", {}, token=csrf_token(page))
    assert answer.status_code == 200
    return answer.text


def relaunch(app: Flask, launch_for: Callable[..., Launched], patient: str) -> Clinician:
    browser = new_client(app)
    return Clinician(browser, launch_for(browser, patient))


def signed(app: Flask) -> int:
    return sum(event.content["event"] == "sign" for event in store_of(app).events())


def test_the_page_says_when_it_was_tried_and_when_it_is_tried_next_and_then_it_is_there(
    app: Flask, clinician: Clinician, unsent: str, repository: HttpRepository
) -> None:
    page = clinician.open(f"receipt/{unsent}").text
    assert "Not written: the EHR failed" in page
    assert "sent again by itself, never twice" in page
    moment = r"\d+ \w{3} \d{4}, \d\d:\d\d:\d\d"
    assert re.search(f"Last tried at {moment}, next at {moment}\\.", page)
    assert "not written yet" in clinician.open("match").text
    assert send_due(app) == Sent()
    assert plans_of(repository, unsent) == []
    let_them_be_due(app)
    assert send_due(app) == Sent(delivered=1)
    assert send_due(app) == Sent()
    assert len(plans_of(repository, unsent)) == 1
    assert "Written: 48 of 48 entries" in clinician.open(f"receipt/{unsent}").text
    assert signed(app) == 1


def test_what_was_parked_and_is_let_go_is_not_said_to_need_a_review(
    app: Flask, clinician: Clinician, fake_ehr: RunningEhr
) -> None:
    draft_id = clinician.make_draft()
    fake_ehr.fail("status-412", method="POST")
    clinician.accept(draft_id)
    assert "Review it again before it is sent." in clinician.open(f"receipt/{draft_id}").text
    (waiting,) = store_of(app).outbox()
    store_of(app).retry_entry(waiting.entry.id)
    page = clinician.open(f"receipt/{draft_id}").text
    assert "Review it again" not in page
    assert "sent again by itself, never twice" in page
    assert "next as soon as possible" in page
    assert send_due(app) == Sent(delivered=1)


def test_what_the_server_asks_to_wait_is_waited(
    app: Flask, clinician: Clinician, fake_ehr: RunningEhr
) -> None:
    draft_id = clinician.make_draft()
    fake_ehr.fail("status-429", method="POST")
    clinician.accept(draft_id)
    found = store_of(app).waiting_of(draft_id)
    assert found is not None
    assert 5 <= found.entry.due_at - int(found.entry.tried_at or 0) <= 20
    assert found.said["again"] == "yes"


def test_an_answer_that_was_lost_makes_no_second_plan(
    app: Flask,
    clinician: Clinician,
    unsent: str,
    fake_ehr: RunningEhr,
    repository: HttpRepository,
) -> None:
    let_them_be_due(app)
    fake_ehr.fail("drop-after", method="POST")
    assert send_due(app) == Sent(delivered=1)
    assert len(plans_of(repository, unsent)) == 1


def test_after_a_sign_out_nothing_is_sent_until_the_clinician_comes_back(
    app: Flask,
    clinician: Clinician,
    unsent: str,
    repository: HttpRepository,
    launch_for: Callable[..., Launched],
) -> None:
    assert "A plan that you accepted is not known to be in the EHR yet" in sign_out(clinician)
    let_them_be_due(app)
    assert send_due(app) == Sent()
    assert state_of(app, unsent) == "waiting-for-sign-in"
    assert plans_of(repository, unsent) == []
    relaunch(app, launch_for, "duarte")
    assert send_due(app) == Sent()
    later = relaunch(app, launch_for, "halloran")
    assert send_due(app) == Sent(delivered=1)
    assert len(plans_of(repository, unsent)) == 1
    assert "Written: 48 of 48 entries" in later.open(f"receipt/{unsent}").text


def test_the_access_of_a_sign_out_during_a_try_is_ended_also_when_the_app_is_opened_again(
    app: Flask,
    clinician: Clinician,
    fake_ehr: RunningEhr,
    repository: HttpRepository,
    launch_for: Callable[..., Launched],
) -> None:
    draft_id = clinician.make_draft()
    launch_id = clinician.launched.launch_id
    held = store_of(app).reload_launch(launch_id).body
    transact, opened = HttpRepository.transact, list[Clinician]()

    def signs_out_meanwhile(server: HttpRepository, bundle: Resource) -> Resource:
        patched.undo()
        assert "For this try alone the access is kept" in re.sub(r"\s+", " ", sign_out(clinician))
        opened.append(relaunch(app, launch_for, "halloran"))
        return transact(server, bundle)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(HttpRepository, "transact", signs_out_meanwhile)
        clinician.accept(draft_id)
    assert len(plans_of(repository, draft_id)) == 1
    assert fake_ehr.grants.get(Access, held["access_token"]) is None
    assert fake_ehr.grants.get(Refresh, held["refresh_token"]) is None
    assert "Written: 48 of 48 entries" in opened[0].open(f"receipt/{draft_id}").text
    relaunch(app, launch_for, "halloran")
    with pytest.raises(SessionEndedError):
        store_of(app).reload_launch(launch_id)


def test_an_access_that_ended_lets_the_plan_wait_for_a_sign_in(
    app: Flask,
    unsent: str,
    repository: HttpRepository,
    launch_for: Callable[..., Launched],
) -> None:
    let_them_be_due(app)
    path = str(store_of(app)._engine.url.database)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE launches SET usable_until = 1, expires_at = 1")
    assert send_due(app) == Sent(sign_in=1)
    assert plans_of(repository, unsent) == []
    relaunch(app, launch_for, "halloran")
    assert send_due(app) == Sent(delivered=1)
    assert len(plans_of(repository, unsent)) == 1


@pytest.fixture
def unclear(app: Flask, unsent: str) -> str:
    """A plan of which nobody could look whether an earlier try wrote it."""
    store = store_of(app)
    found = store.waiting_of(unsent)
    assert found is not None
    after = After(found.entry.state, 0, found.entry.failures)
    assert store.put_off_unclaimed(unsent, after, {**found.said, "known": "unclear"})
    return unsent


def test_a_plan_of_which_it_is_not_known_stays_so_while_it_waits_for_a_sign_in(
    app: Flask, unclear: str, launch_for: Callable[..., Launched], fake_ehr: RunningEhr
) -> None:
    path = str(store_of(app)._engine.url.database)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE launches SET usable_until = 1, expires_at = 1")
    assert send_due(app) == Sent(sign_in=1)
    found = store_of(app).waiting_of(unclear)
    assert found is not None
    assert found.known == "unclear"


def test_a_plan_at_which_the_app_breaks_is_not_known_to_be_unwritten(
    app: Flask, unsent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("smart_app.visit.sending.write_back", breaks)
    let_them_be_due(app)
    assert send_due(app) == Sent(waiting=1)
    found = store_of(app).waiting_of(unsent)
    assert found is not None
    assert found.known == "unclear"


def test_after_a_try_that_was_cut_off_it_is_not_known_while_nobody_can_look(
    app: Flask, clinician: Clinician, fake_ehr: RunningEhr, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft_id = clinician.make_draft()

    def killed(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("smart_app.visit.accepting.send_plan", killed)
        with pytest.raises(KeyboardInterrupt):
            clinician.accept(draft_id)
    fake_ehr.fail("status-503", times=None)
    let_them_be_due(app)
    assert send_due(app) == Sent(waiting=1)
    fake_ehr.faults.clear()
    assert "Not known to be written: " in clinician.open(f"receipt/{draft_id}").text


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ("", "not written yet"),
        ("unclear", "not known to be written"),
        ("in part", "not written to its end"),
    ],
)
def test_the_list_says_of_an_accepted_plan_what_is_known_of_it(
    app: Flask, clinician: Clinician, unsent: str, known: str, state: str
) -> None:
    after = After("waiting", 2**31, 1)
    said = {"title": "it could not be sent", "message": "", "details": "", "again": "yes"}
    assert store_of(app).put_off_unclaimed(unsent, after, {**said, "known": known})
    page = clinician.open("match").text
    assert "Accepted, not known to be in the EHR yet" in page
    assert f", {state}</span>" in page


def test_an_acceptance_whose_sender_died_is_not_said_to_be_written_at_this_moment(
    app: Flask, clinician: Clinician, unsent: str
) -> None:
    let_them_be_due(app)
    until = store_of(app).claim_entry(unsent, hold_s=120, at_once=False)
    assert ", being written</span>" in clinician.open("match").text
    with closing(sqlite3.connect(str(store_of(app)._engine.url.database))) as database, database:
        database.execute("UPDATE drafts SET claimed_until = ?", (until - 121,))
    assert ", being written</span>" not in clinician.open("match").text


@pytest.mark.parametrize("path", [".*Observation", "Patient"])
def test_what_was_written_in_part_stays_known_while_it_cannot_be_completed(
    app: Flask,
    clinician: Clinician,
    fake_ehr: RunningEhr,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    monkeypatch.setattr("smart_app.visit.reading.way_of", lambda *_: Way(SINGLES, ()))
    draft_id = clinician.make_draft()
    fake_ehr.fail("status-503", method="POST", path="ServiceRequest", skip=5, times=None)
    clinician.accept(draft_id)
    fake_ehr.faults.clear()
    fake_ehr.fail("status-500", method="GET", path=path, times=None)
    let_them_be_due(app)
    assert send_due(app) == Sent(waiting=1)
    fake_ehr.faults.clear()
    found = store_of(app).waiting_of(draft_id)
    assert found is not None
    assert (found.entry.attempts, found.known) == (2, "in part")
    assert "A part of the plan may be in the EHR" in clinician.open(f"receipt/{draft_id}").text


def test_an_access_that_the_ehr_took_back_is_not_tried_again(
    app: Flask,
    clinician: Clinician,
    unsent: str,
    fake_ehr: RunningEhr,
    repository: HttpRepository,
) -> None:
    let_them_be_due(app)
    fake_ehr.fail("status-401", times=None)
    assert send_due(app) == Sent(sign_in=1)
    assert send_due(app) == Sent()
    assert state_of(app, unsent) == "waiting-for-sign-in"
    assert plans_of(repository, unsent) == []


def test_a_sign_in_during_a_try_outlives_the_refusal_of_the_token_before(
    app: Flask,
    fake_ehr: RunningEhr,
    clock: Clock,
    repository: HttpRepository,
    launch_for: Callable[..., Launched],
) -> None:
    fake_ehr.fail("no-refresh", times=None)
    clinician = relaunch(app, launch_for, "halloran")
    services = app.extensions["ivfhir"]
    services.settings = replace(services.settings, idle_minutes=1)
    draft_id = clinician.make_draft()
    fake_ehr.fail("status-503", method="POST", path=".*")
    clinician.accept(draft_id)
    clock.ahead += timedelta(seconds=90)

    def refuses(*_: object, **__: object) -> None:
        ask = clinician.client.get(clinician.launched.url("again")).headers["Location"]
        patient = None if "launch=" in ask else "halloran"
        clinician.client.get(fake_ehr.sign_in(ask, patient=patient))
        raise UnauthorisedError("The server does not accept the token.", status=401)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(HttpRepository, "transact", refuses)
        assert send_due(app) == Sent(waiting=1)
    assert clinician.client.get(clinician.launched.url("match")).status_code == 200
    assert send_due(app) == Sent(delivered=1)
    assert len(plans_of(repository, draft_id)) == 1


def test_a_token_that_the_clinician_could_renew_is_renewed_for_a_plan_in_the_same_visit(
    app: Flask,
    clinician: Clinician,
    unsent: str,
    clock: Clock,
    repository: HttpRepository,
) -> None:
    clock.ahead += timedelta(minutes=6)
    assert send_due(app) == Sent(delivered=1)
    assert len(plans_of(repository, unsent)) == 1


def test_a_window_that_was_left_idle_renews_nothing(
    app: Flask, clinician: Clinician, unsent: str, clock: Clock, repository: HttpRepository
) -> None:
    clock.ahead += timedelta(minutes=45)
    assert send_due(app) == Sent(sign_in=1)
    assert plans_of(repository, unsent) == []


def backend_service(
    app: Flask, fake_ehr: RunningEhr, patient: str, *, scope: str = "system/*.crus"
) -> None:
    """Give the app a `[[server]]` for the EHR; its token is one that the simulated EHR takes."""
    access = Access(CLIENT_ID, scope.replace("system/", "user/"), patient, "backend")
    token = fake_ehr.grants.put(access, life_s=600)
    services = app.extensions["ivfhir"]
    services.backend_services.clear()
    servers = (Server("it", fake_ehr.iss, token=token, scope=scope),)
    services.settings = replace(services.settings, servers=servers)


def test_a_backend_service_sends_what_waits_for_a_sign_in(
    app: Flask, clinician: Clinician, unsent: str, fake_ehr: RunningEhr, repository: HttpRepository
) -> None:
    sign_out(clinician)
    assert send_due(app) == Sent()
    backend_service(app, fake_ehr, "halloran")
    assert send_due(app) == Sent(delivered=1)
    assert len(plans_of(repository, unsent)) == 1
    assert store_of(app).outbox() == []


def all_types_but(app: Flask, *left_out: str) -> str:
    services = app.extensions["ivfhir"]
    types = (services.read_types | services.write_types) - set(left_out)
    return " ".join(f"system/{each}.crus" for each in sorted(types))


@pytest.mark.parametrize("less", ["AllergyIntolerance", "CarePlan", "ServiceRequest", "*"])
def test_a_backend_service_that_may_do_less_than_the_clinician_parks_nothing(
    app: Flask,
    clinician: Clinician,
    unsent: str,
    fake_ehr: RunningEhr,
    less: str,
) -> None:
    sign_out(clinician)
    scope = "system/*.rs" if less == "*" else all_types_but(app, less)
    backend_service(app, fake_ehr, "halloran", scope=scope)
    stream = io.StringIO()
    logged = replace(app.extensions["ivfhir"], log=make_logger("info", stream=stream))
    app.extensions["ivfhir"] = logged
    before = store_of(app).waiting_of(unsent)
    assert before is not None
    assert send_due(app) == Sent(sign_in=1)
    lines = stream.getvalue().count("\n")
    for _ in range(5):
        assert send_due(app) == Sent()
    assert stream.getvalue().count("\n") == lines
    found = store_of(app).waiting_of(unsent)
    assert found is not None
    assert found.said["title"] == "it waits for your sign-in"
    assert (found.entry.state, found.entry.attempts, found.entry.failures) == (
        "waiting-for-sign-in",
        before.entry.attempts,
        before.entry.failures,
    )


def test_a_backend_service_that_was_granted_more_since_sends_what_waits(
    app: Flask,
    clinician: Clinician,
    unsent: str,
    fake_ehr: RunningEhr,
    clock: Clock,
) -> None:
    sign_out(clinician)
    backend_service(app, fake_ehr, "halloran", scope=all_types_but(app, "AllergyIntolerance"))
    assert send_due(app) == Sent(sign_in=1)
    backend_service(app, fake_ehr, "halloran", scope=all_types_but(app, "DocumentReference"))
    assert send_due(app) == Sent()
    clock.ahead += timedelta(seconds=901)
    assert send_due(app) == Sent(delivered=1)


def test_a_sign_in_sends_what_a_backend_service_may_not(
    app: Flask,
    clinician: Clinician,
    unsent: str,
    fake_ehr: RunningEhr,
    launch_for: Callable[..., Launched],
) -> None:
    sign_out(clinician)
    backend_service(app, fake_ehr, "halloran", scope="system/*.rs")
    assert send_due(app) == Sent(sign_in=1)
    relaunch(app, launch_for, "halloran")
    assert send_due(app) == Sent(delivered=1)


def test_a_token_that_cannot_be_had_is_asked_for_with_growing_pauses(
    app: Flask,
    fake_ehr: RunningEhr,
    clock: Clock,
    launch_for: Callable[..., Launched],
    repository: HttpRepository,
) -> None:
    fake_ehr.fail("short-token", times=None)
    clinician = relaunch(app, launch_for, "halloran")
    draft_id = clinician.make_draft()
    fake_ehr.fail("status-503", method="POST", path=".*")
    clinician.accept(draft_id)
    fake_ehr.fail("token-500", times=None)
    for attempts in range(2, 6):
        let_them_be_due(app)
        clock.ahead += timedelta(seconds=60)
        now = int(clock().timestamp())
        assert send_due(app) == Sent(waiting=1)
        found = store_of(app).waiting_of(draft_id)
        assert found is not None
        assert (found.entry.attempts, found.entry.failures) == (attempts, attempts - 1)
        assert found.entry.tried_at is not None
        assert found.entry.tried_at >= now
        most = 15 * 2 ** (attempts - 1)
        assert most // 2 <= found.entry.due_at - found.entry.tried_at <= most + 1
        assert not found.known
    assert plans_of(repository, draft_id) == []


def test_a_backend_service_takes_no_longer_than_a_claim_lasts(
    app: Flask, clinician: Clinician, unsent: str, fake_ehr: RunningEhr, repository: HttpRepository
) -> None:
    sign_out(clinician)
    backend_service(app, fake_ehr, "halloran")
    services = app.extensions["ivfhir"]
    services.settings = replace(services.settings, write_timeout_s=1)
    fake_ehr.fail("slow", path="CarePlan")
    assert send_due(app) == Sent(waiting=1)
    assert plans_of(repository, unsent) == []


def test_a_backend_service_that_is_refused_is_not_asked_again_at_once(
    app: Flask, clinician: Clinician, unsent: str, fake_ehr: RunningEhr, repository: HttpRepository
) -> None:
    sign_out(clinician)
    backend_service(app, fake_ehr, "halloran")
    fake_ehr.fail("status-401", times=None)
    assert send_due(app) == Sent(waiting=1)
    assert send_due(app) == Sent()
    found = store_of(app).waiting_of(unsent)
    assert found is not None
    assert (found.entry.state, found.entry.failures) == ("waiting", 1)
    assert plans_of(repository, unsent) == []


def test_a_record_that_changed_since_stops_the_plan_and_says_so(
    app: Flask, clinician: Clinician, unsent: str, repository: HttpRepository
) -> None:
    change_platelets(repository, 45)
    let_them_be_due(app)
    assert send_due(app) == Sent(parked=1)
    page = clinician.open(f"receipt/{unsent}").text
    assert "Not written: the record changed since it was accepted" in page
    assert "Review it again before it is sent" in page
    assert plans_of(repository, unsent) == []


def test_a_draft_that_was_made_anew_from_a_changed_record_is_said_to_be_so(
    app: Flask, clinician: Clinician, unsent: str, repository: HttpRepository
) -> None:
    change_platelets(repository, 140)
    let_them_be_due(app)
    assert send_due(app) == Sent(parked=1)
    (waiting,) = store_of(app).outbox()
    with pytest.raises(UsageError, match="was made anew from the record") as refused:
        store_of(app).retry_entry(waiting.entry.id)
    assert "review" not in refused.value.message
    assert state_of(app, unsent) == "parked"


def test_a_part_of_the_record_that_cannot_be_read_now_is_waited_for(
    app: Flask,
    clinician: Clinician,
    unsent: str,
    fake_ehr: RunningEhr,
    repository: HttpRepository,
) -> None:
    let_them_be_due(app)
    fake_ehr.fail("status-500", path=".*Observation", times=None)
    assert send_due(app) == Sent(waiting=1)
    fake_ehr.faults.clear()
    let_them_be_due(app)
    assert send_due(app) == Sent(delivered=1)
    assert len(plans_of(repository, unsent)) == 1


def test_the_day_alone_changes_nothing(
    app: Flask, clinician: Clinician, unsent: str, clock: Clock, repository: HttpRepository
) -> None:
    store = store_of(app)
    draft = store.load_draft(clinician.launched.launch_id, unsent)
    assert str(draft.body["asOf"])[:4].isdigit()
    yesterday = str(int(str(draft.body["asOf"])[:4]) - 1) + str(draft.body["asOf"])[4:]
    path = str(store._engine.url.database)
    body = store._sealer.seal({**draft.body, "asOf": yesterday}, f"draft:{unsent}")
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE drafts SET sealed = ?", (body,))
    let_them_be_due(app)
    assert send_due(app) == Sent(delivered=1)


def test_what_the_server_refuses_is_parked_with_its_words_and_holds_up_nobody(
    app: Flask,
    unsent: str,
    second: str,
    fake_ehr: RunningEhr,
    repository: HttpRepository,
) -> None:
    let_them_be_due(app)
    fake_ehr.fail("status-403", method="POST")
    assert send_due(app) == Sent(delivered=1, parked=1)
    assert state_of(app, unsent) == "parked"
    found = store_of(app).waiting_of(unsent)
    assert found is not None
    assert found.said["title"] == "the EHR does not allow it"
    assert len(plans_of(repository, second)) == 1


@pytest.mark.parametrize("issue", [[{"details": "no such unit"}], ["no such unit"], "no such unit"])
def test_a_refusal_whose_words_are_malformed_is_a_refusal_and_kept_as_it_is(
    app: Flask, clinician: Clinician, monkeypatch: pytest.MonkeyPatch, issue: object
) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": issue}

    def refuses(*_: object, **__: object) -> None:
        raise RejectedError("The server refuses the content (422).", status=422, outcome=outcome)

    draft_id = clinician.make_draft()
    monkeypatch.setattr(HttpRepository, "transact", refuses)
    answer = clinician.accept(draft_id)
    assert answer.status_code == 303
    assert "the EHR refuses the content" in clinician.open(f"receipt/{draft_id}").text
    found = store_of(app).waiting_of(draft_id)
    assert found is not None
    assert (found.entry.state, found.said["outcome"], found.known) == ("parked", outcome, "")


def test_a_plan_that_breaks_the_app_does_not_stop_the_others(
    app: Flask, unsent: str, second: str, repository: HttpRepository
) -> None:
    store = store_of(app)
    of_plan = store.waiting_of(unsent)
    assert of_plan is not None
    kept = store.load_receipt(of_plan.launch_id, unsent)
    assert kept is not None
    draft = store.load_draft(of_plan.launch_id, unsent)
    store.save_receipt(draft, {**kept.body, "bundle": {"resourceType": "Bundle"}})
    let_them_be_due(app)
    assert send_due(app) == Sent(delivered=1, waiting=1)
    assert len(plans_of(repository, second)) == 1
    found = store.waiting_of(unsent)
    assert found is not None
    assert found.entry.failures >= 1
    assert found.entry.due_at > 0


def test_a_launch_that_no_key_opens_does_not_stop_the_plans_of_others(
    app: Flask, clinician: Clinician, unsent: str, second: str, fake_ehr: RunningEhr
) -> None:
    sign_out(clinician)
    store = store_of(app)
    with closing(sqlite3.connect(str(store._engine.url.database))) as database, database:
        of_launch = (b"nonsense", clinician.launched.launch_id)
        database.execute("UPDATE launches SET sealed = ? WHERE id = ?", of_launch)
        database.execute("UPDATE outbox SET due_at = 1")
        database.execute("UPDATE outbox SET due_at = 0 WHERE draft_id = ?", (unsent,))
    backend_service(app, fake_ehr, "halloran")
    store.resume_for([fake_ehr.iss])
    with closing(sqlite3.connect(str(store._engine.url.database))) as database, database:
        database.execute("UPDATE outbox SET due_at = 0 WHERE draft_id = ?", (unsent,))
    assert send_due(app) == Sent(delivered=1, waiting=1)
    assert state_of(app, second) == "delivered"
    assert state_of(app, unsent) == "waiting"


def test_a_second_plan_for_the_patient_goes_after_the_first(
    app: Flask, clinician: Clinician, unsent: str, repository: HttpRepository
) -> None:
    second = clinician.make_draft()
    clinician.accept(second)
    page = clinician.open(f"receipt/{second}").text
    assert "Another accepted plan for this patient goes first" in page
    assert plans_of(repository, second) == []
    assert send_due(app).delivered == 1  # The second waits to be reviewed: there is a plan now.
    assert len(plans_of(repository, unsent)) == 1


def test_the_thread_sends_what_is_due_by_itself(
    app: Flask, clinician: Clinician, unsent: str, repository: HttpRepository
) -> None:
    thread = OutboxThread(app, poll_s=0.05).start()
    try:
        let_them_be_due(app)
        wait_until(lambda: state_of(app, unsent) == "delivered")
    finally:
        thread.stop()
    assert len(plans_of(repository, unsent)) == 1


def test_an_ehr_that_hangs_delays_the_plans_of_no_other(
    app: Flask,
    unsent: str,
    second: str,
    repository: HttpRepository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with closing(sqlite3.connect(str(store_of(app)._engine.url.database))) as database, database:
        database.execute(
            "UPDATE outbox SET server = 'https://hangs.example', line = 'x' WHERE draft_id = ?",
            (unsent,),
        )
    let_them_be_due(app)
    send, hanging, answers = outbox_worker._send, threading.Event(), threading.Event()

    def hangs(services: AppServices, waiting: Waiting) -> None:
        if waiting.draft_id == unsent:
            hanging.set()
            answers.wait(60)
        send(services, waiting)

    monkeypatch.setattr(outbox_worker, "_send", hangs)
    thread = OutboxThread(app, poll_s=0.05).start()
    try:
        assert hanging.wait(60)
        wait_until(lambda: state_of(app, second) == "delivered")
        assert state_of(app, unsent) == "waiting"
        answers.set()
        wait_until(lambda: state_of(app, unsent) == "delivered")
    finally:
        answers.set()
        thread.stop()
    assert [len(plans_of(repository, each)) for each in (unsent, second)] == [1, 1]


def test_the_thread_goes_on_after_a_look_that_broke_and_tells_nothing_of_the_plan(
    app: Flask,
    unsent: str,
    repository: HttpRepository,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def breaks(servers: list[str]) -> None:
        broke.append(True)
        if len(broke) == 1:
            raise RuntimeError("Mrs. Halloran")
        original(servers)

    original, broke = store_of(app).resume_for, list[bool]()
    monkeypatch.setattr(store_of(app), "resume_for", breaks)
    stream = io.StringIO()
    logged = replace(app.extensions["ivfhir"], log=make_logger("error", stream=stream))
    app.extensions["ivfhir"] = logged
    thread = OutboxThread(app, poll_s=0.05).start()
    try:
        wait_until(lambda: bool(broke))
        let_them_be_due(app)
        wait_until(lambda: state_of(app, unsent) == "delivered")
    finally:
        thread.stop()
    assert len(plans_of(repository, unsent)) == 1
    told = stream.getvalue()
    assert '"error": "RuntimeError"' in told
    assert "Halloran" not in told


def test_of_threads_that_send_at_once_one_does(
    app: Flask, clinician: Clinician, unsent: str, repository: HttpRepository
) -> None:
    let_them_be_due(app)
    told: list[Sent] = []
    threads = [threading.Thread(target=lambda: told.append(send_due(app))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(plans_of(repository, unsent)) == 1
    assert state_of(app, unsent) == "delivered"
    entries = provenances(repository, unsent)
    assert len(entries) == 1


def provenances(repository: HttpRepository, draft_id: str) -> list[Resource]:
    from ivfhir.writing.bundle import PLAN_SYSTEM  # noqa: PLC0415 - only here

    return repository.search("Provenance", {"_tag": f"{PLAN_SYSTEM}|{draft_id}.signature"})
