"""`ivfhir fake-ehr`: a simulated EHR in front of a FHIR server that is already there."""

import signal
import socket
import subprocess
import sys

import pytest
import requests

from smart_app.fake_ehr.serve import main


def test_it_serves_the_patients_of_the_server_behind_until_it_is_told_to_end(
    fhir_server: str,
) -> None:
    command = [sys.executable, "-m", "smart_app.fake_ehr", "--fhir", fhir_server, "--port", "0"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        url = process.stderr.readline().split()[2]
        assert "HALLORAN" in requests.get(url, timeout=20).text
        answer = requests.get(f"{url}fhir/.well-known/smart-configuration", timeout=20)
        assert answer.json()["issuer"] == f"{url}fhir"
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=10) == 0
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_a_taken_port_is_said_in_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--fhir", "http://127.0.0.1:9/fhir", "--port", str(port)]) == 2
    expected = f"Port {port} is taken by another program; choose another with --port.\n"
    assert capsys.readouterr().err == expected


def test_a_server_that_does_not_take_the_samples_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    words = ["--fhir", "http://127.0.0.1:9/fhir", "--port", "0", "--load-samples"]
    assert main(words) == 5
    assert "cannot be reached" in capsys.readouterr().err
