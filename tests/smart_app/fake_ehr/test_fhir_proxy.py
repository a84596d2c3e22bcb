"""The simulated EHR's FHIR door: token, scopes, one patient, and faults on demand."""

import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from smart_app.fake_ehr import Client, FakeEhrSettings, create_fake_ehr
from smart_app.fake_ehr.grants import Access
from tests.smart_app.conftest import APP_URL, CLIENT_ID, RunningEhr

Ask = Callable[..., requests.Response]
SCOPES = "fhirUser patient/*.rs patient/CarePlan.crus patient/Provenance.cs"


@pytest.fixture
def ask(fake_ehr: RunningEhr) -> Ask:
    """A function that sends a FHIR request with a token of some scopes, for HALLORAN."""

    def send(
        method: str, path: str, *, scope: str = SCOPES, json: object = None, **headers: str
    ) -> requests.Response:
        token = fake_ehr.grants.put(Access(CLIENT_ID, scope, "halloran", "f"), life_s=60)
        sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/fhir+json"}
        url = f"{fake_ehr.iss}/{path}".rstrip("/")
        return requests.request(method, url, json=json, headers={**sent, **headers}, timeout=20)

    return send


def care_plan(patient: str = "halloran", **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "CarePlan",
        "status": "draft",
        "intent": "plan",
        "subject": {"reference": f"Patient/{patient}"},
        **more,
    }


def transaction(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "transaction", "entry": list(entries)}


def post(resource: dict[str, Any]) -> dict[str, Any]:
    request = {"method": "POST", "url": resource["resourceType"]}
    return {"fullUrl": "urn:uuid:1", "resource": resource, "request": request}


@pytest.mark.parametrize("token", ["", "Bearer ", "Bearer unknown", "Basic eDp5"])
def test_nothing_is_read_without_a_token(fake_ehr: RunningEhr, token: str) -> None:
    url = f"{fake_ehr.iss}/Patient/halloran"
    answer = requests.get(url, headers={"Authorization": token}, timeout=10)
    assert answer.status_code == 401
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_the_capabilities_are_open(fake_ehr: RunningEhr) -> None:
    answer = requests.get(f"{fake_ehr.iss}/metadata", timeout=10)
    assert answer.json()["resourceType"] == "CapabilityStatement"


def test_the_patient_and_what_is_theirs_are_read(ask: Ask) -> None:
    assert ask("GET", "Patient/halloran").json()["id"] == "halloran"
    assert ask("GET", "Observation/halloran-inr").status_code == 200
    assert ask("GET", "Practitioner/vance").status_code == 200


@pytest.mark.parametrize(
    "path", ["Patient/duarte", "Observation/duarte-platelets", "Condition/sato-cancer"]
)
def test_another_patient_is_not_read(ask: Ask, path: str) -> None:
    answer = ask("GET", path)
    assert answer.status_code == 404
    assert "DUARTE" not in answer.text


def test_a_search_finds_the_patient_s_resources_alone(ask: Ask) -> None:
    for path in ("Observation", "Observation?patient=halloran", "Patient"):
        entries = ask("GET", path).json()["entry"]
        assert entries
        assert all("halloran" in str(entry["resource"]) for entry in entries)


@pytest.mark.parametrize(
    "query",
    [
        "patient=duarte",
        "subject=Patient/duarte",
        "patient.name=x",
        "_has:X:y:z=1",
        "patient:Patient=x",
    ],
)
def test_a_search_for_somebody_else_is_refused(ask: Ask, query: str) -> None:
    assert ask("GET", f"Observation?{query}").status_code == 403


def test_a_search_by_post_is_limited_too(ask: Ask) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert ask("POST", "Observation/_search", **form).json()["type"] == "searchset"


def test_pages_lead_back_to_the_ehr_itself(ask: Ask, fake_ehr: RunningEhr) -> None:
    page = ask("GET", "Observation?_count=3").json()
    links = {link["relation"]: link["url"] for link in page["link"]}
    assert links["next"].startswith(f"{fake_ehr.iss}/Observation?")
    assert page["entry"][0]["fullUrl"].startswith(f"{fake_ehr.iss}/Observation/")
    rest = ask("GET", links["next"].removeprefix(f"{fake_ehr.iss}/")).json()
    assert rest["entry"][0]["fullUrl"] != page["entry"][0]["fullUrl"]


def test_a_total_counts_what_is_shown_or_is_left_out(ask: Ask, fhir_server: str) -> None:
    assert ask("GET", "Condition").json()["total"] == len(ask("GET", "Condition").json()["entry"])
    assert "total" not in ask("GET", "Observation?_count=3").json()
    account = {
        "resourceType": "Account",
        "id": "shared",
        "status": "active",
        "subject": [{"reference": "Patient/halloran"}, {"reference": "Patient/duarte"}],
    }
    url = f"{fhir_server}/Account"
    requests.put(f"{url}/shared", json=account, timeout=10).raise_for_status()
    assert requests.get(f"{url}?patient=halloran", timeout=10).json()["total"] == 1
    page = ask("GET", "Account").json()
    requests.delete(f"{url}/shared", timeout=10).raise_for_status()
    assert page["entry"] == []
    assert "total" not in page


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "Observation", "patient/Observation.r"),
        ("GET", "Observation/halloran-inr", "patient/Observation.s"),
        ("GET", "Observation", "patient/Condition.rs"),
        ("POST", "CarePlan", "patient/CarePlan.rs"),
        ("PUT", "CarePlan/x", "patient/CarePlan.crs"),
        ("DELETE", "CarePlan/x", "patient/CarePlan.crus"),
        ("GET", "Practitioner/other", "fhirUser"),
        ("POST", "CarePlan/$apply", "patient/*.cruds"),
    ],
)
def test_what_the_scopes_do_not_grant_is_refused(
    ask: Ask, method: str, path: str, scope: str
) -> None:
    assert ask(method, path, scope=scope, json=care_plan()).status_code == 403


def test_a_resource_is_made_and_changed_with_its_version(ask: Ask, fake_ehr: RunningEhr) -> None:
    made = ask("POST", "CarePlan", json=care_plan())
    assert made.status_code == 201
    assert made.headers["Location"].startswith(f"{fake_ehr.iss}/CarePlan/")
    path = f"CarePlan/{made.json()['id']}"
    changed = care_plan(id=made.json()["id"], title="x")
    assert ask("PUT", path, json=changed, **{"If-Match": 'W/"9"'}).status_code == 412
    assert ask("PUT", path, json=changed, **{"If-Match": made.headers["ETag"]}).status_code == 200


def test_another_patient_s_resource_is_neither_made_nor_changed(ask: Ask) -> None:
    assert ask("POST", "CarePlan", json=care_plan("duarte")).status_code == 403
    assert ask("PUT", "CarePlan/sato-plan", json=care_plan(id="sato-plan")).status_code == 403


def test_a_transaction_is_checked_entry_by_entry(ask: Ask) -> None:
    provenance = {
        "resourceType": "Provenance",
        "target": [{"reference": "urn:uuid:1"}],
        "recorded": "2026-01-01T00:00:00Z",
        "agent": [{"who": {"reference": "Practitioner/vance"}}],
    }
    answer = ask("POST", "", json=transaction(post(care_plan()), post(provenance)))
    assert answer.status_code == 200
    assert answer.json()["type"] == "transaction-response"


@pytest.mark.parametrize(
    "entry",
    [
        post(care_plan("duarte")),
        post({"resourceType": "Goal", "subject": {"reference": "Patient/halloran"}}),
        {**post(care_plan()), "request": {"method": "POST", "url": "Provenance"}},
        {**post(care_plan()), "request": {"method": "PUT", "url": "CarePlan/sato-plan"}},
        {"request": {"method": "DELETE", "url": "CarePlan/sato-plan"}},
        {"request": {"method": "GET", "url": "../Patient"}},
        {"request": {"method": "BREW", "url": "CarePlan"}},
        {},
    ],
)
def test_a_transaction_with_one_entry_too_many_is_refused_whole(
    ask: Ask, entry: dict[str, Any]
) -> None:
    before = ask("GET", "CarePlan?_summary=count").json()["total"]
    assert ask("POST", "", json=transaction(post(care_plan()), entry)).status_code == 403
    assert ask("GET", "CarePlan?_summary=count").json()["total"] == before


@pytest.mark.parametrize(("method", "status"), [("GET", 502), ("PUT", 504)])
def test_a_server_behind_that_is_down_is_told_in_an_outcome(method: str, status: int) -> None:
    client = Client(CLIENT_ID, redirect_uri=f"{APP_URL}/c", launch_url=f"{APP_URL}/l")
    ehr = create_fake_ehr(
        FakeEhrSettings("http://127.0.0.1:8000", "http://127.0.0.1:9/fhir", clients=(client,))
    )
    grants = ehr.extensions["fake_ehr"].grants
    token = grants.put(Access(CLIENT_ID, SCOPES, "halloran", "f"), life_s=60)
    answer = ehr.test_client().open(
        "/fhir/CarePlan/x",
        method=method,
        json=care_plan(id="x"),
        headers={"Authorization": f"Bearer {token}"},
    )
    assert answer.status_code == status
    assert answer.json["resourceType"] == "OperationOutcome"


@pytest.mark.parametrize("status", [401, 403, 409, 412, 429, 500, 503])
def test_a_status_on_demand_is_given_once(ask: Ask, fake_ehr: RunningEhr, status: int) -> None:
    fake_ehr.fail(f"status-{status}", path="Observation", method="GET", skip=1)
    assert ask("GET", "Observation").status_code == 200
    assert ask("GET", "Condition").status_code == 200
    answer = ask("GET", "Observation")
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert ("Retry-After" in answer.headers) is (status in (429, 503))
    assert ask("GET", "Observation").status_code == 200


def test_an_outcome_or_a_web_page_comes_instead_of_a_bundle(ask: Ask, fake_ehr: RunningEhr) -> None:
    fake_ehr.fail("outcome")
    assert ask("GET", "Observation").json()["resourceType"] == "OperationOutcome"
    fake_ehr.fail("html")
    assert ask("GET", "Observation").text.startswith("<html>")


@pytest.mark.parametrize(("fault", "stored"), [("drop-before", 0), ("drop-after", 1)])
def test_a_dropped_connection_before_and_after_the_commit(
    ask: Ask, fake_ehr: RunningEhr, fault: str, stored: int
) -> None:
    before = ask("GET", "CarePlan?_summary=count").json()["total"]
    fake_ehr.fail(fault, method="POST")
    with pytest.raises(requests.ConnectionError):
        ask("POST", "", json=transaction(post(care_plan())))
    assert ask("GET", "CarePlan?_summary=count").json()["total"] == before + stored


def test_no_fault_happens_to_a_request_before_it_has_come_whole(
    ask: Ask, fake_ehr: RunningEhr
) -> None:
    token = fake_ehr.grants.put(Access(CLIENT_ID, SCOPES, "halloran", "f"), life_s=60)
    base = urlsplit(fake_ehr.iss)
    head = (
        f"POST {base.path} HTTP/1.1\r\nHost: {base.netloc}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/fhir+json\r\nContent-Length: 100\r\n\r\n"
    )
    fake_ehr.fail("drop-before", method="POST")
    with socket.create_connection((str(base.hostname), base.port or 80), timeout=20) as half:
        half.sendall(head.encode() + b"{")  # The sender dies before it has sent the rest.
        half.shutdown(socket.SHUT_WR)
        half.recv(1)
    with pytest.raises(requests.ConnectionError):
        ask("POST", "", json=transaction(post(care_plan())))
