"""The end of a launch: signed out, unused for long, or closed to make room for newer ones."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smart_app.fake_ehr.grants import Access, Refresh
from smart_app.services import AppServices
from smart_app.smart.closing import end_what_was_waiting
from smart_app.store import LaunchRecord
from tests.smart_app.conftest import Clock, Launched, RunningEhr, new_client
from tests.smart_app.over_http import csrf_token


def services(app: Flask) -> AppServices:
    return app.extensions["ivfhir"]


def record_of(launched: Launched) -> LaunchRecord:
    app = services(launched.client.application)
    return app.store.reload_launch(launched.launch_id)


def sign_out(launched: Launched, page: str = "match"):
    shown = launched.client.get(launched.url(page))
    assert f'action="{launched.url("sign-out")}" method="post"' in shown.text
    return launched.client.post(launched.url("sign-out"), data={"_csrf": csrf_token(shown.text)})


@pytest.mark.parametrize("page", ["match", "why/LUNG", "plan/LUNG", "nowhere"])
def test_every_page_of_a_launch_offers_to_sign_out(launched: Launched, page: str) -> None:
    if page == "nowhere":
        page = "record/Patient/nobody"
    assert sign_out(launched, page).status_code == 200


def test_signing_out_ends_the_cookie_and_the_tokens_here_and_at_the_ehr(
    launched: Launched, fake_ehr: RunningEhr
) -> None:
    """https://www.rfc-editor.org/rfc/rfc7009 ."""
    held = record_of(launched).body
    cookie = launched.client.get_cookie(f"__Host-ivfhir-{launched.launch_id}")
    assert cookie is not None
    page = sign_out(launched)
    assert "You are signed out of this window" in page.text
    assert "the EHR has ended it" in page.text
    assert launched.client.get_cookie(f"__Host-ivfhir-{launched.launch_id}") is None
    assert not any(name.endswith("_token") for name in record_of(launched).body)
    assert fake_ehr.grants.get(Access, held["access_token"]) is None
    assert fake_ehr.grants.get(Refresh, held["refresh_token"]) is None
    # Not even somebody who kept the cookie comes back.
    launched.client.set_cookie(cookie.key, cookie.value, domain="app.example", secure=True)
    page = launched.client.get(launched.url("match"))
    assert page.status_code == 401
    assert "This window was signed out" in page.text


def test_a_revocation_that_fails_is_said_and_harms_nothing(
    launched: Launched, fake_ehr: RunningEhr
) -> None:
    fake_ehr.fail("revocation-500", times=2)
    page = sign_out(launched)
    assert page.status_code == 200
    assert "The EHR did not confirm that it ended it; it ends by itself" in page.text
    assert not any(name.endswith("_token") for name in record_of(launched).body)


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {}])
def test_another_site_cannot_sign_anybody_out(launched: Launched, headers: dict[str, str]) -> None:
    page = launched.client.post(launched.url("sign-out"), headers=headers)
    assert page.status_code == 403
    assert launched.client.get(launched.url("match")).status_code == 200
    assert launched.client.get(launched.url("sign-out")).status_code == 405


def test_signing_out_works_when_the_access_has_already_ended(
    launched: Launched, clock: Clock
) -> None:
    form = {"_csrf": csrf_token(launched.client.get(launched.url("match")).text)}
    clock.ahead += timedelta(hours=13)
    assert launched.client.post(launched.url("sign-out"), data=form).status_code == 200


def test_a_plan_that_is_being_sent_keeps_the_sealed_access(
    launched: Launched, fake_ehr: RunningEhr
) -> None:
    app = services(launched.client.application)
    held = record_of(launched).body
    draft = app.store.save_draft(launched.launch_id, protocol="LUNG", body={})
    assert app.store.claim_draft(draft)
    page = sign_out(launched)
    assert "is being sent at this moment" in page.text
    assert record_of(launched).body["access_token"] == held["access_token"]
    assert fake_ehr.grants.get(Access, held["access_token"]) is not None
    assert launched.client.get(launched.url("match")).status_code == 401


def test_a_plan_that_waits_keeps_no_access_after_a_sign_out(
    launched: Launched, fake_ehr: RunningEhr
) -> None:
    app = services(launched.client.application)
    held = record_of(launched).body
    draft = app.store.save_draft(launched.launch_id, protocol="LUNG", body={})
    assert app.store.claim_draft(draft)
    app.store.release_draft(draft, state="accepted")
    page = sign_out(launched)
    assert "A plan that you accepted is not known to be in the EHR yet" in page.text
    assert not any(name.endswith("_token") for name in record_of(launched).body)
    assert fake_ehr.grants.get(Access, held["access_token"]) is None


def test_the_access_ends_when_the_plan_is_there(app: Flask, launched: Launched) -> None:
    store = services(app).store
    draft = store.save_draft(launched.launch_id, protocol="LUNG", body={})
    assert store.claim_draft(draft)
    sign_out(launched)
    end_what_was_waiting(services(app), launched.launch_id)
    assert "access_token" in record_of(launched).body
    store.save_written(draft.id, {"written": True})
    end_what_was_waiting(services(app), launched.launch_id)
    assert not any(name.endswith("_token") for name in record_of(launched).body)


def test_the_kept_access_is_forgotten_when_it_ends(
    app: Flask, launched: Launched, clock: Clock
) -> None:
    store = services(app).store
    draft = store.save_draft(launched.launch_id, protocol="LUNG", body={})
    store.claim_draft(draft)
    sign_out(launched)
    clock.ahead += timedelta(seconds=301)
    store.remove_expired(keep_days=30)
    assert not any(name.endswith("_token") for name in record_of(launched).body)


def test_drafts_outlive_a_sign_out(
    app: Flask, launched: Launched, launch_for: Callable[..., Launched]
) -> None:
    store = services(app).store
    draft = store.save_draft(launched.launch_id, protocol="LUNG", body={})
    assert "Drafts that you made in this window are kept" in sign_out(launched).text
    later = launch_for(new_client(app))
    assert [each.id for each in store.drafts(later.launch_id)] == [draft.id]


def test_a_launch_that_nobody_uses_ends_and_keeps_the_draft(
    app: Flask, launched: Launched, clock: Clock, fake_ehr: RunningEhr
) -> None:
    store = services(app).store
    draft = store.save_draft(launched.launch_id, protocol="LUNG", body={})
    clock.ahead += timedelta(minutes=29)
    assert launched.client.get(launched.url("why/LUNG")).status_code == 200
    clock.ahead += timedelta(minutes=29)
    assert launched.client.get(launched.url("why/LUNG")).status_code == 200
    clock.ahead += timedelta(minutes=31)
    page = launched.client.get(launched.url("why/LUNG"))
    assert page.status_code == 401
    assert "Your session ended. The draft is kept. Open the app again from the EHR" in page.text
    assert not any(name.endswith("_token") for name in record_of(launched).body)
    # No refresh token brings it back: the EHR is asked.
    again = launched.client.get(launched.url("again"))
    clock.ahead = timedelta()  # The EHR has the machine's clock.
    back = fake_ehr.sign_in(again.headers["Location"], patient="halloran")
    assert launched.client.get(back).headers["Location"] == launched.url("why/LUNG")
    assert launched.client.get(launched.url("why/LUNG")).status_code == 200
    assert [each.id for each in store.drafts(launched.launch_id)] == [draft.id]


def test_cookies_end_with_the_browser_s_session(
    client: FlaskClient, fake_ehr: RunningEhr, launched: Launched
) -> None:
    begun = client.get(f"/launch?{fake_ehr.launch_query('halloran')}")
    for answer in (begun, launched.response):
        for text in answer.headers.getlist("Set-Cookie"):
            if "=;" not in text:
                assert "Max-Age" not in text
                assert "Expires" not in text


def test_a_browser_holds_the_newest_eight_launches(
    app: Flask, client: FlaskClient, launch_for: Callable[..., Launched]
) -> None:
    launches = [launch_for(client, "duarte") for _ in range(8)]
    assert all(client.get(each.url("match")).status_code == 200 for each in launches)
    draft = services(app).store.save_draft(launches[0].launch_id, protocol="LUNG", body={})
    launches += [launch_for(client, "duarte")]
    for each in launches[1:]:
        assert client.get(each.url("match")).status_code == 200
    page = client.get(launches[0].url("match"))
    assert page.status_code == 401
    assert "closed because 8 newer ones were opened in the same browser" in page.text
    assert "Drafts that were made in it are kept" in page.text
    assert len([each for each in client._cookies.values() if each.key.startswith("__Host-")]) == 8
    newest = launch_for(client, "duarte")
    assert [each.id for each in services(app).store.drafts(newest.launch_id)] == [draft.id]


def test_begun_sign_ins_that_are_left_fill_no_browser(
    client: FlaskClient, begin: Callable[..., str]
) -> None:
    ways = [begin(client) for _ in range(10)]
    assert len(client._cookies) == 8
    answer = client.get(ways[1], follow_redirects=True)
    assert answer.status_code == 400
    assert client.get(ways[2]).headers["Location"].endswith("/match")
    assert client.get(ways[9]).headers["Location"].endswith("/match")
