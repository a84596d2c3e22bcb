"""SRC on the command line: a file, a folder or an address, and whom of it to answer for."""

import argparse
import os
import re
from dataclasses import dataclass
from pathlib import Path

from ivfhir.errors import SeveralPatientsError, UsageError
from ivfhir.repository import Repository
from ivfhir.servers.folder import FolderRepository

_URL = re.compile(r"https?://", re.IGNORECASE)
_PATIENT_URL = re.compile(r"(?P<base>https?://[^?#]+)/Patient/(?P<id>[A-Za-z0-9.\-_]+)/?")


@dataclass(frozen=True)
class Source:
    """What SRC names.

    Attributes:
        repository: where to read.
        patient_ids: whom to answer for; more than one only with `--all`.
        notes: what was left out, as sentences.
    """

    repository: Repository
    patient_ids: tuple[str, ...]
    notes: tuple[str, ...]


def open_source(arguments: argparse.Namespace) -> Source:
    """Return what `--patient`, `--id` and `--all` name.

    Raises:
        UsageError: an address without /Patient/ID, an id that the input does not hold.
        SeveralPatientsError: several patients, and none chosen.
        InputError: a file or folder cannot be read, or holds no Patient.
    """
    src: str = arguments.patient
    if _URL.match(src):
        return _server(src, one_chosen=arguments.id is not None or arguments.all)
    if not src:
        raise UsageError("--patient is empty; name a file, a folder or an address …/Patient/ID.")
    repository = FolderRepository(Path(src))
    ids = repository.patient_ids
    if arguments.id is not None:
        if arguments.id not in ids:
            raise UsageError(f"SRC holds no Patient with the id given by --id, among {len(ids)}.")
        ids = (arguments.id,)
    elif len(ids) > 1 and not arguments.all:
        raise SeveralPatientsError(
            f"SRC holds {len(ids)} patients; choose one with --id ID, or take every one with --all."
        )
    return Source(repository, ids, repository.notes)


def _server(url: str, *, one_chosen: bool) -> Source:
    from ivfhir.servers.http import HttpRepository  # noqa: PLC0415 - costs 0.1 s, files need it not

    match = _PATIENT_URL.fullmatch(url)
    if match is None or "@" in match["base"]:
        raise UsageError(
            "A server's address must end in /Patient/ID, such as https://host/fhir/Patient/123, "
            "without a query or a password; the token goes into IVFHIR_TOKEN."
        )
    if one_chosen:
        raise UsageError("An address …/Patient/ID names one patient; leave out --id and --all.")
    token = os.environ.get("IVFHIR_TOKEN", "").strip() or None
    return Source(HttpRepository(match["base"], token=token), (match["id"],), ())
