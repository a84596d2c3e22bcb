"""What the app keeps of an EHR's own statements."""

import pytest
import requests
import responses
from flask import Flask

from ivfhir.errors import BadAnswerError, ServerError, UnauthorisedError
from ivfhir.servers.http import HttpRepository

BASE = "https://ehr.example/fhir"


def statement(*types: str) -> dict[str, object]:
    offered = [{"type": name, "interaction": [{"code": "create"}]} for name in types]
    return {
        "resourceType": "CapabilityStatement",
        "rest": [{"mode": "server", "resource": offered}],
    }


@responses.activate
def test_a_server_is_asked_once_for_plans_and_audit_events(app: Flask) -> None:
    asked = responses.get(f"{BASE}/metadata", json=statement("CarePlan", "AuditEvent"))
    services = app.extensions["ivfhir"]
    repository = HttpRepository(BASE, session=requests.Session())
    says = services.server_says(BASE, repository)
    assert says.takes_audit_events
    assert "RequestGroup" in says.of_plans["LUNG"].doubts[0]
    assert "CarePlan" not in says.of_plans["LUNG"].doubts[0]
    assert services.server_says(f"{BASE}/", repository) is says
    assert asked.call_count == 1


@responses.activate
@pytest.mark.parametrize("rest", [7, [{"mode": "server", "resource": "CarePlan"}]])
def test_a_statement_of_another_shape_says_nothing_and_is_not_kept(
    app: Flask, rest: object
) -> None:
    asked = responses.get(f"{BASE}/metadata", json={**statement(), "rest": rest})
    services = app.extensions["ivfhir"]
    repository = HttpRepository(BASE, session=requests.Session())
    for _ in range(2):
        with pytest.raises(BadAnswerError):
            services.server_says(BASE, repository)
    assert asked.call_count == 2


@responses.activate
def test_one_page_asks_once_also_of_a_server_that_lets_nothing_be_kept(app: Flask) -> None:
    no_store = {"Cache-Control": "no-store"}
    asked = responses.get(f"{BASE}/metadata", json=statement("CarePlan"), headers=no_store)
    services = app.extensions["ivfhir"]
    repository = HttpRepository(BASE, session=requests.Session())
    for pages in (1, 2):
        with app.app_context():
            says = services.server_says(BASE, repository)
            assert services.server_says(f"{BASE}/", repository) is says
        assert asked.call_count == pages


@responses.activate
def test_one_page_asks_a_server_that_fails_once(app: Flask) -> None:
    asked = responses.get(f"{BASE}/metadata", status=500)
    services = app.extensions["ivfhir"]
    repository = HttpRepository(BASE, session=requests.Session())
    for pages in (1, 2):
        with app.app_context():
            for _ in range(3):
                with pytest.raises(ServerError):
                    services.server_says(BASE, repository)
        assert asked.call_count == pages


@responses.activate
def test_a_token_that_is_refused_is_no_answer_of_the_server(app: Flask) -> None:
    asked = responses.get(f"{BASE}/metadata", status=401)
    services = app.extensions["ivfhir"]
    repository = HttpRepository(BASE, session=requests.Session())
    with app.app_context():
        for _ in range(2):
            with pytest.raises(UnauthorisedError):
                services.server_says(BASE, repository)
    assert asked.call_count == 2
