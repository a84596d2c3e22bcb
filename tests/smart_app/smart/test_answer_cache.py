"""What an EHR says of itself holds as long as it says: https://www.rfc-editor.org/rfc/rfc9111 ."""

from dataclasses import dataclass, field

import pytest
import responses

from ivfhir.errors import BusyError, LaunchError, ServerError, UnauthorisedError
from smart_app.smart.answer_cache import AnswerCache, Fresh, lifetime
from smart_app.smart.discovery import discover
from smart_app.smart.http import EhrHttp


@dataclass
class Ehr:
    """An EHR that counts how often it is asked, and with which ETag."""

    answer: Fresh[str] | Exception = field(default_factory=lambda: Fresh("first", {}))
    asked: list[str | None] = field(default_factory=list)

    def __call__(self, etag: str | None) -> Fresh[str]:
        self.asked.append(etag)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@dataclass
class Time:
    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def cache(time: Time) -> AnswerCache[str]:
    return AnswerCache(clock_s=time, default_s=300)


def test_an_answer_is_asked_for_again_when_its_time_is_over(
    cache: AnswerCache[str], time: Time
) -> None:
    ehr = Ehr(Fresh("first", {"Cache-Control": "max-age=60"}))
    assert cache.get("a", ehr) == "first"
    time.now += 59
    assert cache.get("a", ehr) == "first"
    assert ehr.asked == [None]
    ehr.answer = Fresh("second", {})
    time.now += 1
    assert cache.get("a", ehr) == "second"
    time.now += 299
    assert cache.get("a", ehr) == "second"
    assert len(ehr.asked) == 2


def test_each_key_has_its_own_answer(cache: AnswerCache[str]) -> None:
    assert cache.get("a", Ehr(Fresh("of a", {}))) == "of a"
    assert cache.get("b", Ehr(Fresh("of b", {}))) == "of b"
    assert cache.get("a", Ehr(Fresh("other", {}))) == "of a"


def test_an_answer_with_an_etag_is_not_sent_again_while_it_is_the_same(
    cache: AnswerCache[str], time: Time
) -> None:
    ehr = Ehr(Fresh("first", {"ETag": '"1"', "Cache-Control": "no-cache"}))
    cache.get("a", ehr)
    ehr.answer = Fresh(None, {"ETag": '"1"', "Cache-Control": "max-age=60"})
    assert cache.get("a", ehr) == "first"
    time.now += 59
    assert cache.get("a", ehr) == "first"
    assert ehr.asked == [None, '"1"']


@pytest.mark.parametrize("failure", [ServerError("500"), LaunchError("no JSON")])
def test_an_answer_that_fails_replaces_nothing_and_is_not_asked_for_at_each_page(
    cache: AnswerCache[str], time: Time, failure: Exception
) -> None:
    ehr = Ehr(Fresh("good", {}))
    cache.get("a", ehr)
    ehr.answer = failure
    time.now += 300
    assert cache.get("a", ehr) == "good"
    time.now += 29
    assert cache.get("a", ehr) == "good"
    assert len(ehr.asked) == 2
    ehr.answer = Fresh("better", {})
    time.now += 1
    assert cache.get("a", ehr) == "better"


def test_an_answer_that_is_long_over_does_not_hide_a_failing_ehr(
    cache: AnswerCache[str], time: Time
) -> None:
    ehr = Ehr()
    cache.get("a", ehr)
    ehr.answer = ServerError("500")
    time.now += 300 + 3600
    with pytest.raises(ServerError):
        cache.get("a", ehr)


@pytest.mark.parametrize("told", [UnauthorisedError("401"), BusyError("busy")])
def test_a_refused_token_and_a_missing_turn_are_told(
    cache: AnswerCache[str], time: Time, told: Exception
) -> None:
    ehr = Ehr()
    cache.get("a", ehr)
    ehr.answer = told
    time.now += 301
    with pytest.raises(type(told)):
        cache.get("a", ehr)


def test_an_answer_that_must_not_be_kept_is_not(cache: AnswerCache[str]) -> None:
    ehr = Ehr(Fresh("first", {"cache-control": "private, No-Store"}))
    cache.get("a", ehr)
    cache.get("a", ehr)
    assert len(ehr.asked) == 2


def test_what_is_kept_is_bounded(cache: AnswerCache[str]) -> None:
    for number in range(201):
        cache.get(number, Ehr(Fresh(str(number), {})))
    oldest = Ehr(Fresh("anew", {}))
    assert cache.get(0, oldest) == "anew"
    assert cache.get(200, Ehr(Fresh("anew", {}))) == "200"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 300),
        ({"Cache-Control": "max-age=60"}, 60),
        ({"Cache-Control": 'public, max-age="60"'}, 60),
        ({"Cache-Control": "max-age=60", "Age": "50"}, 10),
        ({"Cache-Control": "max-age=60", "Age": "70"}, 0),
        ({"Cache-Control": "max-age=99999999"}, 3600),
        ({"Cache-Control": "max-age=" + "9" * 500}, 300),
        ({"Cache-Control": "max-age=-1"}, 300),
        ({"Cache-Control": "no-cache, max-age=60"}, 0),
        ({"Cache-Control": "no-store"}, None),
        ({"Expires": "Fri, 15 Jan 2027 08:01:00 GMT"}, 60),
        ({"Expires": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0),
        ({"Expires": "0"}, 0),
        ({"Cache-Control": "max-age=60", "Expires": "0"}, 60),
    ],
)
def test_lifetimes_are_read_as_http_says(headers: dict[str, str], seconds: float | None) -> None:
    assert lifetime(headers, default_s=300, now=1_800_000_000) == seconds


@responses.activate
def test_a_configuration_that_did_not_change_is_not_read_again() -> None:
    iss, http = "https://ehr.example/fhir", EhrHttp(timeout_s=5)
    url = f"{iss}/.well-known/smart-configuration"
    body = {"authorization_endpoint": "https://ehr.example/a", "token_endpoint": "https://e.x/t"}
    responses.get(url, json=body, headers={"ETag": '"7"'})
    first = discover(iss, http)
    assert first.value is not None
    assert first.headers["etag"] == '"7"'
    responses.replace("GET", url, status=304)
    again = discover(iss, http, etag='"7"')
    assert again.value is None
    with pytest.raises(LaunchError, match="304"):
        discover(iss, http)
