"""Headers of every answer, and forms that come from elsewhere."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask, render_template_string, request
from flask.testing import FlaskClient

from smart_app.app import create_app
from smart_app.config import Ehr
from smart_app.security import security_headers
from smart_app.smart.session import needs_launch
from tests.smart_app.conftest import APP_URL, Launched, RunningEhr, come_back, new_client

FORM = '<input type="hidden" name="_csrf" value="'


@pytest.fixture
def posted(app: Flask) -> list[str]:
    """What reached a form's view, which this fixture adds to the app."""
    reached: list[str] = []

    @app.route("/l/<launch>/form", methods=["GET", "POST"], endpoint="form")
    @needs_launch
    def form(launch: object) -> str:
        if request.method == "POST":
            reached.append(request.form.get("fact", ""))
        return render_template_string("{{ csrf_field() }}")

    return reached


def token_of(launched: Launched) -> str:
    return launched.client.get(launched.url("form")).text.split(FORM)[1].split('"')[0]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "null"},
        {"Sec-Fetch-Site": "same-origin", "Origin": APP_URL},
        {"Origin": APP_URL},
        {"Origin": "null"},
        {},
    ],
)
def test_our_own_form_is_taken(
    posted: list[str], launched: Launched, headers: dict[str, str]
) -> None:
    data = {"_csrf": token_of(launched), "fact": "x"}
    answer = launched.client.post(launched.url("form"), data=data, headers=headers)
    assert answer.status_code == 200
    assert posted == ["x"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "same-site", "Origin": APP_URL},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "http://app.example"},
    ],
)
def test_a_form_of_another_site_is_refused(
    posted: list[str], launched: Launched, headers: dict[str, str]
) -> None:
    data = {"_csrf": token_of(launched)}
    answer = launched.client.post(launched.url("form"), data=data, headers=headers)
    assert answer.status_code == 403
    assert "Nothing was done" in answer.text
    assert posted == []


@pytest.mark.parametrize("token", ["", "x", "ü"])
def test_a_form_without_the_launch_s_token_is_refused(
    posted: list[str], launched: Launched, token: str
) -> None:
    answer = launched.client.post(launched.url("form"), data={"_csrf": token})
    assert answer.status_code == 403
    assert posted == []


def test_the_token_of_another_launch_is_refused(
    posted: list[str],
    launched: Launched,
    launch_for: Callable[..., Launched],
    client: FlaskClient,
) -> None:
    other = launch_for(client, "lindqvist")
    answer = client.post(launched.url("form"), data={"_csrf": token_of(other)})
    assert answer.status_code == 403
    assert posted == []


@pytest.mark.parametrize("path", ["/", "/launch", "/nowhere", "/health"])
def test_every_answer_has_the_headers(client: FlaskClient, path: str) -> None:
    headers = client.get(path).headers
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy


def test_only_the_ehrs_may_frame_the_app() -> None:
    ehrs = (
        Ehr(iss="https://a.example/fhir", client_id="x", origins=("https://portal.example",)),
        Ehr(iss="https://b.example:8443/fhir", client_id="x"),
    )
    policy = security_headers(ehrs)["Content-Security-Policy"]
    assert policy.endswith(
        "frame-ancestors 'self' https://a.example https://portal.example https://b.example:8443"
    )


def test_static_files_may_be_kept(app: Flask, client: FlaskClient) -> None:
    name = next(path.name for path in Path(str(app.static_folder)).iterdir() if path.is_file())
    with client.get(f"/static/{name}") as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert client.get("/static/absent.css").headers["Cache-Control"] == "no-store"


def test_a_page_of_a_launch_is_framed_by_its_own_ehr_alone(app: Flask, launched: Launched) -> None:
    services = app.extensions["ivfhir"]
    other = Ehr(iss="https://other.example/fhir", client_id="x")
    own = services.settings.ehrs[0].frame_origins[0]
    both = create_app(replace(services.settings, ehrs=(*services.settings.ehrs, other)))
    try:
        client = new_client(both)
        client._cookies = launched.client._cookies
        policy = client.get("/").headers["Content-Security-Policy"]
        assert policy.endswith(f"frame-ancestors 'self' {own} https://other.example")
        for page, status in (("match", 200), ("record/Patient/nobody", 404)):
            answer = client.get(launched.url(page))
            assert answer.status_code == status
            policy = answer.headers["Content-Security-Policy"]
            assert policy.endswith(f"frame-ancestors 'self' {own}")
    finally:
        both.extensions["ivfhir"].store.close()


def test_a_page_that_is_asked_for_its_headers_alone_is_in_the_trail(
    app: Flask, launched: Launched
) -> None:
    assert launched.client.head(launched.url("match")).status_code == 200
    events = app.extensions["ivfhir"].store.events()
    assert [event.content["event"] for event in events] == ["sign-in", "open", "evaluate"]


@pytest.mark.parametrize("name", ["iss", "launch"])
def test_a_launch_that_says_something_twice_is_refused(
    client: FlaskClient, fake_ehr: RunningEhr, name: str
) -> None:
    query = fake_ehr.launch_query("halloran")
    page = client.get(f"/launch?{query}&{name}=x")
    assert page.status_code == 400
    assert "twice" in page.text


@pytest.mark.parametrize("name", ["state", "code", "iss"])
def test_a_way_back_that_says_something_twice_opens_and_spoils_nothing(
    client: FlaskClient, begin: Callable[..., str], name: str
) -> None:
    way = begin(client)
    page = come_back(client, f"{way}&{name}=x")
    assert page.status_code == 400
    assert "twice" in page.text
    assert client.get(way).headers["Location"].endswith("/match")


def test_claimed_addresses_are_not_believed_without_a_proxy(
    app: Flask, client: FlaskClient
) -> None:
    object.__setattr__(app.extensions["ivfhir"].settings, "address_per_minute", 3)
    answers = [
        client.get("/launch?iss=x", headers={"X-Forwarded-For": f"192.0.2.{n}"}).status_code
        for n in range(5)
    ]
    assert answers == [400, 400, 400, 429, 429]
