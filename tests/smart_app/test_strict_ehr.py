"""The app against a server that refuses all that SMART App Launch 2.2 does not say."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from smart_app.config import Ehr, Settings
from tests.smart_app.conftest import (
    APP_URL,
    Clock,
    app_of_shared_protocols,
    come_back,
    new_client,
)
from tests.smart_app.strict_ehr import OTHER_PATIENT, PATIENT, USER, StrictEhr, new_key, running

Make = Callable[..., tuple[StrictEhr, FlaskClient]]


@cache
def first_key() -> RSAPrivateKey:
    """Return what each EHR here signs with at first."""
    return new_key()


@pytest.fixture
def make(tmp_path: Path, clock: Clock) -> Iterator[Make]:
    """A function that starts a strict EHR, and gives a browser of an app registered with it."""
    with ExitStack() as stack:

        def make_both(
            rules: Mapping[str, Any] | None = None,
            *,
            iss_in_settings: Callable[[str], str] = str,
            **registered: object,
        ) -> tuple[StrictEhr, FlaskClient]:
            rules = {"keys": [first_key()], **(rules or {})}
            ehr = StrictEhr(redirect_uri=f"{APP_URL}/callback", **rules)
            stack.enter_context(running(ehr))
            registration = Ehr(
                iss=iss_in_settings(ehr.iss), client_id=ehr.client_id, name="Strict", **registered
            )
            settings = Settings(
                public_url=APP_URL,
                ehrs=(registration,),
                database_url=f"sqlite:///{tmp_path / 'app.sqlite3'}",
                key_file=str(tmp_path / "key"),
                timeout_s=5,
                log_level="error",
            )
            app = app_of_shared_protocols(settings, clock=clock)
            stack.callback(app.extensions["ivfhir"].store.close)
            return ehr, new_client(app)

        yield make_both


def sign_in(client: FlaskClient, path: str) -> TestResponse:
    """Follow a launch through the EHR, and return the app's answer to the way back."""
    begun = client.get(path)
    assert begun.status_code == 303, begun.text
    back = requests.get(begun.headers["Location"], allow_redirects=False, timeout=5)
    assert back.status_code == 303, back.text
    return come_back(client, back.headers["Location"].removeprefix(APP_URL))


def open_match(client: FlaskClient, ehr: StrictEhr, path: str | None = None) -> TestResponse:
    """Launch, open the first page, and check that nothing was refused and no token came out."""
    answer = sign_in(client, path or f"/launch?{ehr.launch_query()}")
    assert answer.status_code == 303, answer.text
    page = client.get(answer.headers["Location"])
    assert page.status_code == 200, page.text
    seen = f"{answer.headers}{answer.text}{page.headers}{page.text}"
    assert not [token for token in ehr.issued if token in seen]
    assert ehr.refused == []
    return page


@pytest.mark.parametrize("version_1", [False, True])
@pytest.mark.parametrize("slash", [False, True])
def test_ehr_launch(make: Make, version_1: bool, slash: bool) -> None:
    ehr, client = make({"version_1": version_1, "slash": slash})
    page = open_match(client, ehr)
    assert "Dr Invented" in page.text


@pytest.mark.parametrize("version_1", [False, True])
@pytest.mark.parametrize("slash", [False, True])
def test_standalone_launch(make: Make, version_1: bool, slash: bool) -> None:
    ehr, client = make({"version_1": version_1, "slash": slash})
    href = client.get("/").text.split('href="/launch?')[1].split('"')[0]
    open_match(client, ehr, f"/launch?{href.replace('&amp;', '&')}")


def test_iss_with_a_slash_that_the_settings_lack(make: Make) -> None:
    ehr, client = make({"slash": True}, iss_in_settings=lambda iss: iss.rstrip("/"))
    open_match(client, ehr)


def test_client_with_a_secret(make: Make) -> None:
    ehr, client = make({"secret": "s-1_2.3"}, client_secret="s-1_2.3")
    open_match(client, ehr)


def test_client_with_a_key(make: Make, tmp_path: Path) -> None:
    key = new_key()
    file = tmp_path / "client.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    ehr, client = make({"client_key": key.public_key()}, private_key_file=str(file))
    open_match(client, ehr)
    open_match(client, ehr)


def test_discovery_with_members_of_other_specifications(make: Make) -> None:
    more = {"associated_endpoints": [{"url": "x", "capabilities": None}], "brand": {"a": [1, None]}}
    ehr, client = make({"more_discovery": more})
    open_match(client, ehr)


@pytest.mark.parametrize(
    "more",
    [
        {"need_patient_banner": False},
        {"need_patient_banner": "yes", "smart_style_url": "https://x.example/s.json"},
        {"fhirContext": [{"reference": "ImagingStudy/1"}], "intent": "x", "tenant": None},
        {"token_type": "bearer"},
    ],
)
def test_token_answer_with_context_that_the_app_does_not_use(
    make: Make, more: dict[str, object]
) -> None:
    ehr, client = make({"more_token": more})
    assert "INVENTED, Ida" in open_match(client, ehr).text


@pytest.mark.parametrize("patient", [None, "", 7, "a/b", "../metadata", "..", OTHER_PATIENT + " "])
def test_no_usable_patient_in_the_token_answer(make: Make, patient: object) -> None:
    ehr, client = make({"more_token": {"patient": patient}})
    answer = sign_in(client, f"/launch?{ehr.launch_query()}")
    assert answer.status_code == 400
    assert "did not say which patient" in answer.text
    assert ehr.fhir_calls == []


@pytest.mark.parametrize("life", [None, "600", 600.5, float("inf"), float("nan"), "9" * 5000, -1])
def test_any_life_of_the_token_is_a_page_in_words(make: Make, life: object) -> None:
    ehr, client = make({"life_s": life})
    answer = sign_in(client, f"/launch?{ehr.launch_query()}")
    assert answer.status_code in (303, 400), answer.text
    if answer.status_code == 303:
        assert client.get(answer.headers["Location"]).status_code < 500


def test_id_token_without_kid(make: Make) -> None:
    ehr, client = make({"with_kid": False})
    open_match(client, ehr)


def test_signing_key_that_changes(make: Make) -> None:
    ehr, client = make()
    open_match(client, ehr)
    ehr.rotate_key()
    open_match(client, ehr)


def test_only_what_was_granted_is_asked_for(make: Make) -> None:
    def grant(asked: str) -> str:
        kept = ("openid", "launch", "patient/Patient.rs", "patient/Condition.rs")
        return " ".join(word for word in asked.split() if word in kept)

    ehr, client = make({"granted": grant})
    open_match(client, ehr)
    assert set(ehr.fhir_calls) == {"metadata", f"Patient/{PATIENT}", "Condition"}


def test_user_is_not_read_without_their_scope(make: Make) -> None:
    more = {"granted": lambda asked: asked.replace("fhirUser ", "")}
    ehr, client = make(more)
    open_match(client, ehr)
    assert f"Practitioner/{USER}" not in ehr.fhir_calls


def test_without_the_patient_s_scope_nothing_is_asked_for(make: Make) -> None:
    ehr, client = make({"granted": lambda asked: asked.replace("patient/Patient.rs", "")})
    answer = sign_in(client, f"/launch?{ehr.launch_query()}")
    page = client.get(answer.headers["Location"])
    assert page.status_code == 403
    assert "Patient" in page.text
    assert ehr.refused == []


def test_refresh_with_a_new_refresh_token_each_time(make: Make, clock: Clock) -> None:
    ehr, client = make({"life_s": 60})
    url = sign_in(client, f"/launch?{ehr.launch_query()}").headers["Location"]
    for _ in range(3):
        clock.ahead += type(clock.ahead)(seconds=50)
        assert client.get(f"{url}?read=again", follow_redirects=True).status_code == 200
    assert ehr.refused == []


def test_without_refresh_token_the_user_signs_in_again(make: Make, clock: Clock) -> None:
    ehr, client = make({"life_s": 60, "refreshes": False})
    url = sign_in(client, f"/launch?{ehr.launch_query()}").headers["Location"]
    clock.ahead += type(clock.ahead)(seconds=61)
    page = client.get(url)
    assert "Sign in again" in page.text
    answer = sign_in(client, url.replace("/match", "/again"))
    assert answer.headers["Location"] == url
    assert client.get(url).status_code == 200
    assert ehr.refused == []


def test_code_and_state_are_good_once(make: Make) -> None:
    ehr, client = make()
    begun = client.get(f"/launch?{ehr.launch_query()}")
    back = requests.get(begun.headers["Location"], allow_redirects=False, timeout=5)
    path = back.headers["Location"].removeprefix(APP_URL)
    assert come_back(new_client(client.application), path).status_code == 400
    assert client.get(path).status_code == 303
    assert come_back(client, path).status_code == 400
    assert ehr.refused == []


def test_two_patients_in_two_tabs_of_one_browser(make: Make) -> None:
    ehr, client = make()
    ehr.resources[f"Patient/{OTHER_PATIENT}"]["name"] = [{"family": "Another"}]
    first = sign_in(client, f"/launch?{ehr.launch_query(PATIENT)}").headers["Location"]
    second = sign_in(client, f"/launch?{ehr.launch_query(OTHER_PATIENT)}").headers["Location"]
    for _ in range(2):
        one, two = client.get(first).text, client.get(second).text
        assert ("INVENTED, Ida" in one, "ANOTHER" in one) == (True, False)
        assert ("INVENTED, Ida" in two, "ANOTHER" in two) == (False, True)
    assert ehr.refused == []


def condition(resource_id: str, patient: str) -> dict[str, dict[str, object]]:
    """Return an entry of the problem list, by its reference."""
    resource = {
        "resourceType": "Condition",
        "id": resource_id,
        "subject": {"reference": f"Patient/{patient}"},
        "code": {"text": "An invented problem"},
    }
    return {f"Condition/{resource_id}": resource}


def test_record_page_shows_the_patient_s_resources_and_the_user(make: Make) -> None:
    ehr, client = make({"resources": condition("c1", PATIENT)})
    base = sign_in(client, f"/launch?{ehr.launch_query()}").headers["Location"].rpartition("/")[0]
    for reference in ("Condition/c1", f"Patient/{PATIENT}", f"Practitioner/{USER}"):
        assert client.get(f"{base}/record/{reference}").status_code == 200
    assert ehr.refused == []


@pytest.mark.parametrize("reference", ["Condition/c2", f"Patient/{OTHER_PATIENT}"])
def test_record_page_shows_no_other_patient_even_where_the_ehr_would(
    make: Make, reference: str
) -> None:
    rules = {"resources": condition("c2", OTHER_PATIENT), "guards_patients": False}
    ehr, client = make(rules)
    base = sign_in(client, f"/launch?{ehr.launch_query()}").headers["Location"].rpartition("/")[0]
    answer = client.get(f"{base}/record/{reference}")
    assert answer.status_code == 404
    assert "problem" not in answer.text.partition("<main")[2].partition("</main")[0]


@pytest.mark.parametrize(
    "path",
    [
        *("Patient/..", "Patient/.", "%2e%2e/token", "metadata/x", "$export/x", "Patient/_history"),
        *("Patient/x%3Fa=1", "Patient/x%23", "Patient/x%0a", "Patient/x%0d%0aX: y", "Patient/é"),
        *("Slot/1", "Practitioner/another", f"Patient/{'x' * 9000}"),
    ],
)
def test_record_page_asks_for_nothing_but_resources_that_were_granted(
    make: Make, path: str
) -> None:
    ehr, client = make()
    url = sign_in(client, f"/launch?{ehr.launch_query()}").headers["Location"]
    assert client.get(url).status_code == 200
    ehr.fhir_calls.clear()
    answer = client.get(f"{url.removesuffix('match')}record/{path}")
    assert answer.status_code in (403, 404)
    assert ehr.fhir_calls == []
    assert ehr.refused == []


@pytest.mark.parametrize(
    "query",
    [
        *("_external=1", "_external=1&_scheme=javascript", "_anchor=x", "_method=POST"),
        *("endpoint=x", "launch=x", "protocol=x", "values=x"),
    ],
)
@pytest.mark.parametrize("again", ["", "read=again&"])
def test_a_query_does_not_change_where_the_page_leads(make: Make, query: str, again: str) -> None:
    ehr, client = make()
    url = sign_in(client, f"/launch?{ehr.launch_query()}").headers["Location"]
    answer = client.get(f"{url}?{again}{query}")
    if again:
        assert answer.headers["Location"] == url
    else:
        assert f'href="{url}?read=again"' in answer.text


@pytest.mark.parametrize("name", ["authorization_endpoint", "token_endpoint", "jwks_uri"])
@pytest.mark.parametrize("url", ["http://[x", "https://h/\r\nX: y", "https://h /", "javascript:x"])
def test_an_endpoint_that_is_no_url_is_refused_in_words(make: Make, name: str, url: str) -> None:
    ehr, client = make({"more_discovery": {name: url}})
    answer = client.get(f"/launch?{ehr.launch_query()}")
    assert answer.status_code == 400
    assert name in answer.text


def test_a_name_part_with_nothing_but_an_extension(make: Make) -> None:
    ehr, client = make()
    name = {"family": "Invented", "given": [None, "Ida"], "_given": [{"extension": []}, None]}
    for reference in (f"Patient/{PATIENT}", f"Practitioner/{USER}"):
        ehr.resources[reference]["name"] = [name]
    page = open_match(client, ehr).text
    assert "INVENTED, Ida" in page
    assert "Ida Invented" in page


@pytest.mark.parametrize(
    "name", [None, "x", [None], [{"given": None}], [{"given": "a", "family": 5}], [{"prefix": [5]}]]
)
def test_a_user_whose_name_is_not_fhir_may_still_look(make: Make, name: object) -> None:
    ehr, client = make()
    ehr.resources[f"Practitioner/{USER}"]["name"] = name
    open_match(client, ehr)


def test_a_password_file_of_this_machine_goes_to_no_ehr(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "netrc"
    file.write_text("default login somebody password of-this-machine\n")
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))
    ehr, client = make()
    open_match(client, ehr)
