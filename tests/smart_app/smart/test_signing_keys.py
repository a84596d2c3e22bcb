"""The EHR's signing keys are kept, and asked anew for an unknown one: not as often as one likes."""

import pytest
import responses

from ivfhir.errors import LaunchError
from smart_app.smart.discovery import SmartConfiguration
from smart_app.smart.http import EhrHttp
from smart_app.smart.id_token import Identity, UnknownKeyError
from smart_app.smart.signing_keys import ANEW_EVERY_S, KeySet, SigningKeys

URI = "https://id.example/keys"
CONFIGURATION = SmartConfiguration(
    issuer="https://id.example",
    authorization_endpoint="",
    token_endpoint="",
    jwks_uri=URI,
    capabilities=frozenset(),
    token_auth_methods=(),
    answers_with_iss=False,
)


class Moment:
    """A clock, in seconds."""

    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def keys(moment: Moment) -> SigningKeys:
    http = EhrHttp(timeout_s=5)
    return SigningKeys(http, clock_s=moment, default_s=300, allow_http=False)


def signed_with(kid: str) -> object:
    """Return a check of a token that one key signed."""

    def check(found: KeySet) -> Identity:
        if kid not in [each["kid"] for each in found["keys"]]:
            raise UnknownKeyError("no such key")
        return Identity(subject=kid, fhir_user=None, name=None)

    return check


def publish(http: responses.RequestsMock, *kids: str, **headers: str) -> None:
    http.upsert("GET", URI, json={"keys": [{"kid": kid} for kid in kids]}, headers=headers)


def verify(keys: SigningKeys, kid: str) -> str:
    return keys.verify(CONFIGURATION, signed_with(kid)).subject  # type: ignore[arg-type]


def test_keys_are_asked_for_once_in_their_lifetime(keys: SigningKeys, moment: Moment) -> None:
    with responses.RequestsMock() as http:
        publish(http, "a", **{"Cache-Control": "max-age=120"})
        for _ in range(3):
            assert verify(keys, "a") == "a"
        moment.now_s += 119
        assert verify(keys, "a") == "a"
        assert len(http.calls) == 1
        moment.now_s += 2
        assert verify(keys, "a") == "a"
        assert len(http.calls) == 2


def test_a_new_key_is_found_at_once(keys: SigningKeys) -> None:
    with responses.RequestsMock() as http:
        publish(http, "a")
        verify(keys, "a")
        publish(http, "a", "b")
        assert verify(keys, "b") == "b"
        assert verify(keys, "a") == "a"
        assert len(http.calls) == 2


def test_many_unknown_keys_ask_the_ehr_once_in_a_while(keys: SigningKeys, moment: Moment) -> None:
    with responses.RequestsMock() as http:
        publish(http, "a")
        for number in range(50):
            with pytest.raises(LaunchError):
                verify(keys, f"made-up-{number}")
        assert len(http.calls) == 2
        moment.now_s += ANEW_EVERY_S
        for number in range(50):
            with pytest.raises(LaunchError):
                verify(keys, f"other-{number}")
        assert len(http.calls) == 3
        assert verify(keys, "a") == "a"
        assert len(http.calls) == 3


def test_an_ehr_that_fails_for_a_moment_costs_nobody_the_sign_in(
    keys: SigningKeys, moment: Moment
) -> None:
    with responses.RequestsMock() as http:
        publish(http, "a")
        verify(keys, "a")
        http.upsert("GET", URI, status=500)
        moment.now_s += 301
        assert verify(keys, "a") == "a"
        with pytest.raises(LaunchError):
            verify(keys, "b")
