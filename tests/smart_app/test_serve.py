"""`ivfhir serve`: the app alone, for a configured EHR."""

import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import pytest
import requests

from smart_app.serve import KEEP_ALIVE_S, main

NGINX = Path(__file__).parents[2] / "deploy/nginx.conf"


def write(folder: Path, port: int) -> Path:
    path = folder / "ivfhir.toml"
    path.write_text(
        f"""
public_url = "http://127.0.0.1:{port}"
port = {port}
database_url = "sqlite:///{folder / "app.sqlite3"}"
key_file = "{folder / "key"}"

[[ehr]]
name = "Ward"
iss = "https://ehr.example/fhir"
client_id = "app"
""",
        encoding="utf-8",
    )
    return path


def test_it_serves_until_it_is_told_to_end_and_leaves_no_process(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "ivfhir.cli.main", "serve", "--config", str(write(tmp_path, port))],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        line = process.stderr.readline()
        assert f"http://127.0.0.1:{port}/launch" in line
        assert f"http://127.0.0.1:{port}/callback" in line
        assert answer_of(f"http://127.0.0.1:{port}/health").json()["status"] == "ok"
        assert "Ward" in answer_of(f"http://127.0.0.1:{port}/").text
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    with pytest.raises(ProcessLookupError):
        os.killpg(process.pid, 0)


def test_a_form_finds_its_connection_open_after_a_page_was_read(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "ivfhir.cli.main", "serve", "--config", str(write(tmp_path, port))],
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        answer_of(f"http://127.0.0.1:{port}/health/live")
        with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
            connection.connect()
            connection.auto_open = 0  # A second connection would hide that the first was closed.
            connection.request("GET", "/health/live")
            assert connection.getresponse().read()
            time.sleep(3.5)  # gunicorn's own limit is 2 s, looked at once a second.
            connection.request("GET", "/health/live")
            assert connection.getresponse().status == 200
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_nginx_lets_go_of_a_connection_before_the_app_does() -> None:
    upstream = re.search(r"upstream ivfhir \{.*?\}", NGINX.read_text(encoding="utf-8"), re.DOTALL)
    assert upstream is not None
    kept = re.search(r"keepalive_timeout (\d+)s;", upstream[0])
    assert kept is not None
    assert int(kept[1]) < KEEP_ALIVE_S


def answer_of(url: str) -> requests.Response:
    for _ in range(100):
        try:
            return requests.get(url, timeout=10)
        except requests.ConnectionError:
            time.sleep(0.2)
    raise AssertionError("it does not serve")


def test_a_taken_port_and_a_missing_file_are_said_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--config", str(tmp_path / "absent.toml")]) == 2
    assert "absent.toml cannot be read" in capsys.readouterr().err
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--config", str(write(tmp_path, port))]) == 2
    assert f"Port {port} is taken" in capsys.readouterr().err


def test_the_collector_walks_no_protocol_that_was_loaded_to_stay() -> None:
    """In a process of its own: what is frozen stays so."""
    tried = "import gc; from ivfhir.knowledge.registry import Registry; "
    tried += "from smart_app.app import load_to_stay; kept = load_to_stay(Registry()); "
    tried += "print(gc.get_freeze_count() > 10_000, len(kept))"
    said = subprocess.run(
        [sys.executable, "-c", tried], capture_output=True, text=True, check=True, timeout=120
    )
    assert said.stdout.split() == ["True", "6"]
