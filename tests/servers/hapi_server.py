"""The `hapi` fixture: a HAPI FHIR R4 server with Clinical Reasoning, in memory, one for a test run.

Its folder hapi/ holds the Java program; Maven packages it once, into target/ beside it. Loading the
knowledge and evaluating on it: `tests.servers.hapi_client`.
"""

import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.servers.hapi_client import load_knowledge
from tests.servers.needs import need
from tools import maven

PROJECT = Path(__file__).with_name("hapi")
START_TIMEOUT_S = 600
"""What has not started by then hangs; beside other work on a slow machine it takes minutes."""
STOP_TIMEOUT_S = 15


@pytest.fixture(scope="session")
def hapi() -> Iterator[str]:
    """Base URL of a running HAPI server; all tests of a run share it, so use ids of your own."""
    need(maven.missing_java())
    with run_hapi() as base:
        yield base


@pytest.fixture(scope="session")
def hapi_with_knowledge(hapi: str) -> str:
    """Base URL of the same server, with every definition of plan_definitions/ loaded."""
    load_knowledge(hapi)
    return hapi


FOR_TESTS = ("-Xmx1g", *maven.QUICK_START)
"""The better compiler takes more from a test run than it gives."""
FOR_FIGURES = ("-Xmx4g",)
"""As a server runs that is meant to last: what it holds is all in memory."""


@contextmanager
def run_hapi(port: int = 0, *, options: Sequence[str] = FOR_TESTS) -> Iterator[str]:
    """Build and start a server, yield its base URL, stop it.

    Args:
        port: on 127.0.0.1; 0 takes a free one.
        options: of Java.

    Raises:
        RuntimeError: it did not start; the message holds the end of its log.
    """
    command = maven.java_command(
        maven.build(PROJECT),
        "HapiTestServer",
        [str(port)],
        options=options,
    )
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "server.log"
        with log.open("w") as out:
            # The server stops when this pipe ends, so a killed test run leaves none behind.
            server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=out, stderr=out)
        try:
            yield _wait_until_ready(server, log)
        finally:
            _stop(server)


def _wait_until_ready(server: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and server.poll() is None:
        for line in log.read_text(errors="replace").splitlines():
            if line.startswith("ready "):
                return line.removeprefix("ready ")
        time.sleep(0.2)
    end = log.read_text(errors="replace")[-3000:]
    raise RuntimeError(f"HAPI did not start within {START_TIMEOUT_S} s:\n{end}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    assert server.stdin is not None
    server.stdin.close()
    try:
        server.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
