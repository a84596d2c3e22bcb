"""The systemd units: what systemd makes of them, and that they give time to end a write."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers.needs import need

DEPLOY = Path(__file__).parents[2] / "deploy"
UNITS = ("ivfhir.service", "ivfhir-worker.service")
both = pytest.mark.parametrize("unit", UNITS)


def service(unit: str) -> configparser.SectionProxy:
    # Two SystemCallFilter lines add up, which a configparser that is strict would refuse.
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as configparser's own guide does
    parser.read(DEPLOY / unit, encoding="utf-8")
    return parser["Service"]


def test_a_stop_waits_longer_than_the_workers_do() -> None:
    """The workers give running requests 30 s (`graceful_timeout` in smart_app/serve.py)."""
    assert int(service("ivfhir.service")["TimeoutStopSec"]) > 30


def test_a_stop_of_the_outbox_s_worker_waits_for_the_plan_under_way() -> None:
    """It reads the record (`page_timeout_s`, 30) and writes (`write_timeout_s`, at most 110)."""
    own = service("ivfhir-worker.service")
    assert int(own["TimeoutStopSec"]) > 30 + 110
    assert own["ExecStart"] == "/opt/ivfhir/bin/ivfhir worker --config /etc/ivfhir/ivfhir.toml"


@both
def test_nothing_that_it_writes_can_be_read_by_others(unit: str) -> None:
    own = service(unit)
    assert (own["UMask"], own["StateDirectoryMode"]) == ("0077", "0700")
    assert own["KillSignal"] == "SIGTERM"


@pytest.fixture
def systemd_analyze() -> str:
    found = shutil.which("systemd-analyze")
    need(None if found else "needs systemd-analyze: apt-get install -y systemd")
    return str(found)


@both
def test_systemd_understands_every_line(unit: str, systemd_analyze: str, tmp_path: Path) -> None:
    copy = tmp_path / unit
    copy.write_text((DEPLOY / unit).read_text().replace("/opt/ivfhir/bin/ivfhir", "/bin/true"))
    done = subprocess.run(
        [systemd_analyze, "verify", str(copy)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


@both
def test_systemd_finds_it_little_exposed(unit: str, systemd_analyze: str) -> None:
    """Of 10 points for a service without any limit, at most 2."""
    done = subprocess.run(
        [systemd_analyze, "security", "--offline=true", "--no-pager", str(DEPLOY / unit)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"exposure level for ivfhir[-a-z]*\.service: (\d+\.\d)", done.stdout)
    assert found is not None
    assert float(found[1]) <= 2
