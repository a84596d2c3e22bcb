"""The lock: every package that a deployment installs, by version and hash, for every platform."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
LOCK = ROOT / "deploy" / "requirements.txt"
EXTRAS = ("app", "postgres", "sync")
"""What a hospital installs: the app with everything it can be set to use."""

UV = [sys.executable, "-m", "uv"]
_HEAD = (
    "# Every package that `ivfhir serve` needs, locked with hashes; made by `make lock`.\n"
    "# Install: pip install --require-hashes -r requirements.txt && pip install --no-deps ivfhir\n"
)


def compile_lock(start_from: Path | None) -> str:
    """Return the lock for `pyproject.toml` as it stands.

    Args:
        start_from: a lock whose versions are kept where they still satisfy; None takes the newest.

    Raises:
        CalledProcessError: the registry cannot be reached, or the demands contradict each other.
    """
    with tempfile.TemporaryDirectory() as folder:
        made = Path(folder) / "requirements.txt"
        if start_from is not None and start_from.exists():
            shutil.copy(start_from, made)
        extras = [part for extra in EXTRAS for part in ("--extra", extra)]
        command = [*UV, "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
        options = ["--generate-hashes", "--no-header", "--no-annotate"]
        subprocess.run(
            [*command, *options, *extras, "pyproject.toml", "-o", str(made)],
            cwd=ROOT,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return _HEAD + made.read_text(encoding="utf-8")


def locked_here() -> dict[str, str]:
    """Return canonical name -> version of the locked packages that this platform installs."""
    found: dict[str, str] = {}
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if line[:1].isalnum():
            requirement = Requirement(line.rstrip("\\ "))
            if requirement.marker is None or requirement.marker.evaluate():
                [specifier] = requirement.specifier
                found[canonicalize_name(requirement.name)] = specifier.version
    return found
