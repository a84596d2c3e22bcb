"""Accepting a plan asks the EHR who is there when the sign-in is old.

Source: https://openid.net/specs/openid-connect-core-1_0.html#AuthRequest (max_age, prompt)
"""

import re
from datetime import timedelta

import pytest
import requests
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.smart_app.conftest import (
    Clock,
    Launched,
    RunningEhr,
    come_back,
    query_of,
    running_samples,
)
from tests.smart_app.over_http import csrf_token


@pytest.fixture(scope="module")
def fhir_server():
    """Base URL of a FHIR server of this file's own: some of its tests write."""
    with running_samples() as base:
        yield base


def review_of(launched: Launched) -> str:
    """Make a draft and return the page of its review, below the launch."""
    page = launched.client.get(launched.url("plan/LUNG"))
    form = {"_csrf": csrf_token(page.text), "next": "review"}
    answer = launched.client.post(launched.url("plan/LUNG"), data=form)
    return answer.headers["Location"].removeprefix(launched.url(""))


def accept(launched: Launched, review: str) -> TestResponse:
    page = launched.client.get(launched.url(review))
    version = re.search(r'name="version" value="(\d+)"', page.text)
    assert version, page.text
    form = {"_csrf": csrf_token(page.text), "confirm": "yes", "version": version[1]}
    form["earlier"] = "keep"
    return launched.client.post(launched.url(review), data=form)


def way_back(
    fake_ehr: RunningEhr, authorize: str, *, user: str = "vance", patient: str = "nowak"
) -> str:
    """Sign in anew at the EHR, choose a patient, and return the way back to the app."""
    page = requests.get(authorize, timeout=10)
    assert "Sign in to the simulated EHR" in page.text
    waiting = page.text.split("/auth/sign-in/")[1].split("/")[0]
    url = f"{fake_ehr.settings.public_url}/auth/sign-in/{waiting}/{user}"
    page = requests.get(url, timeout=10)
    waiting = page.text.split("/auth/choose/")[1].split("/")[0]
    url = f"{fake_ehr.settings.public_url}/auth/choose/{waiting}/{patient}"
    answer = requests.get(url, allow_redirects=False, timeout=10)
    return "/" + answer.headers["Location"].split("/", 3)[3]


@pytest.fixture
def old(launched: Launched, clock: Clock) -> tuple[Launched, str]:
    """A launch with a draft, whose sign-in is an hour old, in use until now."""
    review = review_of(launched)
    for _ in range(3):
        clock.ahead += timedelta(minutes=20, seconds=10)
        assert launched.client.get(launched.url(review)).status_code == 200
    return launched, review


def test_a_recent_sign_in_is_enough(launched: Launched) -> None:
    assert accept(launched, review_of(launched)).status_code == 303


def test_an_old_sign_in_is_asked_anew_and_draft_and_tick_come_back(
    old: tuple[Launched, str], fake_ehr: RunningEhr, client: FlaskClient, clock: Clock
) -> None:
    launched, review = old
    page = accept(launched, review)
    assert page.status_code == 401
    assert "Nothing is written yet" in page.text
    link = re.search(r'href="([^"]+/sign/[^"]+)"', page.text)
    assert link
    authorize = client.get(link[1]).headers["Location"]
    assert query_of(authorize)["prompt"] == "login"
    assert query_of(authorize)["max_age"] == "3600"
    clock.ahead = timedelta()  # The EHR has the machine's clock.
    answer = client.get(way_back(fake_ehr, authorize, patient="halloran"))
    assert answer.headers["Location"] == launched.url(review)
    page = client.get(launched.url(review))
    assert re.search(r'id="confirm"[^>]* checked', page.text)
    assert accept(launched, review).status_code == 303


def test_another_user_or_patient_does_not_come_back(
    old: tuple[Launched, str], fake_ehr: RunningEhr, client: FlaskClient, clock: Clock
) -> None:
    launched, review = old
    accept(launched, review)
    sign = launched.url(review.replace("review", "sign"))
    ahead = clock.ahead
    for who, words in (
        ({"user": "okafor", "patient": "halloran"}, "another user"),
        ({"patient": "lindqvist"}, "another patient"),
    ):
        authorize = client.get(sign).headers["Location"]
        clock.ahead = timedelta()
        page = come_back(client, way_back(fake_ehr, authorize, **who))
        assert page.status_code == 400
        assert words in page.text
        clock.ahead = ahead
    assert accept(launched, review).status_code == 401


@pytest.mark.parametrize(
    ("fault", "words"),
    [("old-sign-in", "did not ask anew who you are"), ("no-auth-time", "(auth_time)")],
)
def test_an_ehr_that_does_not_ask_is_not_believed(
    *,
    old: tuple[Launched, str],
    fake_ehr: RunningEhr,
    client: FlaskClient,
    clock: Clock,
    fault: str,
    words: str,
) -> None:
    launched, review = old
    accept(launched, review)
    authorize = client.get(launched.url(review.replace("review", "sign"))).headers["Location"]
    ahead, clock.ahead = clock.ahead, timedelta()
    fake_ehr.fail(fault)
    if fault == "no-auth-time":
        fake_ehr.fail("old-sign-in")
    page = come_back(client, fake_ehr.sign_in(authorize, patient="halloran"))
    assert page.status_code == 400
    assert words in page.text
    clock.ahead = ahead
    assert accept(launched, review).status_code == 401


def test_a_tick_is_not_kept_for_a_draft_that_changed(
    old: tuple[Launched, str], client: FlaskClient
) -> None:
    launched, review = old
    accept(launched, review)
    store = client.application.extensions["ivfhir"].store
    draft = store.load_draft(launched.launch_id, review.rpartition("/")[2])
    store.update_draft(draft, body=draft.body)
    page = client.get(launched.url(review))
    assert not re.search(r'id="confirm"[^>]* checked', page.text)
