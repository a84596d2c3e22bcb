"""A server is asked about resources, bounded, and told of in one sentence when it fails."""

import gzip
import json
import re
import threading
import time
from contextlib import contextmanager

import pytest
import requests

from ivfhir.errors import UsageError
from ivfhir.fhir.json import loads
from ivfhir.servers.limits import Limits
from ivfhir.validation.server import ServerValidator
from tests.servers.fault_proxy import run_proxy
from tests.servers.raw_server import http_answer, raw_server

PATIENT = {"resourceType": "Patient", "gender": "secret-female", "id": "secret-p"}
FHIR = "Content-Type: application/fhir+json"


def outcome(code="processing", severity="error"):
    issue = {
        "severity": severity,
        "code": code,
        "diagnostics": "a reason",
        "expression": ["Patient"],
    }
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()


@contextmanager
def server(body=b"", status="200 OK", *headers):
    """A server that gives every request one answer, and notes what it was sent."""
    seen = []

    def answer(connection, request):
        head = request.partition(b"\r\n\r\n")[0].decode()
        lengths = re.findall(r"(?i)content-length: *(\d+)", head)
        size = int(lengths[0]) if lengths else 0
        while len(request.partition(b"\r\n\r\n")[2]) < size:
            request += connection.recv(65536)
        seen.append(request)
        connection.sendall(http_answer(body, FHIR, *headers, status=status))

    with raw_server(answer) as base:
        yield base, seen


def ask(base, *resources, **how):
    """Ask about resources, and return the answers and the sentence."""
    with ServerValidator(base, sleep=lambda _: None, **how) as validator:
        waiting = [validator.ask(each) for each in resources]
        answers = [each() for each in waiting]
        return answers, validator.shortfall()


def test_what_it_says_comes_back():
    with server(outcome()) as (base, seen):
        [issues], sentence = ask(base, PATIENT)
    assert [each.text for each in issues] == ["a reason"]
    assert sentence is None
    assert seen[0].startswith(b"POST /Patient/$validate HTTP/1.1")
    assert json.loads(seen[0].partition(b"\r\n\r\n")[2]) == PATIENT


@pytest.mark.parametrize("status", ["400 Bad Request", "412 No", "422 Unprocessable"])
def test_a_refusal_that_says_what_is_wrong_is_an_answer(status):
    with server(outcome(), status) as (base, _):
        [issues], sentence = ask(base, PATIENT)
    assert len(issues) == 1
    assert sentence is None


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("404 Not Found", b"<html>no</html>"),
        ("404 Not Found", outcome("not-found")),
        ("405 Method Not Allowed", b""),
        ("501 Not Implemented", outcome()),
        ("400 Bad Request", outcome("not-supported")),
    ],
)
def test_a_server_without_the_operation_is_one_sentence(status, body):
    with server(body, status) as (base, seen):
        answers, sentence = ask(base, *[PATIENT] * 9, connections=1)
    assert answers == [None] * 9
    assert sentence == (
        "The server does not know $validate; 9 of 9 resources were checked by ivfhir alone."
    )
    assert len(seen) == 1


@pytest.mark.parametrize(
    ("status", "body", "headers", "words"),
    [
        ("200 OK", b"<html>sign in</html>", (), "is not FHIR JSON"),
        ("200 OK", b'{"resourceType": "Patient"}', (), "something else than an OperationOutcome"),
        ("200 OK", b" " * 3_000_000, (), "is larger than the 1 MiB"),
        (
            "200 OK",
            gzip.compress(b" " * 50_000_000),
            ("Content-Encoding: gzip",),
            "is larger than the 1 MiB",
        ),
        ("200 OK", b"[" * 200_000, (), "is not FHIR JSON"),
        ("500 Internal Server Error", b"<html>", (), "the server failed (500)"),
        ("503 Service Unavailable", b"", ("Retry-After: 3600",), "the server failed (503)"),
        ("302 Found", b"", ("Location: http://127.0.0.1:9/fhir",), "points to another address"),
    ],
)
def test_a_server_that_fails_is_one_sentence_and_asked_no_more(status, body, headers, words):
    limits = Limits(total_s=20, answer_bytes=1 << 20)
    with server(body, status, *headers) as (base, seen):
        answers, sentence = ask(base, *[PATIENT] * 20, limits=limits, connections=1)
    assert answers == [None] * 20
    assert words in sentence
    assert sentence.endswith("So 20 of 20 resources were checked by ivfhir alone.")
    assert "secret" not in sentence
    assert len(seen) == 3


@pytest.mark.parametrize("status", ["401 Unauthorized", "403 Forbidden"])
def test_who_is_not_let_in_asks_once(status):
    with server(b"", status) as (base, seen):
        answers, sentence = ask(base, *[PATIENT] * 5, connections=1)
    assert answers == [None] * 5
    assert "token" in sentence
    assert len(seen) == 1


def test_a_server_that_is_down_is_one_sentence():
    answers, sentence = ask("http://127.0.0.1:9/fhir", *[PATIENT] * 5)
    assert answers == [None] * 5
    assert "cannot be reached" in sentence


def test_a_server_that_drips_is_cut_off():
    def answer(connection, _request):
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.05)

    began = time.monotonic()
    with raw_server(answer) as base:
        answers, sentence = ask(base, *[PATIENT] * 4, limits=Limits(total_s=0.5))
    assert answers == [None] * 4
    assert "in time" in sentence
    assert time.monotonic() - began < 3


def test_a_busy_server_is_asked_again_after_the_pause_that_it_wants():
    pauses = []
    tries = []

    def answer(connection, _request):
        tries.append(1)
        status = "429 Too Many Requests" if len(tries) < 3 else "200 OK"
        connection.sendall(http_answer(outcome(), FHIR, "Retry-After: 7", status=status))

    with raw_server(answer) as base, ServerValidator(base, sleep=pauses.append) as validator:
        assert len(validator.ask(PATIENT)()) == 1
        assert validator.shortfall() is None
    assert pauses == [7, 7]


def test_no_more_than_a_few_are_asked_about_at_once():
    now, most, lock = [0], [0], threading.Lock()

    def answer(connection, _request):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.05)
        with lock:
            now[0] -= 1
        connection.sendall(http_answer(outcome(), FHIR))

    with raw_server(answer) as base:
        answers, _ = ask(base, *[PATIENT] * 12, connections=3)
    assert all(len(each) == 1 for each in answers)
    assert most[0] == 3


@pytest.mark.parametrize("raw", [[], "x", {}, {"resourceType": "Patien"}, {"resourceType": "../x"}])
def test_what_is_no_resource_is_not_sent(raw):
    with server(outcome()) as (base, seen):
        assert ask(base, raw) == ([None], None)
    assert seen == []


def test_parameters_are_sent_inside_parameters():
    raw = {"resourceType": "Parameters", "parameter": [{"name": "a", "valueString": "b"}]}
    with server(outcome()) as (base, seen):
        ask(base, raw)
    sent = json.loads(seen[0].partition(b"\r\n\r\n")[2])
    assert sent["parameter"] == [{"name": "resource", "resource": raw}]


def test_the_token_goes_along_and_a_wrong_address_is_refused():
    with server(outcome()) as (base, seen):
        ask(base, PATIENT, token="t0k")
    assert b"Authorization: Bearer t0k" in seen[0]
    for wrong in ("ftp://x/fhir", "http://u:p@x/fhir", "fhir"):
        with pytest.raises(UsageError):
            ServerValidator(wrong)


def test_hapi_and_ivfhir_agree_on_a_patient(hapi):
    raw = loads('{"resourceType": "Patient", "gendre": "f", "link": []}', place="x")
    [issues], sentence = ask(hapi, raw)
    assert sentence is None
    assert {each.pointer for each in issues if each.severity == "error"} == {(), ("link",)}


def test_hapi_without_the_operation(hapi):
    """What HAPI says of an operation that it does not have is what any of its servers say."""
    with run_proxy(hapi.removesuffix("/fhir") + "/fhir") as proxy:
        proxy.change = lambda asked: setattr(asked, "path", asked.path.replace("$validate", "$no"))
        answers, sentence = ask(proxy.base, PATIENT)
    assert answers == [None]
    assert sentence.startswith("The server does not know $validate")


def test_a_careless_server_finds_nothing(sekmet):
    assert requests.get(f"{sekmet}/metadata", timeout=9).ok
    assert ask(sekmet, PATIENT) == ([[]], None)
