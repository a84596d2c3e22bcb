"""Keeping a launch's access alive, and what happens when it ends."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ivfhir.errors import ForeignDraftError
from smart_app.fake_ehr.grants import Access
from smart_app.smart.oauth import TokenAnswer, TokenClient
from smart_app.store import Store
from tests.smart_app.conftest import Clock, Launched, RunningEhr, come_back, new_client


@pytest.fixture
def store(app: Flask) -> Store:
    found: Store = app.extensions["ivfhir"].store
    return found


def test_an_expired_token_is_renewed_unseen(
    client: FlaskClient, clock: Clock, launched: Launched
) -> None:
    clock.ahead += timedelta(seconds=290)
    assert client.get(launched.url("match")).status_code == 200
    clock.ahead += timedelta(seconds=290)
    assert client.get(launched.url("match")).status_code == 200


def test_a_refresh_token_is_used_once_by_requests_that_come_together(
    app: Flask, client: FlaskClient, clock: Clock, launched: Launched
) -> None:
    clock.ahead += timedelta(seconds=290)
    name = f"__Host-ivfhir-{launched.launch_id}"
    cookie = client.get_cookie(name)
    assert cookie is not None
    statuses: list[int] = []

    def ask() -> None:
        browser = new_client(app)
        browser.set_cookie(name, cookie.value)
        statuses.append(browser.get(launched.url("match")).status_code)

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [200] * 6


def test_without_a_refresh_token_the_session_ends_and_signing_in_again_leads_back(
    client: FlaskClient,
    clock: Clock,
    fake_ehr: RunningEhr,
    launch_for: Callable[..., Launched],
    store: Store,
) -> None:
    fake_ehr.fail("no-refresh")
    launched = launch_for(client)
    draft = store.save_draft(launched.launch_id, protocol="LUNG", body={})
    clock.ahead += timedelta(seconds=301)
    page = client.get(launched.url("why/LUNG?from=match"))
    assert page.status_code == 401
    assert "Your session ended" in page.text
    assert launched.url("again") in page.text
    again = client.get(launched.url("again"))
    clock.ahead = timedelta()
    answer = client.get(fake_ehr.sign_in(again.headers["Location"], patient="halloran"))
    assert answer.headers["Location"] == launched.url("why/LUNG?from=match")
    assert client.get(answer.headers["Location"]).status_code == 200
    assert store.load_draft(launched.launch_id, draft.id) == draft


def test_signing_in_again_for_another_patient_is_refused(
    client: FlaskClient, clock: Clock, fake_ehr: RunningEhr, launch_for: Callable[..., Launched]
) -> None:
    fake_ehr.fail("no-refresh")
    launched = launch_for(client)
    clock.ahead += timedelta(seconds=301)
    again = client.get(launched.url("again"))
    clock.ahead = timedelta()
    page = come_back(client, fake_ehr.sign_in(again.headers["Location"], patient="lindqvist"))
    assert page.status_code == 400
    assert "another patient" in page.text


def test_after_another_patient_was_chosen_the_way_back_to_the_same_one_is_open(
    client: FlaskClient, clock: Clock, fake_ehr: RunningEhr, launch_for: Callable[..., Launched]
) -> None:
    fake_ehr.fail("no-refresh")
    launched = launch_for(client)
    clock.ahead += timedelta(seconds=301)
    page = client.get(launched.url("why/LUNG"))
    assert "choose the same patient" in page.text
    again = client.get(launched.url("again"))
    page = come_back(client, fake_ehr.sign_in(again.headers["Location"], patient="lindqvist"))
    assert "nothing was opened" in page.text
    assert f'href="{launched.url("again")}"' in page.text
    assert "LINDQVIST" not in page.text
    assert client.get(launched.url("why/LUNG")).status_code == 401
    again = client.get(launched.url("again"))
    clock.ahead = timedelta()
    answer = client.get(fake_ehr.sign_in(again.headers["Location"], patient="halloran"))
    assert answer.headers["Location"] == launched.url("why/LUNG")
    assert "HALLORAN" in client.get(answer.headers["Location"]).text


def test_opening_another_patient_from_the_ehr_does_not_lead_to_the_page_that_was_left(
    client: FlaskClient, clock: Clock, fake_ehr: RunningEhr, launch_for: Callable[..., Launched]
) -> None:
    fake_ehr.fail("no-refresh")
    first = launch_for(client)
    clock.ahead += timedelta(seconds=301)
    assert client.get(first.url("why/LUNG")).status_code == 401
    second = launch_for(client, "lindqvist")
    assert second.response.headers["Location"] == second.url("match")
    page = client.get(second.url("match")).text
    assert "LINDQVIST" in page
    assert "HALLORAN" not in page


def test_opening_the_app_again_from_the_ehr_brings_the_draft_and_its_page_back(
    client: FlaskClient,
    clock: Clock,
    fake_ehr: RunningEhr,
    launch_for: Callable[..., Launched],
    store: Store,
) -> None:
    fake_ehr.fail("no-refresh")
    first = launch_for(client)
    draft = store.save_draft(first.launch_id, protocol="LUNG", body={"a": 1})
    clock.ahead += timedelta(seconds=301)
    assert client.get(first.url("why/LUNG")).status_code == 401
    second = launch_for(client)
    assert second.launch_id != first.launch_id
    assert second.response.headers["Location"] == second.url("why/LUNG")
    assert store.load_draft(second.launch_id, draft.id).body == {"a": 1}


def test_a_launch_that_still_runs_keeps_its_drafts(
    client: FlaskClient, launch_for: Callable[..., Launched], store: Store
) -> None:
    first = launch_for(client)
    draft = store.save_draft(first.launch_id, protocol="LUNG", body={})
    second = launch_for(client)
    with pytest.raises(ForeignDraftError):
        store.load_draft(second.launch_id, draft.id)
    assert client.get(second.url(f"review/{draft.id}")).status_code == 403


def test_another_patient_s_launch_takes_nothing_over(
    client: FlaskClient,
    clock: Clock,
    fake_ehr: RunningEhr,
    launch_for: Callable[..., Launched],
    store: Store,
) -> None:
    fake_ehr.fail("no-refresh")
    first = launch_for(client)
    draft = store.save_draft(first.launch_id, protocol="LUNG", body={})
    clock.ahead += timedelta(seconds=301)
    second = launch_for(client, "lindqvist")
    with pytest.raises(ForeignDraftError):
        store.load_draft(second.launch_id, draft.id)


def test_a_token_that_the_server_no_longer_takes_is_renewed_unseen(
    app: Flask, client: FlaskClient, fake_ehr: RunningEhr, launched: Launched, store: Store
) -> None:
    before = store.reload_launch(launched.launch_id).body
    fake_ehr.fail("status-401", path="Condition")
    page = client.get(launched.url("match?read=again"), follow_redirects=True)
    assert page.status_code == 200
    assert "could not be read" not in page.text
    after = store.reload_launch(launched.launch_id).body
    assert after["access_token"] != before["access_token"]
    assert after["refresh_token"] != before["refresh_token"]


def test_one_page_renews_a_refused_token_once_and_asks_once_more(
    client: FlaskClient, fake_ehr: RunningEhr, launched: Launched, store: Store
) -> None:
    """A server that refuses every token ends the session; signing in again leads back."""
    before = store.reload_launch(launched.launch_id).body
    fake_ehr.fail("status-401", times=2)
    page = client.get(launched.url("match?read=again"), follow_redirects=True)
    assert page.status_code == 401
    assert "Your session ended" in page.text
    assert fake_ehr.faults.listed() == [], "the request and one more were refused"
    after = store.reload_launch(launched.launch_id).body
    assert after["access_token"] != before["access_token"], "it was renewed once all the same"
    back = client.get(launched.url("again"))
    assert back.status_code == 303
    assert back.headers["Location"].startswith(launched.url("match"))
    assert client.get(back.headers["Location"]).status_code == 200


def test_a_token_refused_for_many_pages_at_once_is_renewed_once(
    app: Flask, client: FlaskClient, fake_ehr: RunningEhr, launched: Launched, store: Store
) -> None:
    name = f"__Host-ivfhir-{launched.launch_id}"
    cookie = client.get_cookie(name)
    assert cookie is not None
    refused = store.reload_launch(launched.launch_id).body["access_token"]
    assert fake_ehr.grants.take(Access, refused), "the EHR takes it no longer"
    asked: list[str] = []
    original = TokenClient.refresh

    def refresh(self: TokenClient, refresh_token: str) -> TokenAnswer:
        asked.append(refresh_token)
        return original(self, refresh_token)

    def ask(_number: int) -> int:
        browser = new_client(app)
        browser.set_cookie(name, cookie.value)
        return browser.get(launched.url("match")).status_code

    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(3) as pool:
        patch.setattr(TokenClient, "refresh", refresh)
        assert list(pool.map(ask, range(3))) == [200, 200, 200]
    assert len(asked) == 1


def test_without_a_refresh_token_a_refused_token_ends_the_session(
    client: FlaskClient, fake_ehr: RunningEhr, launch_for: Callable[..., Launched]
) -> None:
    fake_ehr.fail("no-refresh")
    launched = launch_for(client)
    fake_ehr.fail("status-401")
    page = client.get(launched.url("match"))
    assert page.status_code == 401
    assert "Your session ended" in page.text


def test_a_launch_ends_after_its_longest_time_even_when_it_is_renewed(
    client: FlaskClient, clock: Clock, launched: Launched
) -> None:
    clock.ahead += timedelta(hours=13)
    assert client.get(launched.url("match")).status_code == 401


def test_an_ehr_that_is_down_for_a_moment_does_not_end_the_session(
    client: FlaskClient, clock: Clock, fake_ehr: RunningEhr, launched: Launched
) -> None:
    clock.ahead += timedelta(seconds=290)
    fake_ehr.fail("token-500")
    assert client.get(launched.url("match")).status_code == 502
    assert client.get(launched.url("match")).status_code == 200


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ("token-500", 502),
        ("token-429", 429),
        ("token-busy", 502),
        ("token-html", 502),
        ("token-empty", 502),
    ],
)
def test_a_passing_fault_of_the_token_endpoint_does_not_throw_the_refresh_token_away(
    clock: Clock, fake_ehr: RunningEhr, launched: Launched, fault: str, status: int
) -> None:
    client = launched.client
    store: Store = client.application.extensions["ivfhir"].store
    before = store.reload_launch(launched.launch_id).body["refresh_token"]
    clock.ahead += timedelta(seconds=301)
    fake_ehr.fail(fault, times=2)
    for _ in range(2):
        page = client.get(launched.url("match"))
        assert page.status_code == status
        assert "Your session ended" not in page.text
        assert "Try again" in page.text
    assert page.headers.get("Retry-After") == ("7" if fault == "token-429" else None)
    assert store.reload_launch(launched.launch_id).body["refresh_token"] == before
    assert client.get(launched.url("match")).status_code == 200


def test_a_renewal_that_the_app_s_registration_hinders_keeps_the_refresh_token(
    app: Flask, client: FlaskClient, clock: Clock, launched: Launched, store: Store
) -> None:
    """invalid_client: whoever runs the app mends it, and the session goes on."""
    before = store.reload_launch(launched.launch_id).body["refresh_token"]
    clock.ahead += timedelta(seconds=301)
    services = app.extensions["ivfhir"]
    right = services.settings
    wrong = replace(right, ehrs=(replace(right.ehrs[0], client_id="another"),))
    services.settings = wrong
    page = client.get(launched.url("match"))
    assert page.status_code == 400
    assert "invalid_client" in page.text
    assert store.reload_launch(launched.launch_id).body["refresh_token"] == before
    services.settings = right
    assert client.get(launched.url("match")).status_code == 200


def test_a_request_that_waits_for_a_renewal_that_fails_tries_itself(
    app: Flask, client: FlaskClient, clock: Clock, fake_ehr: RunningEhr, launched: Launched
) -> None:
    name = f"__Host-ivfhir-{launched.launch_id}"
    cookie = client.get_cookie(name)
    assert cookie is not None
    clock.ahead += timedelta(seconds=301)
    fake_ehr.fail("token-500")

    def ask(_number: int) -> int:
        browser = new_client(app)
        browser.set_cookie(name, cookie.value)
        return browser.get(launched.url("match")).status_code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, range(4))) == [200, 200, 200, 502]


def test_a_refused_renewal_ends_the_session(
    client: FlaskClient, clock: Clock, fake_ehr: RunningEhr, launched: Launched
) -> None:
    clock.ahead += timedelta(seconds=301)
    fake_ehr.fail("token-refused")
    assert client.get(launched.url("match")).status_code == 401


def test_a_renewal_for_another_patient_ends_the_session(
    client: FlaskClient, clock: Clock, fake_ehr: RunningEhr, launched: Launched
) -> None:
    clock.ahead += timedelta(seconds=301)
    fake_ehr.fail("other-patient")
    page = client.get(launched.url("match"))
    assert page.status_code == 401
    assert "HALLORAN" not in page.text
