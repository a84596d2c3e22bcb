"""The simulated EHR's sign-in is strict.

Source: https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html
"""

from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from smart_app.smart.oauth import code_challenge
from tests.smart_app.conftest import APP_URL, CLIENT_ID, RunningEhr, query_of

VERIFIER = "v" * 64


def authorize(ehr: RunningEhr, **changes: str | None) -> requests.Response:
    launch = query_of("?" + ehr.launch_query("halloran"))["launch"]
    usual: dict[str, str | None] = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": f"{APP_URL}/callback",
        "scope": "launch openid fhirUser online_access patient/Observation.rs patient/Foo.x x",
        "state": "s",
        "nonce": "n",
        "aud": ehr.iss,
        "code_challenge": code_challenge(VERIFIER),
        "code_challenge_method": "S256",
        "launch": launch,
    }
    query = {name: value for name, value in {**usual, **changes}.items() if value is not None}
    url = f"{ehr.settings.public_url}/auth/authorize?{urlencode(query)}"
    return requests.get(url, allow_redirects=False, timeout=10)


def ask_token(ehr: RunningEhr, **form: str) -> requests.Response:
    data = {
        "grant_type": "authorization_code",
        "redirect_uri": f"{APP_URL}/callback",
        "client_id": CLIENT_ID,
        "code_verifier": VERIFIER,
        **form,
    }
    return requests.post(f"{ehr.settings.public_url}/auth/token", data=data, timeout=10)


def code_of(answer: requests.Response) -> str:
    return query_of(answer.headers["Location"])["code"]


@pytest.mark.parametrize(
    "changes",
    [{"client_id": "x"}, {"redirect_uri": f"{APP_URL}/callback/"}, {"redirect_uri": None}],
)
def test_an_unknown_app_is_never_redirected_to(
    fake_ehr: RunningEhr, changes: dict[str, str | None]
) -> None:
    answer = authorize(fake_ehr, **changes)
    assert answer.status_code == 400
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"state": None}, "invalid_request"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"aud": "https://elsewhere.example/fhir"}, "invalid_request"),
        ({"aud": None}, "invalid_request"),
        ({"scope": " "}, "invalid_scope"),
        ({"launch": "unknown"}, "invalid_request"),
    ],
)
def test_a_wrong_request_is_answered_with_an_error(
    fake_ehr: RunningEhr, changes: dict[str, str | None], error: str
) -> None:
    answer = authorize(fake_ehr, **changes)
    assert query_of(answer.headers["Location"])["error"] == error


def test_a_launch_is_good_once(fake_ehr: RunningEhr) -> None:
    launch = query_of("?" + fake_ehr.launch_query("halloran"))["launch"]
    assert "code=" in authorize(fake_ehr, launch=launch).headers["Location"]
    assert "error=" in authorize(fake_ehr, launch=launch).headers["Location"]


def test_the_token_answer_holds_patient_scopes_and_identity(fake_ehr: RunningEhr) -> None:
    answer = ask_token(fake_ehr, code=code_of(authorize(fake_ehr)))
    body = answer.json()
    assert answer.headers["Cache-Control"] == "no-store"
    assert (body["patient"], body["token_type"]) == ("halloran", "Bearer")
    assert body["scope"] == "launch openid fhirUser online_access patient/Observation.rs"
    assert body["id_token"].count(".") == 2
    assert body["refresh_token"]


@pytest.mark.parametrize(
    "form",
    [
        {"code_verifier": "w" * 64},
        {"code_verifier": ""},
        {"redirect_uri": "https://evil.example/callback"},
        {"code": "unknown"},
    ],
)
def test_a_code_needs_its_own_proof(fake_ehr: RunningEhr, form: dict[str, str]) -> None:
    answer = ask_token(fake_ehr, **{"code": code_of(authorize(fake_ehr)), **form})
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_grant"})


@pytest.mark.parametrize("form", [{"client_id": "x"}, {"client_secret": "guess"}])
def test_a_client_must_be_the_registered_one(fake_ehr: RunningEhr, form: dict[str, str]) -> None:
    answer = ask_token(fake_ehr, **{"code": code_of(authorize(fake_ehr)), **form})
    assert (answer.status_code, answer.json()) == (401, {"error": "invalid_client"})


def test_a_code_used_twice_ends_what_it_brought(fake_ehr: RunningEhr) -> None:
    """https://www.rfc-editor.org/rfc/rfc6749#section-4.1.2 ."""
    code = code_of(authorize(fake_ehr))
    token = ask_token(fake_ehr, code=code).json()["access_token"]
    headers = {"Authorization": f"Bearer {token}"}
    url = f"{fake_ehr.iss}/Observation"
    assert requests.get(url, headers=headers, timeout=10).status_code == 200
    assert ask_token(fake_ehr, code=code).status_code == 400
    assert requests.get(url, headers=headers, timeout=10).status_code == 401


def test_a_refresh_token_is_good_once_and_never_for_more(fake_ehr: RunningEhr) -> None:
    first = ask_token(fake_ehr, code=code_of(authorize(fake_ehr))).json()["refresh_token"]
    more = {"grant_type": "refresh_token", "refresh_token": first}
    second = ask_token(fake_ehr, **more).json()["refresh_token"]
    assert second != first
    assert ask_token(fake_ehr, **more).status_code == 400
    wider = {"grant_type": "refresh_token", "refresh_token": second, "scope": "patient/*.cruds"}
    assert ask_token(fake_ehr, **wider).json() == {"error": "invalid_scope"}


def test_an_unknown_grant_is_refused(fake_ehr: RunningEhr) -> None:
    answer = ask_token(fake_ehr, grant_type="password")
    assert answer.json() == {"error": "unsupported_grant_type"}


def test_faults_can_be_set_over_http(fake_ehr: RunningEhr) -> None:
    url = f"{fake_ehr.settings.public_url}/faults"
    fault: dict[str, Any] = {"name": "status-500", "times": 2, "path": "Observation"}
    requests.post(url, json=fault, timeout=10)
    listed = requests.get(url, headers={"Accept": "application/json"}, timeout=10).json()
    assert listed == [{**fault, "skip": 0, "method": None}]
    assert "status-500" in requests.get(url, headers={"Accept": "text/html"}, timeout=10).text
    assert requests.post(url, json={"name": "unheard"}, timeout=10).status_code == 400
    requests.post(f"{url}/clear", timeout=10)
    assert requests.get(url, headers={"Accept": "application/json"}, timeout=10).json() == []


def test_the_list_shows_the_patients_with_a_button_each(fake_ehr: RunningEhr) -> None:
    page = requests.get(fake_ehr.settings.public_url, timeout=10).text
    assert page.index("Edmund HALLORAN") < page.index("Kenji SATO") < page.index("Darin Skiles")
    assert "Colm FERRIS (died)" in page
    assert "/open/halloran" in page
    assert "/frame/halloran" in page


def test_a_standalone_sign_in_offers_the_patient_who_is_open_first(fake_ehr: RunningEhr) -> None:
    base = fake_ehr.settings.public_url
    browser = requests.Session()
    browser.get(f"{base}/open/sato", allow_redirects=False, timeout=10)
    query = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": f"{APP_URL}/callback",
        "scope": "launch/patient openid",
        "state": "s",
        "aud": fake_ehr.iss,
        "code_challenge": code_challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    page = browser.get(f"{base}/auth/authorize?{urlencode(query)}", timeout=10).text
    assert page.index("SATO") < page.index("HALLORAN")
    assert page.count("(open in this EHR)") == 1
    strangers = requests.get(f"{base}/auth/authorize?{urlencode(query)}", timeout=10).text
    assert strangers.index("HALLORAN") < strangers.index("SATO")
    assert "(open in this EHR)" not in strangers
