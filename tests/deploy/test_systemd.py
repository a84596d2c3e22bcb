"""The systemd unit: what systemd makes of it, and that it gives the app time to end a write."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.servers.needs import need

UNIT = Path(__file__).parents[2] / "deploy" / "ivfhir.service"


def service() -> configparser.SectionProxy:
    # Two SystemCallFilter lines add up, which a configparser that is strict would refuse.
    parser = configparser.ConfigParser(strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as configparser's own guide does
    parser.read(UNIT, encoding="utf-8")
    return parser["Service"]


def test_a_stop_waits_longer_than_the_workers_do() -> None:
    """The workers give running requests 30 s (`graceful_timeout` in smart_app/serve.py)."""
    assert int(service()["TimeoutStopSec"]) > 30
    assert service()["KillSignal"] == "SIGTERM"


def test_nothing_that_it_writes_can_be_read_by_others() -> None:
    assert (service()["UMask"], service()["StateDirectoryMode"]) == ("0077", "0700")


@pytest.fixture
def systemd_analyze() -> str:
    found = shutil.which("systemd-analyze")
    need(None if found else "needs systemd-analyze: apt-get install -y systemd")
    return str(found)


def test_systemd_understands_every_line(systemd_analyze: str, tmp_path: Path) -> None:
    unit = tmp_path / "ivfhir.service"
    unit.write_text(UNIT.read_text().replace("/opt/ivfhir/bin/ivfhir", "/bin/true"))
    done = subprocess.run(
        [systemd_analyze, "verify", str(unit)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_systemd_finds_it_little_exposed(systemd_analyze: str) -> None:
    """Of 10 points for a service without any limit, at most 2."""
    done = subprocess.run(
        [systemd_analyze, "security", "--offline=true", "--no-pager", str(UNIT)],
        capture_output=True,
        text=True,
        check=True,
    )
    found = re.search(r"exposure level for ivfhir\.service: (\d+\.\d)", done.stdout)
    assert found is not None
    assert float(found[1]) <= 2
