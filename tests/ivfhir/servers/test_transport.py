"""An exchange ends in time and in size, against a server that does its worst."""

import gzip
import socket
import threading
import time
import tracemalloc
import zlib
from contextlib import suppress

import pytest
import requests

from ivfhir import errors
from ivfhir.servers.http import HttpRepository
from ivfhir.servers.limits import Limits
from ivfhir.servers.transport import exchange, watched_session
from tests.servers.raw_server import http_answer, raw_server

PATIENT = b'{"resourceType": "Patient", "id": "p"}'
TOTAL_S = 0.6


def drip(connection: socket.socket, data: bytes) -> None:
    """Send a byte every 50 ms: no single wait is long."""
    with suppress(OSError):
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)


def a_body(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
    drip(connection, b" " * 9999)


def a_chunk(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    drip(connection, b"1\r\n \r\n" * 999)


def a_header(connection: socket.socket, _request: bytes) -> None:
    drip(connection, b"HTTP/1.1 200 OK\r\nX-Long: " + b"a" * 9999)


def an_answer_without_length(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + PATIENT)
    drip(connection, b" " * 9999)


@pytest.mark.parametrize("answer", [a_body, a_chunk, a_header, an_answer_without_length])
def test_a_server_that_drips_is_cut_off_at_the_total_time(answer: object) -> None:
    with raw_server(answer) as base:
        repository = HttpRepository(base, read_timeout_s=5, limits=Limits(total_s=TOTAL_S))
        began = time.monotonic()
        with pytest.raises(errors.UnreachableError, match="in time"):
            repository.read("Patient", "p")
        assert TOTAL_S <= time.monotonic() - began < TOTAL_S + 0.5


def test_a_server_that_drips_its_tls_handshake_is_cut_off_at_the_total_time() -> None:
    def shake(connection: socket.socket, _request: bytes) -> None:
        drip(connection, b"\x16\x03\x03\x3f\xff" + b"\x02" * 9999)

    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65536)
                shake(connection, b"")

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    base = f"https://127.0.0.1:{listener.getsockname()[1]}"
    repository = HttpRepository(base, read_timeout_s=5, limits=Limits(total_s=TOTAL_S))
    began = time.monotonic()
    with pytest.raises(errors.UnreachableError):
        repository.read("Patient", "p")
    assert time.monotonic() - began < TOTAL_S + 0.5
    listener.close()


def test_the_total_time_is_one_for_all_answers_together() -> None:
    def half_a_second(connection: socket.socket, _request: bytes) -> None:
        time.sleep(0.5)
        connection.sendall(http_answer(PATIENT))

    with raw_server(half_a_second) as base:
        repository = HttpRepository(base, read_timeout_s=5, limits=Limits(total_s=0.8))
        assert repository.read("Patient", "p")["id"] == "p"
        with pytest.raises(errors.UnreachableError):
            repository.read("Patient", "p")
        began = time.monotonic()
        with pytest.raises(errors.UnreachableError, match=r"longer than the 0\.8 s"):
            repository.read("Patient", "p")
        assert time.monotonic() - began < 0.1, "nothing is sent once the time is over"


def test_a_pause_that_a_busy_server_asks_for_is_not_taken_beyond_the_total_time() -> None:
    def busy(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(http_answer(b"", "Retry-After: 5", status="503 Busy"))

    with raw_server(busy) as base:
        repository = HttpRepository(base, limits=Limits(total_s=2))
        began = time.monotonic()
        with pytest.raises(errors.ServerError):
            repository.read("Patient", "p")
        assert time.monotonic() - began < 1


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_left_at_the_limit_and_not_unpacked(encoding: str) -> None:
    packed = (gzip.compress if encoding == "gzip" else zlib.compress)(b" " * (400 << 20))
    assert len(packed) < 500_000

    def bomb(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(http_answer(packed, f"Content-Encoding: {encoding}"))

    with raw_server(bomb) as base:
        repository = HttpRepository(base, limits=Limits(answer_bytes=4 << 20))
        tracemalloc.start()
        with pytest.raises(errors.BadAnswerError, match="larger than the 4 MiB"):
            repository.read("Patient", "p")
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 32 << 20


def test_a_body_packed_twice_is_refused_unopened() -> None:
    twice = gzip.compress(gzip.compress(PATIENT))

    def answer(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(http_answer(twice, "Content-Encoding: gzip, gzip"))

    with raw_server(answer) as base, pytest.raises(errors.BadAnswerError, match="more than once"):
        HttpRepository(base).read("Patient", "p")


def test_a_body_cut_short_is_no_answer() -> None:
    def short(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(http_answer(PATIENT)[:-5])

    with raw_server(short) as base, pytest.raises(errors.UnreachableError):
        HttpRepository(base).read("Patient", "p")


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
        b"HTTP/9.9 999 \xff\r\n\r\n",
        b"garbage\r\n",
        b"",
    ],
)
def test_what_is_no_http_is_no_answer(data: bytes) -> None:
    with (
        raw_server(lambda connection, _request: connection.sendall(data)) as base,
        pytest.raises(errors.ServerError),
    ):
        HttpRepository(base, read_timeout_s=2).read("Patient", "p")


def test_a_packed_answer_within_the_limits_is_read() -> None:
    def answer(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(http_answer(gzip.compress(PATIENT), "Content-Encoding: gzip"))

    with raw_server(answer) as base:
        repository = HttpRepository(base, limits=Limits(total_s=5))
        assert repository.read("Patient", "p") == {"resourceType": "Patient", "id": "p"}


def test_a_connection_that_is_used_again_is_watched_again() -> None:
    requests_seen = []

    def first_quick_then_slow(connection: socket.socket, request: bytes) -> None:
        requests_seen.append(request)
        body = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        connection.sendall(body)
        requests_seen.append(connection.recv(65536))
        drip(connection, b"HTTP/1.1 200 OK\r\nX: " + b"a" * 999)

    with raw_server(first_quick_then_slow) as base:
        session = watched_session()
        answer = exchange(session, "GET", base, within_s=5, most_bytes=9, timeout=5)
        assert (answer.ok, answer.content) == (True, b"{}")
        repository = HttpRepository(base, session=session, limits=Limits(total_s=TOTAL_S))
        began = time.monotonic()
        with pytest.raises(errors.UnreachableError, match="in time"):
            repository.read("Patient", "p")
        assert time.monotonic() - began < TOTAL_S + 0.5
        assert len(requests_seen) == 2, "it was one connection"


def test_a_session_with_adapters_of_its_own_keeps_them() -> None:
    class Own(requests.adapters.HTTPAdapter):
        pass

    session, own = requests.Session(), Own()
    session.mount("https://", own)
    assert watched_session(session).get_adapter("https://x.example") is own
