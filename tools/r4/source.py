"""The specification's own definitions and HL7's terminology, from npm, kept in `.cache/`."""

import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Package:
    """A package of the npm registry.

    Attributes:
        name: as npm knows it.
        version: the one that we read.
        sha256: of the file as npm packs it: another file is not what we read.
    """

    name: str
    version: str
    sha256: str


R4 = Package(
    "hl7.fhir.r4.examples",
    "4.0.1",
    "dce87f1b5b9341867033f7d1f544fa1b5232503f6d62813887ac6b8a8b6cb682",
)
TERMINOLOGY = Package(
    "hl7.terminology.r4",
    "7.0.1",
    "170c546f761fb51b3355788ca500206f6b772b21c57348c29205de85a6612baa",
)
MCODE = Package(
    "hl7.fhir.us.mcode",
    "4.0.0",
    "6bdb93934e2c0a859198e8c1c21eccb28915c73535d18c75c515c03bba9c45de",
)
CACHE = Path(__file__).parents[2] / ".cache" / "npm"
CODE_SYSTEM_BUNDLES = frozenset({"Bundle-v2-tables.json", "Bundle-v3-codesystems.json"})


def missing_npm(*packages: Package) -> str | None:
    """Return None when npm, or all packages (R4), are here, else a sentence how to install it."""
    asked = packages or (R4,)
    if all(archive_path(each).is_file() for each in asked) or shutil.which("npm"):
        return None
    return f"needs npm for {', '.join(each.name for each in asked)}: apt-get install -y npm"


def archive_path(package: Package = R4) -> Path:
    """Return where a package lies once it was fetched."""
    return CACHE / f"{package.name}-{package.version}.tgz"


def fetch(package: Package = R4) -> Path:
    """Return a package, fetched with npm where it is not in the cache.

    Raises:
        RuntimeError: npm failed, or gave another file; the message says which.
    """
    path = archive_path(package)
    if not path.is_file():
        CACHE.mkdir(parents=True, exist_ok=True)
        named = f"{package.name}@{package.version}"
        run = subprocess.run(
            ["npm", "pack", "--silent", named],
            cwd=CACHE,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode or not path.is_file():
            raise RuntimeError(f"npm could not fetch {named}: {run.stderr[-500:]}")
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != package.sha256:
        raise RuntimeError(f"{path.name} has the SHA-256 {found}, not {package.sha256}: remove it")
    return path


def read_bundle(archive: Path, name: str) -> list[dict[str, Any]]:
    """Return the resources of a Bundle of the package, such as `Bundle-types.json`."""
    with tarfile.open(archive) as package:
        file = package.extractfile(f"package/{name}")
        if file is None:
            raise RuntimeError(f"{archive.name} holds no {name}")
        bundle = json.load(file)
    return [entry["resource"] for entry in bundle["entry"]]


def read_code_systems(archive: Path) -> Iterator[dict[str, Any]]:
    """Yield the code systems of a package, those of its Bundles among them."""
    for name, text in read_files(archive, "package/"):
        if name in CODE_SYSTEM_BUNDLES:
            yield from (entry["resource"] for entry in json.loads(text)["entry"])
        elif name.startswith("CodeSystem-"):
            yield json.loads(text)


def read_files(archive: Path, folder: str) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of the JSON files that lie directly in a folder of a package."""
    with tarfile.open(archive) as package:
        for member in package:
            name = member.name.removeprefix(folder)
            wanted = member.name.startswith(folder) and "/" not in name and name.endswith(".json")
            file = package.extractfile(member) if wanted else None
            if file is not None:
                yield name, file.read()
