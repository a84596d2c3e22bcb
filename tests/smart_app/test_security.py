"""Headers of every answer, and forms that come from elsewhere."""

from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask, render_template_string, request
from flask.testing import FlaskClient

from smart_app.config import Ehr, Settings
from smart_app.security import security_headers
from smart_app.smart.session import needs_launch
from tests.smart_app.conftest import APP_URL, Launched

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
    policy = security_headers(Settings(public_url=APP_URL, ehrs=ehrs))["Content-Security-Policy"]
    assert policy.endswith(
        "frame-ancestors 'self' https://a.example https://portal.example https://b.example:8443"
    )


def test_static_files_may_be_kept(app: Flask, client: FlaskClient) -> None:
    name = next(path.name for path in Path(str(app.static_folder)).iterdir() if path.is_file())
    with client.get(f"/static/{name}") as answer:
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
    assert client.get("/static/absent.css").headers["Cache-Control"] == "no-store"
