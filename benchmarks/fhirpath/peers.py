"""The peers, installed by their own package managers into `.cache/`, each a process of its own."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from benchmarks.piped import piped

HERE = Path(__file__).parent
CACHE = Path(__file__).parents[2] / ".cache" / "benchmarks" / "fhirpath"
FHIRPATHPY = "fhirpathpy==2.2.4"
FHIRPATH_JS = "fhirpath@5.2.2"


class Peer:
    """The other end of a running peer; idle while it is not asked.

    Attributes:
        answers: for each patient, for each condition, what it gives.
        compile_ms: milliseconds to compile one condition.
    """

    def __init__(self, orders: IO[str], said: IO[str]) -> None:
        """Read what it says first."""
        self._orders, self._said = orders, said
        told = json.loads(said.readline())
        self.answers: list[list[Any]] = told["answers"]
        self.compile_ms: float = told["compileMs"]

    def run_for(self, seconds: float) -> float:
        """Return the patients a second, all conditions each, over so many seconds."""
        print(seconds, file=self._orders, flush=True)
        told = json.loads(self._said.readline())
        return float(told["count"] / told["seconds"])


def missing() -> str | None:
    """Return what is missing on the machine, as a sentence that says how to install it."""
    if shutil.which("node") and shutil.which("npm"):
        return None
    return "needs node and npm for fhirpath.js: apt-get install -y nodejs npm"


def python_command() -> list[str]:
    """Return the command of fhirpathpy, installed where it is not yet."""
    folder = CACHE / FHIRPATHPY
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        _run([sys.executable, "-m", "venv", str(folder)])
        _run([str(python), "-m", "pip", "install", "-q", FHIRPATHPY])
        done.touch()
    return [str(python), str(HERE / "fhirpathpy_peer.py")]


def node_command() -> list[str]:
    """Return the command of fhirpath.js, installed where it is not yet."""
    folder = CACHE / FHIRPATH_JS
    done = folder / "installed"
    if not done.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        _run(["npm", "install", "--silent", "--no-fund", "--prefix", str(folder), FHIRPATH_JS])
        done.touch()
    return ["node", str(HERE / "fhirpath_js_peer.js"), str(folder)]


def _run(command: Sequence[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


@contextmanager
def started(command: Sequence[str], patients: Path, conditions: Path) -> Iterator[Peer]:
    """Start a peer on these patients and conditions; it ends with the block."""
    with piped([*command, str(patients), str(conditions)]) as (orders, said):
        yield Peer(orders, said)
