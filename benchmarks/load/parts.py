"""The parts of a run, each in processes of its own: FHIR server, simulated EHR, app."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from smart_app.local_server import listen

_START_S = 60


@dataclass(frozen=True)
class Parts:
    """Where the parts are, and the process whose children are the app's workers."""

    fhir_url: str
    ehr_url: str
    app_url: str
    app_pid: int


@contextmanager
def running_parts(folder: Path, database_url: str = "") -> Iterator[Parts]:
    """Run all parts while the block runs.

    Args:
        folder: for the app's database and key.
        database_url: another database than SQLite in that folder.

    Raises:
        TimeoutError: a part does not answer within a minute.
    """
    fhir_port, ehr_port, app_port = (_free_port() for _ in range(3))
    fhir_url = f"http://127.0.0.1:{fhir_port}/fhir"
    ehr_url, app_url = f"http://127.0.0.1:{ehr_port}", f"http://127.0.0.1:{app_port}"
    settings = folder / "ivfhir.toml"
    database_url = database_url or f"sqlite:///{folder / 'app.sqlite3'}"
    settings.write_text(
        f'public_url = "{app_url}"\nport = {app_port}\nworkers = 2\nlog_level = "error"\n'
        f'database_url = "{database_url}"\n'
        f'key_file = "{folder / "key"}"\n\n[[ehr]]\niss = "{ehr_url}/fhir"\nclient_id = "ivfhir"\n',
        encoding="utf-8",
    )
    ehr_options = ["--fhir", fhir_url, "--port", str(ehr_port), "--app", app_url]
    with ExitStack() as stack:
        _start(stack, "benchmarks.load.slow_fhir", str(fhir_port), url=f"{fhir_url}/metadata")
        _start(stack, "smart_app.fake_ehr", *ehr_options, "--token-life", "3600", url=ehr_url)
        app = _start(stack, "smart_app.serve", "--config", str(settings), url=f"{app_url}/health")
        yield Parts(fhir_url, ehr_url, app_url, app.pid)


def _start(stack: ExitStack, module: str, *arguments: str, url: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen([sys.executable, "-m", module, *arguments])
    stack.callback(process.wait)
    stack.callback(process.terminate)
    deadline = time.monotonic() + _START_S
    while not _answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise TimeoutError(f"{module} does not answer at {url}")
        time.sleep(0.1)
    return process


def _answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False


def _free_port() -> int:
    with listen("127.0.0.1", 0, option="a port") as listener:
        port: int = listener.getsockname()[1]
        return port
