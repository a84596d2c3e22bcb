"""The `sekmet` fixture: a small FHIR server in this process, for the careless servers of the world.

It knows transactions, If-Match, search, history and paging, but lets conditional creates race and
overlooks wrong codes. What a good server does is asked of the `hapi` fixture.
"""

import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from sekmet.config import Settings
from sekmet.main import create_app

START_TIMEOUT_S = 120


@pytest.fixture
def sekmet() -> Iterator[str]:
    """Base URL of an empty server of this test's own, up in less than a second."""
    with run_sekmet() as base:
        yield base


@contextmanager
def run_sekmet() -> Iterator[str]:
    """Start a server in a thread, in memory, on a free port of 127.0.0.1; yield its base URL."""
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0)) as listener,
    ):
        port = listener.getsockname()[1]
        base = f"http://127.0.0.1:{port}/fhir"
        settings = Settings(
            base_url=base,
            host="127.0.0.1",
            port=port,
            data_dir=folder,
            db_path=":memory:",
            simulator={"enabled": False},
        )
        server = uvicorn.Server(uvicorn.Config(create_app(settings), log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        _wait_until_started(server)
        try:
            yield base
        finally:
            server.should_exit = True
            thread.join(START_TIMEOUT_S)


def _wait_until_started(server: uvicorn.Server) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not server.started:
        if time.monotonic() > deadline:
            raise RuntimeError(f"sekmet did not start within {START_TIMEOUT_S} s")
        time.sleep(0.02)
