"""Discovery: https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html#using-well-known ."""

from typing import Any

import pytest
import responses

from ivfhir.errors import LaunchError, UnreachableError
from smart_app.smart.discovery import SmartConfiguration, discover, find_jwks_uri
from smart_app.smart.http import EhrHttp

ISS = "https://ehr.example/fhir"
URL = f"{ISS}/.well-known/smart-configuration"
USUAL: dict[str, Any] = {
    "issuer": "https://id.example",
    "jwks_uri": "https://id.example/keys",
    "authorization_endpoint": "https://id.example/authorize",
    "token_endpoint": "https://id.example/token",
    "code_challenge_methods_supported": ["S256"],
    "capabilities": ["launch-ehr", "permission-v2"],
}
HTTP = EhrHttp(timeout_s=5)


def found(**changes: Any) -> SmartConfiguration:
    raw = {name: value for name, value in {**USUAL, **changes}.items() if value is not None}
    responses.get(URL, json=raw)
    configuration = discover(ISS, HTTP).value
    assert configuration is not None
    return configuration


@responses.activate
def test_what_the_ehr_can_do_is_read() -> None:
    configuration = found()
    assert configuration.issuer == "https://id.example"
    assert configuration.token_endpoint == "https://id.example/token"
    assert not configuration.allows_standalone
    assert not configuration.answers_with_iss


@responses.activate
def test_a_slash_at_the_end_of_iss_does_not_double() -> None:
    responses.get(URL, json=USUAL)
    configuration = discover(f"{ISS}/", HTTP).value
    assert configuration is not None
    assert configuration.issuer == "https://id.example"


@responses.activate
def test_an_ehr_without_issuer_is_its_own() -> None:
    assert found(issuer=None).issuer == ISS


@responses.activate
def test_an_old_ehr_that_names_no_challenge_methods_is_sent_one_all_the_same() -> None:
    assert found(code_challenge_methods_supported=None).token_endpoint


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"authorization_endpoint": None}, "does not name its authorization_endpoint"),
        ({"token_endpoint": 7}, "does not name its token_endpoint"),
        ({"token_endpoint": "http://id.example/token"}, "token_endpoint is not an https URL"),
        ({"token_endpoint": "https://u:p@id.example/token"}, "token_endpoint is not an https"),
        ({"jwks_uri": "ftp://id.example/keys"}, "jwks_uri is not an https URL"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE with S256"),
    ],
)
@responses.activate
def test_a_configuration_that_cannot_be_trusted_is_refused(
    changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(LaunchError, match=words):
        found(**changes)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 404},
        {"status": 302, "headers": {"Location": "https://evil.example/"}},
        {"body": "<html>"},
        {"body": "[]"},
        {"body": "x" * 1_000_001},
    ],
)
@responses.activate
def test_an_answer_that_is_no_configuration_is_refused(answer: dict[str, Any]) -> None:
    responses.get(URL, **answer)
    with pytest.raises(LaunchError):
        discover(ISS, HTTP)


@responses.activate
def test_no_answer_is_said_in_words() -> None:
    with pytest.raises(UnreachableError, match="its SMART configuration"):
        discover(ISS, HTTP)


@responses.activate
def test_keys_that_smart_does_not_name_are_found_through_openid() -> None:
    """https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig ."""
    configuration = found(jwks_uri=None)
    openid = {"issuer": "https://id.example", "jwks_uri": "https://id.example/k"}
    responses.get("https://id.example/.well-known/openid-configuration", json=openid)
    assert find_jwks_uri(configuration, HTTP) == "https://id.example/k"


@responses.activate
def test_an_openid_configuration_of_another_issuer_is_refused() -> None:
    configuration = found(jwks_uri=None)
    openid = {"issuer": "https://other.example", "jwks_uri": "https://id.example/k"}
    responses.get("https://id.example/.well-known/openid-configuration", json=openid)
    with pytest.raises(LaunchError, match="another issuer"):
        find_jwks_uri(configuration, HTTP)


@responses.activate
def test_keys_named_by_smart_need_no_further_question() -> None:
    assert find_jwks_uri(found(), HTTP) == "https://id.example/keys"
    assert len(responses.calls) == 1


@responses.activate
def test_an_untrusted_issuer_is_not_asked_for_keys() -> None:
    configuration = found(jwks_uri=None, issuer="http://id.example")
    with pytest.raises(LaunchError, match="issuer is not an https URL"):
        find_jwks_uri(configuration, HTTP)


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"a":' * 5_000 + "1" + "}" * 5_000,
        '{"authorization_endpoint":' * 200 + "1" + "}" * 200,
        '{"a": 1' + "0" * 5_000 + "}",
        '{"token_endpoint": "https://a.example/", "token_endpoint": "https://b.example/"}',
        "null",
    ],
)
@responses.activate
def test_json_that_is_too_deep_too_long_or_says_two_things_is_refused(body: str) -> None:
    responses.get(URL, body=body)
    with pytest.raises(LaunchError):
        discover(ISS, HTTP)
