"""What the trail holds after a clinician's work, and how it is told outside the app."""

import json
import re
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from ivfhir.cli.main import main
from ivfhir.validation import validate_resource
from smart_app.store import Store
from tests.smart_app.conftest import Launched


def store_of(app: Flask) -> Store:
    store: Store = app.extensions["ivfhir"].store
    return store


def events(app: Flask) -> list[dict[str, str]]:
    return [event.content for event in store_of(app).events()]


def test_signing_in_and_each_page_that_is_opened_is_kept_once(
    app: Flask, launched: Launched
) -> None:
    for _ in range(2):
        assert launched.client.get(launched.url("match")).status_code == 200
        assert launched.client.get(launched.url("why/LUNG")).status_code == 200
    signed_in, match, evaluated, why = events(app)
    assert (signed_in["event"], signed_in["outcome"]) == ("sign-in", "success")
    assert signed_in["patient"] == match["patient"] == why["patient"] == "Patient/halloran"
    assert signed_in["user"] == match["user"]
    assert match["user"].startswith("Practitioner/")
    assert signed_in["address"] == "127.0.0.1"
    assert evaluated["event"] == "evaluate"
    assert (match["page"], why["page"], why["protocol"]) == ("match", "why", "LUNG")
    assert store_of(app).prove_trail().breaks == []


def test_a_page_of_a_launch_that_the_browser_does_not_hold_is_no_opening(
    app: Flask, client: FlaskClient
) -> None:
    assert client.get("/l/unknown/match").status_code == 401
    assert events(app) == []


def test_a_refused_sign_in_is_kept_and_a_foreign_answer_is_not(
    app: Flask, client: FlaskClient, begin: Callable[..., str]
) -> None:
    foreign = "/callback?state=unknown&error=access_denied"
    assert client.get(foreign, follow_redirects=True).status_code == 400
    assert events(app) == []
    answer = begin(client)
    state = re.search(r"state=[^&]*", answer)
    issuer = re.search(r"&iss=[^&]*", answer)
    assert state is not None
    refused = f"/callback?{state[0]}&error=access_denied{issuer[0] if issuer else ''}"
    assert client.get(refused, follow_redirects=True).status_code == 400
    [failed] = events(app)
    assert (failed["event"], failed["outcome"], failed["why"]) == (
        "sign-in",
        "failure",
        "LaunchError",
    )
    assert "user" not in failed


@pytest.fixture
def config(app: Flask, tmp_path: Path) -> str:
    path = tmp_path / "ivfhir.toml"
    path.write_text(
        'public_url = "https://app.example"\n'
        f'database_url = "sqlite:///{tmp_path}/app.sqlite3"\nkey_file = "{tmp_path}/key"\n'
    )
    return str(path)


def test_each_kind_of_event_is_a_valid_audit_event_in_a_file_for_its_owner(
    app: Flask, launched: Launched, config: str, tmp_path: Path
) -> None:
    launched.client.get(launched.url("match"))
    for event in ("sign-out", "sign", "override", "write", "discard"):
        store_of(app).add_event({"event": event, "outcome": "failure", "protocol": "LUNG"})
    output = tmp_path / "audit.ndjson"
    assert main(["audit", "export", "--config", config, "--output", str(output)]) == 0
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    resources = [json.loads(line) for line in output.read_text().splitlines()]
    for resource in resources:
        assert [e.text for e in validate_resource(resource) if e.rule != "dom-6"] == []
    assert [(each["action"], each["outcome"]) for each in resources] == [
        ("E", "0"), ("R", "0"), ("E", "0"),
        ("E", "4"), ("E", "4"), ("E", "4"), ("C", "4"), ("D", "4"),
    ]  # fmt: skip
    opened = resources[1]
    assert opened["type"]["code"] == "rest"
    assert opened["subtype"][0]["code"] == "read"
    assert opened["agent"][0]["who"]["reference"].startswith("Practitioner/")
    assert "network" not in opened["agent"][0]  # BALP: users are no network devices.
    assert opened["agent"][1]["network"] == {"address": "127.0.0.1", "type": "2"}
    assert opened["entity"][0]["what"] == {"reference": "Patient/halloran"}
    assert main(["audit", "export", "--config", config, "--output", str(output)]) == 2


def test_verify_is_code_6_when_the_trail_is_not_whole(
    app: Flask, launched: Launched, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    launched.client.get(launched.url("match"))
    assert main(["audit", "verify", "--config", config, "--format", "json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["whole"], told["count"], told["breaks"]) == (True, 3, [])
    assert main(["audit", "verify", "--config", config, "--expect", told["head"]]) == 0
    with store_of(app)._engine.begin() as connection:
        connection.execute(text("DELETE FROM audit_events WHERE number = 1"))
    capsys.readouterr()
    assert main(["audit", "verify", "--config", config]) == 6
    assert "Events 1 to 1 are missing." in capsys.readouterr().out


def test_list_tells_days_asked_for(
    app: Flask, launched: Launched, config: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "list", "--config", config]) == 0
    assert "event=sign-in" in capsys.readouterr().out
    assert main(["audit", "list", "--config", config, "--until", "2020-01-01"]) == 0
    assert capsys.readouterr().out == ""
    assert main(["audit", "list", "--config", config, "--since", "yesterday"]) == 2
