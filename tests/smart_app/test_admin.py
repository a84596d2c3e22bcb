"""The page of the outbox: absent without a password in the settings, closed without it."""

import re
from base64 import b64encode
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, HttpCredentials
from werkzeug.test import TestResponse

from ivfhir.errors import SettingsError
from smart_app.config import Settings
from smart_app.local_server import listen, serving
from tests.smart_app.conftest import Launched, RunningEhr, new_client
from tests.smart_app.pages.conftest import Clinician
from tests.smart_app.pages.wording import wrong_words
from tests.smart_app.test_journey_in_browser import check_page

SECRET = "long-enough-for-a-password"
MOMENT = re.compile(r"\d{1,2} [A-Z][a-z]{2} \d{4}, \d\d:\d\d")


def ask(client: FlaskClient, password: str | None = None) -> TestResponse:
    if password is None:
        return client.get("/admin/outbox")
    given = b64encode(f"admin:{password}".encode()).decode()
    return client.get("/admin/outbox", headers={"Authorization": f"Basic {given}"})


@pytest.fixture
def open_to_admins(app: Flask) -> Flask:
    services = app.extensions["ivfhir"]
    services.settings = replace(services.settings, admin_secret=SECRET)
    return app


def test_without_a_password_in_the_settings_there_is_no_page(client: FlaskClient) -> None:
    assert ask(client).status_code == 404
    assert ask(client, "").status_code == 404
    assert ask(client, "None").status_code == 404


def test_who_does_not_give_the_password_sees_nothing(open_to_admins: Flask) -> None:
    client = new_client(open_to_admins)
    for wrong in (None, "", "x", SECRET[:-1], f"{SECRET}x", "ü" * 30):
        page = ask(client, wrong)
        assert page.status_code == 401
        assert page.headers["WWW-Authenticate"].startswith("Basic ")
        assert "Outbox" not in page.text
    bearer = client.get("/admin/outbox", headers={"Authorization": f"Bearer {SECRET}"})
    assert bearer.status_code == 401


def test_who_tries_too_often_waits(open_to_admins: Flask) -> None:
    services = open_to_admins.extensions["ivfhir"]
    services.settings = replace(services.settings, address_per_minute=5)
    client = new_client(open_to_admins)
    assert {ask(client, "guess").status_code for _ in range(5)} == {401}
    assert ask(client, SECRET).status_code == 429


@pytest.mark.browser
def test_it_is_sound_in_a_browser(
    open_to_admins: Flask, launched: Launched, fake_ehr: RunningEhr, browser: Browser
) -> None:
    fake_ehr.fail("status-503", method="POST")
    clinician = Clinician(launched.client, launched)
    clinician.accept(clinician.make_draft())
    socket = listen("127.0.0.1", 0, option="--port")
    base = f"http://127.0.0.1:{socket.getsockname()[1]}"
    admin: HttpCredentials = {"username": "admin", "password": SECRET}
    with serving([(socket, open_to_admins, None)]):
        page = browser.new_context(http_credentials=admin).new_page()
        page.goto(f"{base}/admin/outbox")
        row = page.get_by_role("row").filter(has_text="waits to be sent")
        accepted = row.get_by_role("cell").nth(1).inner_text()
        assert MOMENT.search(accepted), accepted
        check_page(page)
        page.context.close()


def test_it_says_how_each_plan_stands_and_nothing_of_the_patient(
    open_to_admins: Flask, launched: Launched, fake_ehr: RunningEhr
) -> None:
    client = new_client(open_to_admins)
    assert "0 accepted plans are not known to be in the EHR yet" in ask(client, SECRET).text
    clinician = Clinician(launched.client, launched)
    draft_id = clinician.make_draft()
    fake_ehr.fail("status-503", method="POST")
    clinician.accept(draft_id)
    page = ask(client, SECRET)
    assert page.status_code == 200
    assert "1 accepted plan is not known to be in the EHR yet" in page.text
    assert "waits to be sent: the EHR failed" in page.text
    assert "1 time, last" in page.text
    for each in ("alloran", "Vance", draft_id, launched.launch_id):
        assert each not in page.text
    assert page.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'self'" in page.headers["Content-Security-Policy"]
    assert fake_ehr.settings.public_url not in page.headers["Content-Security-Policy"]
    assert wrong_words(page.text) == []


def test_a_short_password_is_refused_at_the_start() -> None:
    with pytest.raises(SettingsError, match="admin_secret must have 24"):
        Settings(public_url="https://app.example", admin_secret="short")
