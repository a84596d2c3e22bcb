"""The real things start, answer and stop."""

import pytest
import requests

from tests.servers.needs import need


@pytest.mark.browser
def test_browser_renders_a_page(browser):
    page = browser.new_page()
    page.set_content("<title>ivfhir</title><p>≥ 75 ‰")
    assert page.title() == "ivfhir"
    page.close()


@pytest.mark.server
def test_sekmet_keeps_a_patient(sekmet):
    patient = {"resourceType": "Patient", "id": "p1", "birthDate": "1960"}
    assert requests.put(f"{sekmet}/Patient/p1", json=patient, timeout=10).status_code == 201
    found = requests.get(f"{sekmet}/Patient?_id=p1", timeout=10).json()
    assert [entry["resource"]["birthDate"] for entry in found["entry"]] == ["1960"]


@pytest.mark.server
def test_each_sekmet_is_empty(sekmet):
    assert requests.get(f"{sekmet}/Patient/p1", timeout=10).status_code == 404


@pytest.mark.server
def test_hapi_is_an_r4_server(hapi):
    assert requests.get(f"{hapi}/metadata", timeout=60).json()["fhirVersion"] == "4.0.1"


def test_missing_part_skips_on_a_desk_and_fails_in_ci(monkeypatch):
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="needs it: apt-get"):
        need("needs it: apt-get install it")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="needs it: apt-get"):
        need("needs it: apt-get install it")
    need(None)
