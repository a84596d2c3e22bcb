"""A proxy in front of a FHIR server, on a port of its own, that fails as a test tells it to.

It also makes a server of fewer means out of one of many: what it refuses, and what its
CapabilityStatement leaves out, is a function of the test's.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import requests

FAULTS = (
    *("drop-before", "drop-after", "truncate", "delay", "429", "429-date", "503", "412", "409"),
    *("500-html", "wrong-type"),
)
"""What can happen to one request; `drop-after` to `delay` happen after the server did it."""

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})


@dataclass
class Asked:
    """One request as it came; `number` counts from 1."""

    number: int
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def writes(self) -> bool:
        """Tell whether it may change the server; a search by POST is none of ours."""
        return self.method in WRITES

    def json(self) -> Any:
        """Return the body."""
        return json.loads(self.body or b"null")


def _no_fault(asked: Asked) -> str | None:
    return None


def _as_it_is(statement: dict[str, Any]) -> dict[str, Any]:
    return statement


def _allowed(asked: Asked) -> int | None:
    return None


def _its_own(asked: Asked, status: int) -> int:
    return status


def _nothing(stage: str, asked: Asked) -> None:
    return None


@dataclass
class FaultProxy:
    """What happens, and what happened.

    Attributes:
        fault: gives the fault of a request, None for none.
        statement: returns what the CapabilityStatement says instead.
        refuse: returns the status with which a request is refused, None when it is let through.
        change: changes a request before it is sent on.
        watch: is told "before" a request is sent on and "after" its answer came.
        answer: returns what the JSON of an answer is to be instead; None leaves all as they are.
        status: returns the status of an answer.
        delay_s: how long `delay` takes.
        asked: every request.
    """

    upstream: str
    fault: Callable[[Asked], str | None] = _no_fault
    statement: Callable[[dict[str, Any]], dict[str, Any]] = _as_it_is
    refuse: Callable[[Asked], int | None] = _allowed
    change: Callable[[Asked], None] = lambda asked: None
    watch: Callable[[str, Asked], None] = _nothing
    answer: Callable[[Asked, Any], Any] | None = None
    status: Callable[[Asked, int], int] = _its_own
    delay_s: float = 3.0
    latency_s: float = 0.0
    base: str = ""
    asked: list[Asked] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _threads: threading.local = field(default_factory=threading.local)

    @property
    def writes(self) -> list[Asked]:
        """The requests that may have changed the server."""
        return [each for each in self.asked if each.writes]

    def take(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Asked:
        """Note a request."""
        with self._lock:
            asked = Asked(len(self.asked) + 1, method, path, headers, body)
            self.asked.append(asked)
        return asked

    def forward(self, asked: Asked) -> requests.Response:
        """Send a request on and return the answer, addressed to the proxy."""
        session = getattr(self._threads, "session", None)
        if session is None:
            session = self._threads.session = requests.Session()
        dropped = {"host", "content-length", "connection", "accept-encoding"}
        headers = {k: v for k, v in asked.headers.items() if k.lower() not in dropped}
        headers["Accept-Encoding"] = "identity"
        body = asked.body.replace(self.base.encode(), self.upstream.encode())
        return session.request(
            asked.method, self.upstream + asked.path, headers=headers, data=body, timeout=120
        )


@contextmanager
def run_proxy(upstream: str, **how: Any) -> Iterator[FaultProxy]:
    """Start a proxy in front of a server, in threads; its `base` is the address to ask."""
    proxy = FaultProxy(upstream, **how)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # Else each answer waits 40 ms between head and body.

        def log_message(self, *words: object) -> None:
            """Say nothing."""

        def _take(self) -> None:
            with suppress(OSError):
                _answer(self, proxy)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _take

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *words: object) -> None:
            """A client that was killed is no error."""

    server = Server(("127.0.0.1", 0), Handler)
    proxy.base = f"http://127.0.0.1:{server.server_port}/fhir"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(handler: BaseHTTPRequestHandler, proxy: FaultProxy) -> None:
    size = int(handler.headers.get("Content-Length") or 0)
    asked = proxy.take(
        handler.command,
        handler.path.removeprefix("/fhir"),
        dict(handler.headers),
        handler.rfile.read(size),
    )
    if proxy.latency_s:
        time.sleep(proxy.latency_s)
    proxy.change(asked)
    status = proxy.refuse(asked)
    if status is not None:
        _send(handler, status, _outcome("not allowed here"))
        return
    fault = proxy.fault(asked)
    proxy.watch("before", asked)
    if fault == "drop-before":
        handler.close_connection = True
    elif fault in ("429", "429-date", "503", "412", "409"):
        until = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
        more = {"429": "0", "503": "0", "429-date": until}.get(fault)
        headers = {} if more is None else {"Retry-After": more}
        _send(handler, int(fault[:3]), _outcome("a fault of the test"), **headers)
    elif fault == "500-html":
        _send(handler, 500, b"<html>broken</html>", **{"Content-Type": "text/html"})
    else:
        _forward(handler, proxy, asked, fault)


def _forward(
    handler: BaseHTTPRequestHandler, proxy: FaultProxy, asked: Asked, fault: str | None
) -> None:
    answer = proxy.forward(asked)
    proxy.watch("after", asked)
    if fault == "delay":
        time.sleep(proxy.delay_s)
    if fault == "drop-after":
        handler.close_connection = True
        return
    body = answer.content.replace(proxy.upstream.encode(), proxy.base.encode())
    if asked.path.startswith("/metadata"):
        body = json.dumps(proxy.statement(json.loads(body))).encode()
    elif body and proxy.answer is not None:
        body = json.dumps(proxy.answer(asked, json.loads(body))).encode()
    kept = {"location", "etag", "content-type", "last-modified"}
    headers = {
        name: value.replace(proxy.upstream, proxy.base)
        for name, value in answer.headers.items()
        if name.lower() in kept
    }
    if fault == "wrong-type":
        headers, body = {"Content-Type": "text/plain"}, b"OK"
    status = proxy.status(asked, answer.status_code)
    if fault == "truncate":
        _send(handler, status, body, cut=len(body) // 2, **headers)
        return
    _send(handler, status, body, **headers)


def _send(
    handler: BaseHTTPRequestHandler,
    status: int,
    body: bytes,
    *,
    cut: int | None = None,
    **headers: str,
) -> None:
    handler.send_response(status)
    for name, value in ({"Content-Type": "application/fhir+json"} | headers).items():
        handler.send_header(name, value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body if cut is None else body[:cut])
    if cut is not None:
        handler.close_connection = True


def _outcome(words: str) -> bytes:
    issue = {"severity": "error", "code": "processing", "diagnostics": words}
    return json.dumps({"resourceType": "OperationOutcome", "issue": [issue]}).encode()
