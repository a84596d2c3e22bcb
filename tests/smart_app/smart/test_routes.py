"""The launch: from the EHR's button to a launch of ours.

Source: https://hl7.org/fhir/smart-app-launch/STU2.2
"""

from collections.abc import Callable
from datetime import timedelta

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from smart_app.services import AppServices
from tests.smart_app.conftest import (
    APP_URL,
    CLIENT_ID,
    Clock,
    Launched,
    RunningEhr,
    come_back,
    new_client,
    query_of,
)


def services(app: Flask) -> AppServices:
    return app.extensions["ivfhir"]


def test_an_ehr_launch_ends_at_the_protocols_of_the_patient(launched: Launched) -> None:
    assert launched.response.headers["Location"] == launched.url("match")
    page = launched.client.get(launched.url("match"))
    assert page.status_code == 200
    assert "HALLORAN" in page.text


def test_the_authorization_request_holds_what_smart_asks_for(
    client: FlaskClient, fake_ehr: RunningEhr
) -> None:
    """https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html#obtain-authorization-code ."""
    launch = fake_ehr.launch_query("halloran")
    query = query_of(client.get(f"/launch?{launch}").headers["Location"])
    assert query["response_type"] == "code"
    assert query["client_id"] == CLIENT_ID
    assert query["redirect_uri"] == f"{APP_URL}/callback"
    assert query["aud"] == fake_ehr.iss
    assert query["launch"] == query_of(f"?{launch}")["launch"]
    assert query["code_challenge_method"] == "S256"
    assert len(query["code_challenge"]) == 43
    assert len(query["state"]) >= 22
    assert "patient/Observation.rs" in query["scope"].split()
    assert "patient/CarePlan.crus" in query["scope"].split()


def test_each_launch_has_its_own_state_nonce_and_challenge(
    client: FlaskClient, fake_ehr: RunningEhr
) -> None:
    first, second = (
        query_of(client.get(f"/launch?{fake_ehr.launch_query('halloran')}").headers["Location"])
        for _ in range(2)
    )
    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]


def test_a_standalone_launch_lets_the_ehr_choose_the_patient(
    client: FlaskClient, fake_ehr: RunningEhr
) -> None:
    """Source: `app-launch.html#launch-app-standalone-launch`."""
    answer = client.get("/launch", query_string={"iss": fake_ehr.iss})
    query = query_of(answer.headers["Location"])
    assert "launch/patient" in query["scope"].split()
    assert "launch" not in query
    answer = client.get(fake_ehr.sign_in(answer.headers["Location"], patient="lindqvist"))
    assert "LINDQVIST" in client.get(answer.headers["Location"]).text


def test_the_start_page_names_the_configured_ehrs(client: FlaskClient) -> None:
    page = client.get("/")
    assert page.status_code == 200
    assert "Test EHR" in page.text


@pytest.mark.parametrize("iss", ["https://evil.example/fhir", "http://127.0.0.1:1/fhir", ""])
def test_a_foreign_issuer_is_refused_and_not_asked(client: FlaskClient, iss: str) -> None:
    page = client.get("/launch", query_string={"iss": iss, "launch": "x"})
    assert page.status_code == 400
    assert "Location" not in page.headers


@pytest.mark.parametrize("extra", ["/..", "//", "?x=1", "#x", "@evil.example/fhir"])
def test_an_issuer_that_only_looks_like_ours_is_refused(
    client: FlaskClient, fake_ehr: RunningEhr, extra: str
) -> None:
    page = client.get("/launch", query_string={"iss": fake_ehr.iss + extra, "launch": "x"})
    assert page.status_code == 400


def test_a_forged_state_is_refused(client: FlaskClient, begin: Callable[..., str]) -> None:
    path = begin(client)
    state = query_of(path)["state"]
    page = come_back(client, path.replace(state, "forged" + state[6:]))
    assert page.status_code == 400
    assert "unknown, already used or too old" in page.text


def test_a_replayed_callback_is_refused(client: FlaskClient, begin: Callable[..., str]) -> None:
    path = begin(client)
    assert client.get(path).status_code == 303
    page = come_back(client, path)
    assert page.status_code == 400
    assert "already used" in page.text


def test_another_browser_cannot_use_a_sign_in_and_does_not_spoil_it(
    app: Flask, client: FlaskClient, begin: Callable[..., str]
) -> None:
    path = begin(client)
    page = come_back(new_client(app), path)
    assert page.status_code == 400
    assert "another browser" in page.text
    assert client.get(path).status_code == 303


def test_a_sign_in_that_took_too_long_is_refused(
    app: Flask, client: FlaskClient, clock: Clock, begin: Callable[..., str]
) -> None:
    path = begin(client)
    clock.ahead += timedelta(minutes=11)
    page = come_back(client, path)
    assert page.status_code == 400
    assert "too old" in page.text


def test_a_code_of_another_issuer_is_refused(
    client: FlaskClient, fake_ehr: RunningEhr, begin: Callable[..., str]
) -> None:
    """https://www.rfc-editor.org/rfc/rfc9207#section-2.4 ."""
    fake_ehr.fail("wrong-issuer")
    page = come_back(client, begin(client))
    assert page.status_code == 400
    assert "another issuer" in page.text


def test_a_callback_without_state_is_refused(client: FlaskClient) -> None:
    assert come_back(client, "/callback?code=x").status_code == 400
    assert come_back(client, "/callback").status_code == 400


def test_two_launches_in_one_browser_do_not_mix(
    client: FlaskClient, launch_for: Callable[..., Launched]
) -> None:
    first, second = launch_for(client, "halloran"), launch_for(client, "lindqvist")
    assert first.launch_id != second.launch_id
    assert "HALLORAN" in client.get(first.url("match")).text
    assert "LINDQVIST" in client.get(second.url("match")).text


def test_sign_ins_begun_side_by_side_each_end_at_their_patient(
    client: FlaskClient, begin: Callable[..., str]
) -> None:
    first, second = begin(client, "halloran"), begin(client, "duarte")
    later, earlier = client.get(second), client.get(first)
    assert "DUARTE" in client.get(later.headers["Location"]).text
    assert "HALLORAN" in client.get(earlier.headers["Location"]).text


def test_another_browser_does_not_see_the_launch(app: Flask, launched: Launched) -> None:
    page = new_client(app).get(launched.url("match"))
    assert page.status_code == 401
    assert "HALLORAN" not in page.text


def test_the_cookie_of_one_launch_does_not_open_another(
    app: Flask, launch_for: Callable[..., Launched]
) -> None:
    first, second = launch_for(new_client(app)), launch_for(new_client(app), "lindqvist")
    cookie = first.client.get_cookie(f"__Host-ivfhir-{first.launch_id}")
    thief = new_client(app)
    thief.set_cookie(f"__Host-ivfhir-{second.launch_id}", cookie.value)
    assert thief.get(second.url("match")).status_code == 401


def test_cookies_come_back_in_a_frame_of_another_site_and_are_hidden_from_scripts(
    client: FlaskClient, fake_ehr: RunningEhr, launched: Launched
) -> None:
    begun = client.get(f"/launch?{fake_ehr.launch_query('halloran')}")
    for answer in (begun, launched.response):
        [cookie] = [text for text in answer.headers.getlist("Set-Cookie") if "=;" not in text]
        assert cookie.startswith("__Host-ivfhir-")
        for attribute in ("Secure", "HttpOnly", "SameSite=None", "Partitioned", "Path=/"):
            assert attribute in cookie
        assert "Domain" not in cookie


def test_no_token_reaches_the_browser_or_stands_readable_in_the_database(
    app: Flask, launched: Launched, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = services(app).store
    [record] = [
        store.load_launch(launched.launch_id, cookie.value)
        for cookie in [launched.client.get_cookie(f"__Host-ivfhir-{launched.launch_id}")]
    ]
    secrets = [record.body["access_token"], record.body["refresh_token"]]
    page = launched.client.get(launched.url("match"))
    with store._engine.connect() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM launches").all()
    for secret in secrets:
        assert secret not in page.text
        assert secret not in str(page.headers) + str(launched.response.headers)
        assert secret not in str(rows)
    assert "halloran" not in str(rows)


def test_launching_removes_sign_ins_and_launches_that_are_over(
    app: Flask, client: FlaskClient, clock: Clock, launched: Launched, fake_ehr: RunningEhr
) -> None:
    clock.ahead += timedelta(days=31)
    client.get(f"/launch?{fake_ehr.launch_query('halloran')}").close()
    with services(app).store._engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM launches").scalar() == 0


def test_an_ehr_that_is_down_is_named_in_words(client: FlaskClient, fake_ehr: RunningEhr) -> None:
    query = fake_ehr.launch_query("halloran")
    app = client.application
    object.__setattr__(services(app).settings.ehrs[0], "iss", "http://127.0.0.1:9/fhir")
    page = client.get("/launch", query_string={"iss": "http://127.0.0.1:9/fhir", "launch": query})
    assert page.status_code == 504
    assert "did not answer" in page.text


class TestVersion1:
    @pytest.fixture
    def ehr_options(self) -> dict[str, object]:
        return {"version_1": True}

    def test_an_ehr_of_smart_version_1_is_asked_and_understood_in_its_own_words(
        self, client: FlaskClient, launched: Launched
    ) -> None:
        assert client.get(launched.url("match")).status_code == 200


class TestConfidentialClient:
    @pytest.fixture
    def client_options(self) -> dict[str, object]:
        return {"client_secret": "a secret: with colon"}

    @pytest.fixture
    def registration(self) -> dict[str, object]:
        return {"client_secret": "a secret: with colon"}

    def test_a_client_with_a_secret_signs_in(self, launched: Launched) -> None:
        assert launched.client.get(launched.url("match")).status_code == 200


class TestWrongSecret:
    @pytest.fixture
    def client_options(self) -> dict[str, object]:
        return {"client_secret": "right"}

    @pytest.fixture
    def registration(self) -> dict[str, object]:
        return {"client_secret": "wrong"}

    def test_a_wrong_secret_is_for_whoever_runs_the_app(
        self, client: FlaskClient, begin: Callable[..., str]
    ) -> None:
        page = come_back(client, begin(client))
        assert page.status_code == 400
        assert "invalid_client" in page.text
        assert "Whoever runs this app" in page.text


def test_the_simulated_ehr_refuses_a_wrong_aud(client: FlaskClient, fake_ehr: RunningEhr) -> None:
    url = client.get(f"/launch?{fake_ehr.launch_query('halloran')}").headers["Location"]
    aud = query_of(url)["aud"]
    wrong = url.replace(
        f"aud={requests.utils.quote(aud, safe='')}", "aud=https%3A%2F%2Felsewhere.example"
    )
    assert wrong != url
    page = come_back(client, fake_ehr.sign_in(wrong))
    assert page.status_code == 400
    assert "aud is not this FHIR server" in page.text
