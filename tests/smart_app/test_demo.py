"""`make demo`: one command, one URL, and nothing left behind."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from smart_app.demo import Ports, main, running_demo

PORTS = {"IVFHIR_DEMO_PORT": "0", "IVFHIR_DEMO_APP_PORT": "0", "IVFHIR_DEMO_FHIR_PORT": "0"}
ENDS_S = 5.0
"""The demo ends within so many seconds, or within what its start took on a busy machine."""


@contextmanager
def demo_process(*arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the demo on free ports, give its process and the URL it prints."""
    process = subprocess.Popen(
        [sys.executable, "-m", "smart_app.demo", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **PORTS},
        start_new_session=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"https?://\S+", line)
        assert found, line + process.communicate()[1]
        yield process, found[0]
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_the_printed_url_leads_from_the_list_into_the_app() -> None:
    began = time.monotonic()
    with demo_process() as (process, url):
        start_s = time.monotonic() - began
        assert "HALLORAN" in requests.get(url, timeout=20).text
        page = requests.Session().get(f"{url}open/halloran", timeout=30)
        assert page.status_code == 200
        assert "/match" in page.url
        assert "Eligible" in page.text
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=max(ENDS_S, start_s))
    assert (process.returncode, out, error) == (0, "", "")


def test_the_very_moment_of_the_printed_line_is_no_bad_one_for_ctrl_c() -> None:
    for _ in range(3):
        with demo_process() as (process, _url):
            process.send_signal(signal.SIGINT)
            assert process.communicate(timeout=10) == ("", "")
            assert process.returncode == 0


@pytest.mark.parametrize("delay_s", [1.0, 2.0, 3.0])
def test_ctrl_c_while_it_starts_ends_it_without_a_trace(delay_s: float, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "smart_app.demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **PORTS, "TMPDIR": str(tmp_path)},
    )
    time.sleep(delay_s)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_no_process_is_left_behind(number: int) -> None:
    with demo_process() as (process, _):
        group = os.getpgid(process.pid)
        process.send_signal(number)
        process.wait(timeout=10)
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


@pytest.mark.parametrize(
    ("option", "variable"),
    [
        ("--port", "IVFHIR_DEMO_PORT"),
        ("--app-port", "IVFHIR_DEMO_APP_PORT"),
        ("--fhir-port", "IVFHIR_DEMO_FHIR_PORT"),
    ],
)
def test_a_taken_port_is_said_in_one_sentence(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    option: str,
    variable: str,
) -> None:
    for name, value in PORTS.items():
        monkeypatch.setenv(name, value)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        monkeypatch.setenv(variable, str(port))
        assert main([]) == 2
    expected = f"Port {port} is taken by another program; choose another with {option}.\n"
    assert capsys.readouterr() == ("", expected)


def test_over_https_ehr_and_app_are_two_sites(tmp_path: Path) -> None:
    with running_demo(Ports(0, 0, 0), folder=tmp_path, https=True) as demo:
        assert demo.ehr_url.startswith("https://127.0.0.1:")
        assert demo.app_url.startswith("https://localhost:")
        browser = requests.Session()
        browser.verify = str(tmp_path / "demo.pem")
        browser.trust_env = False
        page = browser.get(f"{demo.ehr_url}/open/halloran", timeout=30)
        assert page.url.startswith(demo.app_url)
        assert "Eligible" in page.text
