"""The bill of materials of a deployment, as CycloneDX JSON."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from tools.supply.lock import LOCK, ROOT, UV

GENERATOR = "cyclonedx-bom==7.5.0"


def write_sbom(path: Path) -> dict[str, Any]:
    """Install the lock as a deployment does, and write what is then there.

    Args:
        path: where the CycloneDX 1.6 JSON goes; its folder is made.

    Returns:
        The bill of materials: our wheel is its subject, the locked packages its components.

    Raises:
        CalledProcessError: a hash does not fit, or the registry cannot be reached.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        python = Path(folder) / "venv" / "bin" / "python"
        _run("venv", str(python.parents[1]))
        install = ["pip", "install", "--python", str(python)]
        _run(*install, "--require-hashes", "-r", str(LOCK))
        _run(*install, "--no-deps", str(ROOT))
        _run(
            *("tool", "run", "--from", GENERATOR, "cyclonedx-py", "environment"),
            *("--pyproject", str(ROOT / "pyproject.toml"), "--mc-type", "application"),
            *("--output-reproducible", "--spec-version", "1.6", "--output-format", "JSON"),
            *("--output-file", str(path), str(python)),
        )
    made: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return made


def licences(component: dict[str, Any]) -> list[str]:
    """Return the licences that a component declares: SPDX ids, expressions or names."""
    found = []
    for entry in component.get("licenses", ()):
        licence = entry.get("license", {})
        found.append(entry.get("expression") or licence.get("id") or licence.get("name", ""))
    return found


def _run(*arguments: str) -> None:
    subprocess.run([*UV, "--quiet", *arguments], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
