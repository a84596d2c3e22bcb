"""What the EHR answers at the end of a sign-in, and what must not become a launch."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from smart_app.smart.session import open_launch
from smart_app.smart.sign_in import human_name
from tests.smart_app.conftest import Clock, Launched, RunningEhr, come_back


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        ("deny", 400, "Access was refused in the EHR"),
        ("token-refused", 400, "used up or too old"),
        ("token-500", 502, "own sign-in failed (500)"),
        ("token-html", 400, "something else than JSON"),
        ("unsigned-id-token", 400, "it is not signed"),
        ("foreign-id-token", 400, "its signature is not the EHR"),
        ("hmac-id-token", 400, "another algorithm"),
        ("expired-id-token", 400, "had already expired"),
        ("wrong-nonce", 400, "its claim nonce"),
        ("wrong-audience", 400, "its claim aud"),
        ("wrong-id-issuer", 400, "its claim iss"),
        ("missing-patient", 400, "did not say which patient"),
    ],
)
def test_a_broken_answer_is_refused_in_words_and_opens_nothing(
    *,
    client: FlaskClient,
    fake_ehr: RunningEhr,
    begin: Callable[..., str],
    fault: str,
    status: int,
    words: str,
) -> None:
    fake_ehr.fail(fault)
    page = come_back(client, begin(client))
    assert page.status_code == status
    assert words in page.text.replace("&#39;", "'")
    assert not any("__Host-ivfhir-" in text for text in page.headers.getlist("Set-Cookie"))


@pytest.mark.parametrize(
    ("fault", "mender"),
    [("deny", "You"), ("missing-patient", "Your EHR administrator"), ("token-refused", "You")],
)
def test_the_page_says_who_can_mend_it(
    client: FlaskClient, fake_ehr: RunningEhr, begin: Callable[..., str], fault: str, mender: str
) -> None:
    fake_ehr.fail(fault)
    assert mender in come_back(client, begin(client)).text


def test_a_refused_sign_in_is_used_up(
    client: FlaskClient, fake_ehr: RunningEhr, begin: Callable[..., str]
) -> None:
    fake_ehr.fail("foreign-id-token")
    path = begin(client)
    client.get(path)
    assert "already used" in come_back(client, path).text


@pytest.mark.parametrize("fault", ["no-id-token", "patient-user"])
def test_without_a_practitioner_the_record_is_read_but_nothing_can_be_signed(
    client: FlaskClient, fake_ehr: RunningEhr, launch_for: Callable[..., Launched], fault: str
) -> None:
    fake_ehr.fail(fault)
    launched = launch_for(client)
    page = client.get(launched.url("match"))
    assert page.status_code == 200
    with client.application.test_request_context(
        launched.url("match"), headers={"Cookie": _cookies(client, launched)}
    ):
        launch = open_launch(launched.launch_id)
        assert launch.practitioner is None
        assert not launch.can_write("CarePlan")
        [hindrance] = launch.hindrances()
        assert "which practitioner you are" in hindrance


def test_a_scope_to_write_that_is_not_granted_is_said_in_a_sentence(
    client: FlaskClient, fake_ehr: RunningEhr, launch_for: Callable[..., Launched]
) -> None:
    fake_ehr.fail("read-only")
    launched = launch_for(client)
    with client.application.test_request_context(
        launched.url("match"), headers={"Cookie": _cookies(client, launched)}
    ):
        launch = open_launch(launched.launch_id)
        [hindrance] = launch.lacking(["CarePlan", "Goal"])
    assert "CarePlan, Goal" in hindrance


def test_a_scope_to_read_that_is_not_granted_is_missing_from_the_granted_types(
    client: FlaskClient, fake_ehr: RunningEhr, launch_for: Callable[..., Launched]
) -> None:
    fake_ehr.fail("no-allergies")
    launched = launch_for(client)
    with client.application.test_request_context(
        launched.url("match"), headers={"Cookie": _cookies(client, launched)}
    ):
        launch = open_launch(launched.launch_id)
    assert launch.granted_types is not None
    assert "AllergyIntolerance" not in launch.granted_types
    assert {"Patient", "Observation", "Condition"} <= launch.granted_types
    assert "patient/AllergyIntolerance.rs" in launch.scopes.asked


def test_the_practitioner_is_named_from_their_own_resource(
    client: FlaskClient, launched: Launched
) -> None:
    with client.application.test_request_context(
        launched.url("match"), headers={"Cookie": _cookies(client, launched)}
    ):
        practitioner = open_launch(launched.launch_id).practitioner
    assert practitioner is not None
    assert (practitioner.reference, practitioner.name) == ("Practitioner/vance", "Dr Imogen Vance")


def test_the_instant_of_evaluation_is_the_app_s_clock_in_the_site_s_time_zone(
    app: Flask, client: FlaskClient, clock: Clock, launched: Launched
) -> None:
    with app.test_request_context(
        launched.url("match"), headers={"Cookie": _cookies(client, launched)}
    ):
        launch = open_launch(launched.launch_id)
    assert abs((launch.now() - clock()).total_seconds()) < 5


def test_a_name_is_made_of_its_parts_when_it_has_no_text() -> None:
    resource = {"name": [{}, {"prefix": ["Dr"], "given": ["Imogen", "A"], "family": "Vance"}]}
    assert human_name(resource) == "Dr Imogen A Vance"
    assert human_name({"name": [{"text": "I. Vance"}]}) == "I. Vance"
    assert human_name({}) is None


def _cookies(client: FlaskClient, launched: Launched) -> str:
    name = f"__Host-ivfhir-{launched.launch_id}"
    cookie = client.get_cookie(name)
    assert cookie is not None
    return f"{name}={cookie.value}"
