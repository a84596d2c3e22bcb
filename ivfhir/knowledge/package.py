"""The files of one protocol: its folder first, then what protocols share.

A canonical names its file: `…/ActivityDefinition/LUNG-A03|0.2.0` stands in
`ActivityDefinition-LUNG-A03.json`.
"""

import json
import os
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

from ivfhir.errors import KnowledgeError
from ivfhir.fhir.types import Resource

SHARED = "shared"
"""The folder beside the protocols' folders that holds what two or more use."""

REGIMENS = "regimens"
"""The folder beside them that holds the regimens, a PlanDefinition each."""

ROUTE = "route"
"""The folder of the rule of the route, which rests on several protocols."""

NO_PROTOCOLS = frozenset({SHARED, REGIMENS, ROUTE})
"""Folders beside the protocols' that hold none."""

ROOT_VARIABLE = "IVFHIR_PLAN_DEFINITIONS"
"""The environment variable that names another folder of protocols."""


def knowledge_root() -> Path:
    """Return the folder of the protocols: the one that the environment names, else ours.

    Raises:
        KnowledgeError: the environment names what is no folder.
    """
    named = os.environ.get(ROOT_VARIABLE)
    if not named:
        return _our_root()
    root = Path(named)
    if not root.is_dir():
        raise KnowledgeError(
            f"{ROOT_VARIABLE} names {named}, which is no folder; name the folder that holds a "
            "folder a protocol, or leave it out for ours."
        )
    return root.resolve()


def shared_folder() -> Path:
    """Return what protocols share: beside the protocols where it is there, else ours."""
    beside = knowledge_root() / SHARED
    return beside if beside.is_dir() else our_shared_folder()


def our_shared_folder() -> Path:
    """Return what the protocols that come with us share."""
    return _our_root() / SHARED


def regimens_folder() -> Path:
    """Return the regimens: beside the protocols where they are there, else ours."""
    beside = knowledge_root() / REGIMENS
    return beside if beside.is_dir() else _our_root() / REGIMENS


def _our_root() -> Path:
    """Return our folder of protocols: inside the wheel, else the source tree's."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "_plan_definitions"
    return installed if installed.is_dir() else package.parent / "plan_definitions"


class ProtocolPackage:
    """Reads artefacts by canonical from a protocol's folder and from the shared ones.

    Args:
        folder: the protocol's folder. A `shared` folder beside it is asked next, then ours, then
            the protocols beside it: one may rest on others.
        read: returns the JSON object of a file; `read_json` by default.
    """

    def __init__(self, folder: Path, *, read: Callable[[Path], Resource] | None = None) -> None:
        """Keep the folders in the order in which they are asked."""
        self.folder = folder
        self._read = read or read_json
        shared = [folder.parent / SHARED, shared_folder()]
        self._folders = [folder, *dict.fromkeys(path.resolve() for path in shared)]
        self._beside = [path for path in sorted(folder.parent.glob("*/")) if path != folder]

    def resolve(self, resource_type: str, canonical: str) -> Resource:
        """Return the resource with that url, and that version where the canonical gives one.

        Raises:
            KnowledgeError: no folder holds it, or the file holds another url or version.
        """
        url, _, version = canonical.partition("|")
        path = self._find(f"{resource_type}-{url.rpartition('/')[2]}.json")
        if path is None:
            raise KnowledgeError(
                f"{resource_type} {canonical} is not in {self._places()}; add its file."
            )
        resource = self._read(path)
        found = (resource.get("url"), resource.get("version"))
        if found[0] != url or version not in ("", found[1]):
            raise KnowledgeError(
                f"{path.name} holds {found[0]}|{found[1]}, but {canonical} is asked for; "
                "make url and version agree."
            )
        return resource

    def elm(self, library: str) -> list[dict[str, Any]]:
        """Return the ELM of a CQL library and of all it includes, each once.

        Args:
            library: canonical of the FHIR Library; its last part is the CQL library's name.

        Raises:
            KnowledgeError: an ELM file is missing or of another version.
        """
        url, _, version = library.partition("|")
        pending = [(url.rpartition("/")[2], version)]
        found: dict[tuple[str, str], dict[str, Any]] = {}
        while pending:
            key = pending.pop()
            if key not in found:
                found[key] = document = self._elm_file(*key)
                includes = document["library"].get("includes", {}).get("def", [])
                pending += [(each["path"], each.get("version", "")) for each in includes]
        return list(found.values())

    def _elm_file(self, name: str, version: str) -> dict[str, Any]:
        path = self._find(f"cql/{name}.json") or self._find(f"cql/{name}-{version}.json")
        if path is None:
            raise KnowledgeError(
                f"No ELM of library {name} {version} in {self._places()}; "
                "translate the CQL (`make knowledge`)."
            )
        document = self._read(path)
        try:
            identifier = document["library"]["identifier"]
        except KeyError:
            raise KnowledgeError(f"{path} is not ELM; translate the CQL again.") from None
        if version not in ("", identifier.get("version", "")):
            raise KnowledgeError(
                f"{path.name} is version {identifier.get('version')} of library {name}, "
                f"but {version} is asked for; make the versions agree."
            )
        return document

    def _find(self, name: str) -> Path | None:
        folders = (*self._folders, *self._beside)
        return next((at / name for at in folders if (at / name).is_file()), None)

    def _places(self) -> str:
        return " or ".join(str(folder) for folder in self._folders)


def read_json(path: Path) -> Resource:
    """Return the JSON object of a knowledge file, decimals as Decimal.

    Raises:
        KnowledgeError: it cannot be read or is not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    except (OSError, ValueError) as error:
        raise KnowledgeError(f"{path} cannot be read: {error}; restore the file.") from error
    if not isinstance(content, dict):
        raise KnowledgeError(f"{path} is not a JSON object; restore the file.")
    return content
