"""The R4 specification's own definitions, from the npm registry, kept in `.cache/`."""

import hashlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

PACKAGE = "hl7.fhir.r4.examples"
VERSION = "4.0.1"
SHA256 = "dce87f1b5b9341867033f7d1f544fa1b5232503f6d62813887ac6b8a8b6cb682"
"""Of the package as npm packs it: another file is not the specification that we read."""
CACHE = Path(__file__).parents[2] / ".cache" / "npm"


def missing_npm() -> str | None:
    """Return None when npm, or the package itself, is here, else one sentence how to install it."""
    if archive_path().is_file() or shutil.which("npm"):
        return None
    return "needs npm for the R4 definitions: apt-get install -y npm"


def archive_path() -> Path:
    """Return where the package lies once it was fetched."""
    return CACHE / f"{PACKAGE}-{VERSION}.tgz"


def fetch() -> Path:
    """Return the package, fetched with npm where it is not in the cache.

    Raises:
        RuntimeError: npm failed, or gave another file; the message says which.
    """
    path = archive_path()
    if not path.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        run = subprocess.run(
            ["npm", "pack", "--silent", f"{PACKAGE}@{VERSION}"],
            cwd=CACHE,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode or not path.is_file():
            raise RuntimeError(f"npm could not fetch {PACKAGE}@{VERSION}: {run.stderr[-500:]}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != SHA256:
        raise RuntimeError(f"{path.name} has the SHA-256 {found}, not {SHA256}: remove it")
    return path


def read_bundle(archive: Path, name: str) -> list[dict[str, Any]]:
    """Return the resources of a Bundle of the package, such as `Bundle-types.json`."""
    with tarfile.open(archive) as package:
        file = package.extractfile(f"package/{name}")
        if file is None:
            raise RuntimeError(f"{archive.name} holds no {name}")
        bundle = json.load(file)
    return [entry["resource"] for entry in bundle["entry"]]
