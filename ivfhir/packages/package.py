"""A package: its name, version, what it depends on, and which file defines a canonical."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ivfhir.errors import InputError
from ivfhir.fhir.json import loads
from ivfhir.fhir.json_members import after_blank, members, text_at
from ivfhir.fhir.types import Resource
from ivfhir.packages.files import ArchiveFiles, Files, FolderFiles

MANIFEST = "package.json"
DEFINITIONS = frozenset({"StructureDefinition", "ValueSet", "CodeSystem"})
"""What is looked up by its canonical."""
R4 = "4.0"
MAX_DEFINITION = 32 * 2**20
"""Characters of one definition: read, it takes several times as much."""
KEPT = 64
"""So many definitions stay read; what is made of them is kept elsewhere."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package; its files are read when they are asked for.

    Attributes:
        name: such as `hl7.fhir.us.mcode`; of a folder without package.json the folder's.
        version: empty where it has none.
        dependencies: name -> version of the packages that it builds on.
        files: see there.
        canonicals: type and url -> names of the files that define it.
        parsed: what was read last.
    """

    name: str
    version: str
    dependencies: Mapping[str, str]
    files: Files
    canonicals: Mapping[tuple[str, str], tuple[str, ...]]
    parsed: dict[str, Resource] = field(default_factory=dict, repr=False)

    @property
    def label(self) -> str:
        """Name and version, as people say them."""
        return f"{self.name} {self.version}".strip()

    def defined(self, type_name: str, url: str) -> list[Resource]:
        """Return the definitions of a canonical, all their versions.

        Raises:
            InputError: a file is no JSON.
        """
        return [self._read(each) for each in self.canonicals.get((type_name, url), ())]

    def _read(self, name: str) -> Resource:
        if name not in self.parsed:
            if len(self.parsed) >= KEPT:
                del self.parsed[next(iter(self.parsed))]
            raw: Any = loads(self.files.read(name), place=f"{name} of {self.label}")
            self.parsed[name] = raw
        return self.parsed[name]


def open_package(path: Path) -> Package:
    """Return the package of a folder or .tgz.

    Raises:
        InputError: it is no package of FHIR R4, or one that is not to be trusted; says which.
    """
    canonicals: dict[tuple[str, str], list[str]] = {}

    def keep(name: str, text: str) -> bool:
        if name == MANIFEST:
            return True
        canonical = canonical_of(text, place=f"{name} of {path}")
        if canonical is not None and len(text) > MAX_DEFINITION:
            raise InputError(
                f"{name} of {path} is a definition of more than {MAX_DEFINITION // 2**20} MB; "
                "give a package without it."
            )
        if canonical is not None:
            canonicals.setdefault(canonical, []).append(name)
        return canonical is not None

    files: Files
    if path.is_dir():
        files = FolderFiles(path)
        for name in files.names:
            keep(name, files.read(name))
    elif path.is_file():
        files = ArchiveFiles(path, keep)
    else:
        raise InputError(f"{path} is not there; give the folder or .tgz of a FHIR package.")
    manifest = _manifest(files, path)
    if not canonicals:
        raise InputError(f"{path} holds no StructureDefinition, ValueSet or CodeSystem.")
    dependencies = manifest.get("dependencies")
    return Package(
        name=_said(manifest, "name") or path.name,
        version=_said(manifest, "version"),
        dependencies=dict(dependencies) if isinstance(dependencies, dict) else {},
        files=files,
        canonicals={key: tuple(names) for key, names in canonicals.items()},
    )


def canonical_of(text: str, *, place: str) -> tuple[str, str] | None:
    """Return type and url of a definition; None of all else. Not more of it is read than needed.

    Raises:
        InputError: it is no JSON, as far as it was read, or is cut off before it tells.
    """
    type_name = url = None
    try:
        for name, _, value in members(text, after_blank(text, 0)):
            if name == "resourceType":
                type_name = text_at(text, value)
                if type_name not in DEFINITIONS:
                    return None
            elif name == "url":
                url = text_at(text, value)
            if type_name is not None and url is not None:
                return type_name, url
    except (ValueError, IndexError):
        loads(text, place=place)  # says where
        raise InputError(f"{place} is no JSON; export the package again.") from None
    loads(text, place=place)  # what is cut off may seem to say neither
    return None


def _manifest(files: Files, path: Path) -> dict[str, Any]:
    """Return package.json, which a folder of definitions may lack."""
    if MANIFEST not in files.names:
        if path.is_dir():
            return {}
        raise InputError(f"{path} holds no package/{MANIFEST}, so it is no FHIR package.")
    manifest: Any = loads(files.read(MANIFEST), place=f"{MANIFEST} of {path}")
    if not isinstance(manifest, dict):
        raise InputError(f"{MANIFEST} of {path} is no JSON object, so it is no FHIR package.")
    versions = manifest.get("fhirVersions") or manifest.get("fhir-version-list") or []
    if isinstance(versions, list) and versions and not any(_is_r4(each) for each in versions):
        raise InputError(
            f"{path} is a package for FHIR {', '.join(map(str, versions[:4]))[:60]}; "
            "give the one for R4 (4.0.1)."
        )
    return manifest


def _is_r4(version: Any) -> bool:  # noqa: ANN401 - JSON of any kind
    return isinstance(version, str) and version.startswith(R4)


def _said(manifest: Mapping[str, Any], name: str) -> str:
    value = manifest.get(name)
    return value[:100] if isinstance(value, str) else ""
