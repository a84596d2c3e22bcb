"""A file or a folder as a read-only repository: one resource, Bundles of any type, NDJSON."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from ivfhir.errors import IncompleteError, InputError, NotFoundError, RejectedError
from ivfhir.fhir.bundles import BundleReader, Entry
from ivfhir.fhir.collection import Collection
from ivfhir.fhir.json import loads
from ivfhir.fhir.types import BUNDLE, PATIENT, Json, Resource

_SUFFIXES = {".json", ".ndjson"}
_TYPES_SHOWN = 5
_GIVE = (
    "give the Patient with its data: a Bundle, an NDJSON file, a folder of them, "
    "or a server's address ending in /Patient/ID."
)


class FolderRepository:
    """The patients of a file, or of all `*.json` and `*.ndjson` files below a folder.

    Attributes:
        notes: what was left out, as sentences.
    """

    def __init__(self, path: Path) -> None:
        """Read everything.

        Raises:
            InputError: something cannot be read, is not FHIR, or there is no Patient.
        """
        reading = _Reading()
        entries = list(reading.folder(path) if path.is_dir() else reading.file(path))
        self._collection = Collection(entries)
        self._gaps = reading.bundles.missing()
        self.notes = (*reading.notes(), *self._collection.notes)
        if not self._collection.patients:
            raise InputError(_no_patient(path, entries))

    @property
    def patient_ids(self) -> tuple[str, ...]:
        """Return the ids of the patients, in the order of the input."""
        return tuple(self._collection.patients)

    def read(self, resource_type: str, resource_id: str) -> Resource:
        """Return the Patient; other types are reached by `search`.

        Raises:
            NotFoundError: there is none of that id.
            InputError: the input contradicts itself about this patient.
        """
        if resource_type != PATIENT:
            raise NotFoundError("A folder is read by patient: search instead.", status=404)
        return self._collection.patient(resource_id)

    def search(self, resource_type: str, params: Mapping[str, str]) -> list[Resource]:
        """Return what belongs to the patient of the parameter `patient`.

        Raises:
            RejectedError: the parameter `patient` is missing.
            IncompleteError: the input says itself that it does not hold every match.
        """
        if "patient" not in params:
            raise RejectedError("A folder is searched by `patient`; name one.", status=400)
        found = self._collection.resources(
            params["patient"].removeprefix(f"{PATIENT}/"), resource_type
        )
        for gap in self._gaps:
            if gap.resource_type in {None, resource_type}:
                raise IncompleteError(gap.reason)
        unnamed = self._collection.unnamed[resource_type]
        if unnamed and len(self.patient_ids) == 1:
            raise IncompleteError(
                f"the input holds {unnamed} that name no patient and may be this one's; "
                "add the subject."
            )
        return found

    def transact(self, bundle: Resource) -> Resource:
        """Refuse: a folder is only read."""
        raise RejectedError("A folder is only read; write to a FHIR server.", status=405)

    def operation(self, path: str, parameters: Resource) -> Resource:
        """Refuse: a folder has no operations."""
        raise RejectedError("A folder has no operations; ask a FHIR server.", status=405)

    def capabilities(self) -> Resource:
        """Refuse: a folder has no CapabilityStatement."""
        raise RejectedError("A folder has no CapabilityStatement.", status=405)


def read_entries(path: Path, *, give: str) -> tuple[list[Entry], tuple[str, ...]]:
    """Return every resource of a file or folder with where it stood, and notes on what is missing.

    Args:
        path: the file or folder.
        give: what was to be given, for the message: "give …".

    Raises:
        InputError: something cannot be read or is not FHIR.
    """
    reading = _Reading(give)
    entries = list(reading.folder(path) if path.is_dir() else reading.file(path))
    return entries, (*reading.notes(), *(gap.reason for gap in reading.bundles.missing()))


@dataclass
class _Reading:
    """One pass over the files."""

    give: str = _GIVE
    bundles: BundleReader = field(default_factory=BundleReader)
    not_fhir: dict[str, int] = field(default_factory=dict)

    def folder(self, path: Path) -> Iterator[Entry]:
        """Yield every resource below the folder, file by file in the order of their names."""
        files = json_files(path)
        if not files:
            raise InputError(f"{path} holds no *.json or *.ndjson file; {self.give}")
        for file in files:
            name = os.fsencode(file.relative_to(path)).decode("utf-8", "replace")
            for place, document in _documents(read_text(file, name, self.give), name):
                if _holds_no_resource(document):
                    self.not_fhir[name] = self.not_fhir.get(name, 0) + 1
                    continue
                yield from self._resources(document, place)

    def file(self, path: Path) -> Iterator[Entry]:
        """Yield the resources of one file; a line without a resourceType is left out."""
        documents = list(_documents(read_text(path, path.name, self.give), path.name))
        for place, document in documents:
            if len(documents) > 1 and _holds_no_resource(document):
                self.not_fhir[path.name] = self.not_fhir.get(path.name, 0) + 1
                continue
            yield from self._resources(document, place)

    def notes(self) -> tuple[str, ...]:
        """Return a sentence for each file that holds other JSON than FHIR."""
        return tuple(
            f"Left out, because they have no resourceType: {count} in {name}."
            for name, count in self.not_fhir.items()
        )

    def _resources(self, document: Json, place: str) -> Iterator[Entry]:
        if not isinstance(document, dict) or not isinstance(document.get("resourceType"), str):
            raise InputError(
                f"{place} is JSON, but no FHIR resource (no resourceType); {self.give}"
            )
        if document["resourceType"] == BUNDLE:
            yield from self.bundles.entries(document, place=place)
        else:
            yield Entry(document)


def json_files(folder: Path) -> list[Path]:
    """Return all `*.json` and `*.ndjson` below a folder, in order.

    Raises:
        InputError: a folder cannot be read.
    """

    def refuse(error: OSError) -> NoReturn:
        raise InputError(f"{error.filename} cannot be read ({error.strerror}); mend that first.")

    return sorted(
        Path(parent, name)
        for parent, _, names in os.walk(folder, onerror=refuse)
        for name in names
        if Path(name).suffix.lower() in _SUFFIXES
    )


def read_text(path: Path, name: str, give: str) -> str:
    """Return the text of a file.

    Args:
        path: of the file.
        name: what it is called in a message.
        give: what to give instead, where it does not exist.

    Raises:
        InputError: it does not exist, cannot be read or is not UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; {give}") from None
    except OSError as error:
        raise InputError(f"{name} cannot be read ({error.strerror}); mend that first.") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not UTF-8 (byte {error.start}); FHIR JSON always is: export it again."
        ) from None


def _documents(text: str, name: str) -> Iterator[tuple[str, Json]]:
    """Yield the JSON document of a file, or one a line when the file is NDJSON, with its place."""
    try:
        whole = loads(text, place=name)
    except InputError:
        lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
        if not _is_ndjson([line for _, line in lines]):
            if name.endswith(".ndjson") and not lines:
                return
            raise
        for number, line in lines:
            place = f"{name}, line {number}"
            yield place, loads(line, place=place)
    else:
        yield name, whole


def _is_ndjson(lines: list[str]) -> bool:
    first = lines[0].strip() if lines else ""
    return len(lines) > 1 and first.startswith("{") and first.endswith("}")


def _holds_no_resource(document: Json) -> bool:
    """Return whether it is some other JSON; a list of resources is not: it is FHIR gone wrong."""
    if isinstance(document, list):
        return not any(isinstance(item, dict) and "resourceType" in item for item in document)
    return not (isinstance(document, dict) and "resourceType" in document)


def _no_patient(path: Path, entries: list[Entry]) -> str:
    types = sorted({str(entry.resource["resourceType"]) for entry in entries})
    more = "…" if len(types) > _TYPES_SHOWN else ""
    held = f"holds {', '.join(types[:_TYPES_SHOWN])}{more}" if types else "is empty"
    return f"{path.name} {held}, but no Patient; {_GIVE}"
