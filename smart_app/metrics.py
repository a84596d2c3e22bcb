"""What a site watches: counts and times, of all workers together, on a port of their own.

No label holds anything of a patient, a user or a launch: routes are patterns, EHRs are origins.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from flask import Flask, Response, g, request
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    start_http_server,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

import ivfhir
from smart_app.urls import origin_of

_FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS_S = (0.01, 0.025, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 20, 60)
_NO_ROUTE = "none"


@dataclass(frozen=True)
class Metrics:
    """The app's counts and times, each in seconds where it is a time."""

    pages: Histogram
    ehr: Histogram
    events: Counter

    def count_event(
        self, _logger: object, level: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Count a log event by its name, level and class of error; a processor of structlog."""
        written = event.get("written")
        outcome = "" if written is None else ("written" if written else "not written")
        error = str(event.get("error") or outcome)
        self.events.labels(str(event.get("event", "")), level, error).inc()
        return event

    def watch_session(self, session: requests.Session) -> None:
        """Time what an EHR answers to the session; what it never answers is an event."""

        def note(response: requests.Response, *_args: object, **_kwargs: object) -> None:
            method, status = str(response.request.method), str(response.status_code)
            labels = (origin_of(response.url), method, status)
            self.ehr.labels(*labels).observe(response.elapsed.total_seconds())

        session.hooks["response"].append(note)

    def watch_app(self, app: Flask) -> None:
        """Time each request of the app by its route."""

        @app.before_request
        def start() -> None:
            g.request_started_s = time.perf_counter()

        @app.after_request
        def end(response: Response) -> Response:
            started_s = g.get("request_started_s")
            if started_s is not None:
                route = str(request.url_rule) if request.url_rule else _NO_ROUTE
                method = request.method if request.url_rule else _NO_ROUTE
                labels = (route, method, str(response.status_code))
                self.pages.labels(*labels).observe(time.perf_counter() - started_s)
            return response


def make_metrics(registry: CollectorRegistry) -> Metrics:
    """Return the app's metrics in a registry of their own."""
    version = Gauge(
        "ivfhir_version",
        "1, for the version that runs",
        ["version"],
        registry=registry,
        multiprocess_mode="max",
    )
    version.labels(ivfhir.__version__).set(1)
    return Metrics(
        pages=Histogram(
            "ivfhir_request_seconds",
            "time to answer a request",
            ["route", "method", "status"],
            buckets=_BUCKETS_S,
            registry=registry,
        ),
        ehr=Histogram(
            "ivfhir_ehr_seconds",
            "time until an EHR answered",
            ["ehr", "method", "status"],
            buckets=_BUCKETS_S,
            registry=registry,
        ),
        events=Counter(
            "ivfhir_events", "log events", ["event", "level", "error"], registry=registry
        ),
    )


@contextmanager
def counting_together() -> Iterator[None]:
    """Let the processes that are started in the block count into files of one folder.

    It must begin before they make their metrics. The folder goes with the process that made it.
    """
    folder, maker = tempfile.mkdtemp(prefix="ivfhir-metrics-"), os.getpid()
    os.environ[_FOLDER_VARIABLE] = folder
    # The library chose how it counts when it was imported; the variable was not there then.
    values.ValueClass = values.get_value_class()  # type: ignore[no-untyped-call]  # it has no types
    try:
        yield
    finally:
        if os.getpid() == maker:  # A forked worker leaves the block, too.
            shutil.rmtree(folder, ignore_errors=True)


def serve_metrics(host: str, port: int) -> Callable[[], None]:
    """Publish what all workers counted at `http://host:port/metrics`, from this process.

    Returns:
        What ends it.

    Raises:
        OSError: the port is taken, or the address is not this machine's.
    """
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it has no types
    server, thread = start_http_server(port, addr=host, registry=registry)

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return end


def forget_process(pid: int) -> None:
    """Let go of the gauges of a worker that ended; what it counted stays."""
    mark_process_dead(pid)  # type: ignore[no-untyped-call]  # it has no types
