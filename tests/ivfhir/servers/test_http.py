"""A FHIR server over HTTP: every page is read, and each failure says what to do."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests
import responses
from responses import matchers

from ivfhir import errors
from ivfhir.servers.http import MAX_TRIES, HttpRepository
from ivfhir.servers.limits import Limits

BASE = "https://ehr.example/fhir"
PATIENT = {"resourceType": "Patient", "id": "p"}
OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "error", "code": "processing", "diagnostics": "their words"}],
}


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def repository(pauses: list[float]) -> HttpRepository:
    return HttpRepository(BASE, token="secret-token", sleep=pauses.append)


def _page(*ids: str, next_url: str | None = None, **more: object) -> dict[str, Any]:
    entries = [{"resource": {"resourceType": "Condition", "id": each}} for each in ids]
    link = [] if next_url is None else [{"relation": "next", "url": next_url}]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, "link": link, **more}


def test_a_resource_is_read_with_the_token(
    server: responses.RequestsMock, repository: HttpRepository
) -> None:
    header = matchers.header_matcher(
        {"Authorization": "Bearer secret-token", "Accept": "application/fhir+json"}
    )
    server.get(f"{BASE}/Patient/p", body='{"resourceType":"Patient","id":"p"}', match=[header])
    assert repository.read("Patient", "p") == PATIENT


def test_a_search_is_read_to_its_last_page_and_each_match_counts_once(
    server: responses.RequestsMock, repository: HttpRepository
) -> None:
    query = matchers.query_param_matcher({"patient": "p", "_count": "200"})
    server.get(f"{BASE}/Condition", json=_page("a", "b", next_url="?page=2"), match=[query])
    included = {"resource": PATIENT, "search": {"mode": "include"}}
    last = _page("b", "c")
    server.get(f"{BASE}/?page=2", json={**last, "entry": [*last["entry"], included]})
    found = repository.search("Condition", {"patient": "p"})
    assert [resource["id"] for resource in found] == ["a", "b", "c"]


def test_known_ids_are_asked_for_so_that_their_result_need_not_be_kept(
    server: responses.RequestsMock, repository: HttpRepository
) -> None:
    unkept = matchers.header_matcher({"Cache-Control": "no-cache, no-store"})
    server.get(f"{BASE}/Condition", json=_page("a", "b"), match=[unkept])
    found = repository.search("Condition", {"_id": "b,a", "_elements": "id"})
    assert [each["id"] for each in found] == ["a", "b"]


@pytest.mark.parametrize("part", [_page("a"), _page("a", total=2), _page()])
def test_what_such_a_result_leaves_out_is_asked_for_in_the_ordinary_way(
    server: responses.RequestsMock, repository: HttpRepository, part: dict[str, Any]
) -> None:
    unkept = matchers.header_matcher({"Cache-Control": "no-cache, no-store"})
    server.get(f"{BASE}/Condition", json=part, match=[unkept])
    ordinary = matchers.header_matcher({"Cache-Control": "no-cache"})
    first = _page("a", next_url="?page=2")
    server.get(f"{BASE}/Condition", json=first, match=[ordinary])
    server.get(f"{BASE}/?page=2", json=_page("b"), match=[ordinary])
    found = repository.search("Condition", {"_id": "a,b", "_elements": "id"})
    assert [each["id"] for each in found] == ["a", "b"]


@pytest.mark.parametrize(
    ("next_url", "words"),
    [
        ("https://elsewhere.example/fhir?page=2", "on another server"),
        ("http://ehr.example/fhir?page=2", "on another server"),
        ("https://[bad/fhir", "on another server"),
    ],
)
def test_the_next_page_is_never_fetched_from_another_origin(
    server: responses.RequestsMock, repository: HttpRepository, next_url: str, words: str
) -> None:
    server.get(f"{BASE}/Condition", json=_page("a", next_url=next_url))
    with pytest.raises(errors.IncompleteError, match=words):
        repository.search("Condition", {"patient": "p"})


@pytest.mark.parametrize(
    "next_url",
    [
        "https://ehr.example/other/fhir/Condition?page=2",
        "https://ehr.example/?page=2",
        "/other?page=2",
        "../other?page=2",
        f"{BASE}/%2e%2e/other",
        "https://user@ehr.example/fhir/Condition",
    ],
)
def test_the_next_page_is_never_fetched_from_beside_the_base(
    server: responses.RequestsMock, repository: HttpRepository, next_url: str
) -> None:
    server.get(f"{BASE}/Condition", json=_page("a", next_url=next_url))
    with pytest.raises(errors.IncompleteError, match="not below the FHIR address"):
        repository.search("Condition", {"patient": "p"})


def test_pages_and_entries_are_counted_over_all_searches(server: responses.RequestsMock) -> None:
    server.get(f"{BASE}/Condition", json=_page("a", "b"))
    few = HttpRepository(BASE, limits=Limits(entries=3))
    assert len(few.search("Condition", {"patient": "p"})) == 2
    with pytest.raises(errors.IncompleteError, match="beyond the 3 entries"):
        few.search("Condition", {"patient": "p"})
    one = HttpRepository(BASE, limits=Limits(pages=1))
    assert len(one.search("Condition", {"patient": "p"})) == 2
    with pytest.raises(errors.IncompleteError, match="beyond the 1 pages"):
        one.search("Condition", {"patient": "p"})


def test_what_all_answers_hold_together_is_limited(server: responses.RequestsMock) -> None:
    body = b'{"resourceType":"Patient","id":"p","x":[' + b"{}," * 50 + b"{}]}"
    server.get(f"{BASE}/Patient/p", body=body)
    repository = HttpRepository(BASE, limits=Limits(values=150))
    assert repository.read("Patient", "p")["id"] == "p"
    with pytest.raises(errors.BadAnswerError, match="more than the 150 values"):
        repository.read("Patient", "p")
    small = HttpRepository(BASE, limits=Limits(total_bytes=len(body) + 10))
    assert small.read("Patient", "p")["id"] == "p"
    with pytest.raises(errors.BadAnswerError, match="larger than"):
        small.read("Patient", "p")


def test_a_token_that_the_server_no_longer_takes_is_replaced_once(
    server: responses.RequestsMock,
) -> None:
    refused: list[str] = []

    def renew(token: str) -> str:
        refused.append(token)
        return f"{token}+"

    def asked(token: str) -> Any:
        return [matchers.header_matcher({"Authorization": f"Bearer {token}"})]

    server.get(f"{BASE}/Patient/p", status=401, match=asked("old"))
    server.get(f"{BASE}/Patient/p", json=PATIENT, match=asked("old+"))
    repository = HttpRepository(BASE, token="old", renew=renew)
    assert repository.read("Patient", "p") == PATIENT
    assert refused == ["old"]


@pytest.mark.parametrize("fresh", [None, "old"])
def test_a_refused_token_without_another_is_unauthorised(
    server: responses.RequestsMock, fresh: str | None
) -> None:
    answer = server.get(f"{BASE}/Patient/p", status=401)
    repository = HttpRepository(BASE, token="old", renew=lambda _token: fresh)
    with pytest.raises(errors.UnauthorisedError):
        repository.read("Patient", "p")
    assert answer.call_count == 1


def test_a_server_that_refuses_every_token_is_asked_twice_at_most(
    server: responses.RequestsMock,
) -> None:
    answer = server.get(f"{BASE}/Patient/p", status=401)
    repository = HttpRepository(BASE, token="old", renew=lambda token: f"{token}+")
    with pytest.raises(errors.UnauthorisedError):
        repository.read("Patient", "p")
    assert answer.call_count == 2


def test_a_write_that_meets_401_is_not_sent_again_but_the_token_is_renewed(
    server: responses.RequestsMock,
) -> None:
    answer = server.post(BASE, status=401)
    repository = HttpRepository(BASE, token="old", renew=lambda token: f"{token}+")
    with pytest.raises(errors.TokenRenewedError):
        repository.transact({"resourceType": "Bundle", "type": "transaction"})
    assert answer.call_count == 1
    fresh = matchers.header_matcher({"Authorization": "Bearer old+"})
    server.get(f"{BASE}/Patient/p", json=PATIENT, match=[fresh])
    assert repository.read("Patient", "p") == PATIENT


def test_a_request_that_may_not_be_sent_now_is_not_sent(server: responses.RequestsMock) -> None:
    def busy() -> None:
        raise errors.BusyError("Busy.")

    with pytest.raises(errors.BusyError):
        HttpRepository(BASE, before=busy).read("Patient", "p")
    assert len(server.calls) == 0


def test_a_statement_that_did_not_change_is_not_sent_again(
    server: responses.RequestsMock, repository: HttpRepository
) -> None:
    asked = matchers.header_matcher({"If-None-Match": '"1"'})
    server.get(f"{BASE}/metadata", status=304, headers={"ETag": '"1"'}, match=[asked])
    statement = repository.statement(etag='"1"')
    assert statement.resource is None
    assert statement.headers["etag"] == '"1"'


def test_nulls_that_fhir_does_not_know_are_left_out(
    server: responses.RequestsMock, repository: HttpRepository
) -> None:
    server.get(f"{BASE}/Patient/p", json={**PATIENT, "name": None, "identifier": [None]})
    assert repository.read("Patient", "p") == {**PATIENT, "identifier": []}


def test_pages_that_come_round_again_are_an_error(
    server: responses.RequestsMock, repository: HttpRepository
) -> None:
    again = f"{BASE}/?page=2"
    server.get(f"{BASE}/Condition", json=_page("a", next_url=again))
    server.get(again, json=_page("b", next_url=again))
    with pytest.raises(errors.IncompleteError, match="pages repeat"):
        repository.search("Condition", {"patient": "p"})


@pytest.mark.parametrize(
    "answer", [{"status": 500}, {"status": 404, "json": OUTCOME}, {"body": "<html/>"}]
)
def test_a_failing_later_page_makes_the_search_incomplete(
    server: responses.RequestsMock, repository: HttpRepository, answer: dict[str, Any]
) -> None:
    server.get(f"{BASE}/Condition", json=_page("a", next_url=f"{BASE}/?page=2"))
    server.get(f"{BASE}/?page=2", **answer)
    with pytest.raises(errors.IncompleteError, match="later page of the search for Condition"):
        repository.search("Condition", {"patient": "p"})


def test_a_token_that_expires_between_pages_is_unauthorised(
    server: responses.RequestsMock, repository: HttpRepository
) -> None:
    server.get(f"{BASE}/Condition", json=_page("a", next_url=f"{BASE}/?page=2"))
    server.get(f"{BASE}/?page=2", status=401)
    with pytest.raises(errors.UnauthorisedError):
        repository.search("Condition", {"patient": "p"})


def test_fewer_matches_than_the_total_are_incomplete(
    server: responses.RequestsMock, repository: HttpRepository
) -> None:
    server.get(f"{BASE}/Condition", json=_page("a", total=2))
    with pytest.raises(errors.IncompleteError, match="more Condition resources than it sent"):
        repository.search("Condition", {"patient": "p"})


def test_an_error_among_the_matches_is_incomplete(
    server: responses.RequestsMock, repository: HttpRepository
) -> None:
    page = _page("a")
    page["entry"].append({"resource": OUTCOME, "search": {"mode": "outcome"}})
    server.get(f"{BASE}/Condition", json=page)
    with pytest.raises(errors.IncompleteError) as caught:
        repository.search("Condition", {"patient": "p"})
    assert caught.value.outcome == OUTCOME


@pytest.mark.parametrize(
    ("answer", "family"),
    [
        (OUTCOME, errors.RejectedError),
        (PATIENT, errors.BadAnswerError),
        ({"resourceType": "Bundle", "entry": {}}, errors.BadAnswerError),
        ({"resourceType": "Bundle", "entry": [{}]}, errors.BadAnswerError),
        ({"resourceType": "Bundle", "entry": [{"resource": {"id": "a"}}]}, errors.BadAnswerError),
        ([], errors.BadAnswerError),
    ],
)
def test_a_search_answered_with_something_else_is_an_error(
    server: responses.RequestsMock,
    repository: HttpRepository,
    answer: object,
    family: type[errors.ServerError],
) -> None:
    server.get(f"{BASE}/Condition", json=answer)
    with pytest.raises(family):
        repository.search("Condition", {"patient": "p"})


@pytest.mark.parametrize(
    ("status", "family"),
    [
        (400, errors.RejectedError),
        (401, errors.UnauthorisedError),
        (403, errors.ForbiddenError),
        (404, errors.NotFoundError),
        (409, errors.VersionConflictError),
        (410, errors.NotFoundError),
        (412, errors.VersionConflictError),
        (422, errors.RejectedError),
        (500, errors.ServerError),
    ],
)
def test_each_status_is_its_own_error_and_keeps_the_servers_outcome(
    server: responses.RequestsMock,
    repository: HttpRepository,
    status: int,
    family: type[errors.ServerError],
) -> None:
    server.get(f"{BASE}/Patient/p", json=OUTCOME, status=status)
    with pytest.raises(errors.ServerError) as caught:
        repository.read("Patient", "p")
    assert type(caught.value) is family
    assert caught.value.status == status
    assert caught.value.outcome == OUTCOME
    assert "secret-token" not in caught.value.message
    assert "their words" not in caught.value.message


def test_a_busy_server_is_asked_again_after_the_pause_it_wants(
    server: responses.RequestsMock, repository: HttpRepository, pauses: list[float]
) -> None:
    server.get(f"{BASE}/Patient/p", status=429, headers={"Retry-After": "3"})
    server.get(f"{BASE}/Patient/p", status=503)
    server.get(f"{BASE}/Patient/p", json=PATIENT)
    assert repository.read("Patient", "p") == PATIENT
    assert pauses == [3.0, 2.0]


def test_a_server_that_stays_busy_is_given_up(
    server: responses.RequestsMock, repository: HttpRepository, pauses: list[float]
) -> None:
    answer = server.get(f"{BASE}/Patient/p", status=429)
    with pytest.raises(errors.ThrottledError):
        repository.read("Patient", "p")
    assert answer.call_count == MAX_TRIES
    assert len(pauses) == MAX_TRIES - 1


def test_a_pause_too_long_is_not_waited_for(
    server: responses.RequestsMock, repository: HttpRepository, pauses: list[float]
) -> None:
    server.get(f"{BASE}/Patient/p", status=429, headers={"Retry-After": "3600"})
    with pytest.raises(errors.ThrottledError) as caught:
        repository.read("Patient", "p")
    assert caught.value.retry_after_s == 3600.0
    assert pauses == []


def test_a_write_is_never_sent_twice(
    server: responses.RequestsMock, repository: HttpRepository, pauses: list[float]
) -> None:
    answer = server.post(BASE, status=503)
    with pytest.raises(errors.ServerError):
        repository.transact({"resourceType": "Bundle", "type": "transaction"})
    assert (answer.call_count, pauses) == (1, [])


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (requests.ConnectTimeout("x secret-token"), "did not answer in time"),
        (requests.ReadTimeout(), "did not answer in time"),
        (requests.exceptions.SSLError(), "certificate"),
        (requests.ConnectionError("x"), "ehr.example cannot be reached"),
        (requests.exceptions.ChunkedEncodingError(), "cannot be reached"),
    ],
)
def test_no_answer_is_one_sentence(
    server: responses.RequestsMock, repository: HttpRepository, failure: Exception, words: str
) -> None:
    server.get(f"{BASE}/Patient/p", body=failure)
    with pytest.raises(errors.UnreachableError, match=words) as caught:
        repository.read("Patient", "p")
    assert "secret-token" not in caught.value.message


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>sign in</html>", 200),
        (b"\xff", 200),
        (b"", 200),
        (b'{"id": "p"}', 200),
        (b'{"resourceType": "Patient", "id": "q"}', 200),
        (b'{"resourceType": "Condition", "id": "p"}', 200),
        (b"[" * 10_000, 200),
    ],
)
def test_an_answer_that_is_not_the_resource_is_an_error(
    server: responses.RequestsMock, repository: HttpRepository, body: bytes, status: int
) -> None:
    server.get(f"{BASE}/Patient/p", body=body, status=status)
    with pytest.raises(errors.BadAnswerError):
        repository.read("Patient", "p")


def test_a_redirect_is_told_and_not_followed(
    server: responses.RequestsMock, repository: HttpRepository
) -> None:
    server.get(f"{BASE}/Patient/p", status=302, headers={"Location": "https://elsewhere.example"})
    with pytest.raises(errors.BadAnswerError, match="points to another address"):
        repository.read("Patient", "p")


def test_operations_and_capabilities_are_asked_for(
    server: responses.RequestsMock, repository: HttpRepository
) -> None:
    parameters = {"resourceType": "Parameters"}
    sent = matchers.json_params_matcher(parameters)
    server.post(f"{BASE}/Library/LUNG/$evaluate", json=parameters, match=[sent])
    server.get(f"{BASE}/metadata", json={"resourceType": "CapabilityStatement"})
    assert repository.operation("Library/LUNG/$evaluate", parameters) == parameters
    assert repository.capabilities()["resourceType"] == "CapabilityStatement"


@pytest.mark.parametrize("address", ["ftp://x/fhir", "ehr.example/fhir", "https://", "http://[x"])
def test_an_address_that_is_no_http_address_is_a_usage_error(address: str) -> None:
    with pytest.raises(errors.UsageError, match="http"):
        HttpRepository(address)


@pytest.mark.parametrize("token", ["a\nX-Other: b", "tok\u00e9n", "a\u2028b"])
def test_a_token_that_would_change_the_request_is_refused_unsaid(token: str) -> None:
    with pytest.raises(errors.UsageError) as caught:
        HttpRepository(BASE, token=token)
    assert token not in caught.value.message


@pytest.mark.parametrize(
    ("wanted", "said", "seconds"),
    [
        ("Wed, 01 Jan 2025 10:00:07 GMT", "Wed, 01 Jan 2025 10:00:00 GMT", 7.0),
        ("Wed, 01 Jan 2025 09:00:00 GMT", "Wed, 01 Jan 2025 10:00:00 GMT", 0.0),
        ("Wednesday", "Wed, 01 Jan 2025 10:00:00 GMT", None),
        ("-3", None, None),
        ("Wed, 01 Jan 2020 10:00:07 GMT", None, 0.0),
        ("Wed, 01 Jan 2025 00:00:00 +99999999999999999999", None, None),
        ("Wed, 99999999999999999999 Jan 2025 00:00:00 GMT", None, None),
        ("Wed, 01 Jan 2020 10:00:07 GMT", "Wed, 01 Jan 2025 00:00:00 +99999999999999999999", 0.0),
    ],
)
def test_a_date_to_come_again_counts_by_the_servers_clock(
    server: responses.RequestsMock,
    repository: HttpRepository,
    wanted: str,
    said: str | None,
    seconds: float | None,
) -> None:
    headers = {"Retry-After": wanted} | ({} if said is None else {"Date": said})
    server.post(BASE, status=503, headers=headers)
    with pytest.raises(errors.ServerError) as caught:
        repository.transact({"resourceType": "Bundle", "type": "transaction"})
    assert caught.value.retry_after_s == seconds


GOAL = {"resourceType": "Goal"}


@pytest.mark.parametrize(
    "told",
    [
        {"json": GOAL | {"id": "7"}, "status": 201},
        {"status": 201, "headers": {"Location": f"{BASE}/Goal/7/_history/1"}},
        {"status": 200, "headers": {"Location": f"{BASE}/Goal/7"}},
    ],
)
def test_a_single_create_tells_where_and_whether_it_is_new(
    server: responses.RequestsMock, repository: HttpRepository, told: dict[str, Any]
) -> None:
    condition = matchers.header_matcher({"If-None-Exist": "identifier=a|b"})
    server.post(f"{BASE}/Goal", match=[condition], **told)
    stored = repository.create(GOAL, if_none_exist="identifier=a|b")
    assert (stored.reference, stored.created) == ("Goal/7", told["status"] == 201)


def test_a_create_without_a_condition_is_new_whatever_success_is_answered(
    server: responses.RequestsMock, repository: HttpRepository
) -> None:
    server.post(f"{BASE}/Goal", status=200, headers={"location": f"{BASE}/Goal/7"})
    assert repository.create(GOAL).created


def test_a_create_that_does_not_say_where_is_unclear(
    server: responses.RequestsMock, repository: HttpRepository
) -> None:
    server.post(f"{BASE}/Goal", status=201)
    with pytest.raises(errors.BadAnswerError):
        repository.create(GOAL)


@pytest.mark.parametrize(
    ("status", "family"),
    [
        (409, errors.VersionConflictError),
        (412, errors.VersionConflictError),
        (422, errors.RejectedError),
        (500, errors.ServerError),
    ],
)
def test_an_update_holds_to_the_version_that_was_read(
    server: responses.RequestsMock,
    repository: HttpRepository,
    status: int,
    family: type[errors.ServerError],
) -> None:
    version = matchers.header_matcher({"If-Match": 'W/"3"'})
    server.put(f"{BASE}/Goal/7", match=[version], status=200)
    goal = GOAL | {"id": "7"}
    assert repository.update(goal, if_match="3").reference == "Goal/7"
    server.replace("PUT", f"{BASE}/Goal/7", match=[version], json=OUTCOME, status=status)
    with pytest.raises(family) as caught:
        repository.update(goal, if_match="3")
    assert caught.value.outcome == OUTCOME
