"""The sample patients: read from `patients/`, dates moved to today, loaded into a server."""

import re
from collections.abc import Collection, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from ivfhir.fhir.json import loads
from ivfhir.fhir.types import Resource
from ivfhir.repository import Repository

FOLDER = Path(__file__).parent / "patients"
WRITTEN_FOR = date(2025, 3, 3)
"""The day that the invented patients' dates were written for."""

LOAD_TIMEOUT_S = 300.0
"""Seconds that a server may take for one patient: one that just started is slow at its first."""

SUMMARIES = {
    "halloran": "Lung cancer, every requirement met",
    "lindqvist": "Lung cancer, no INR",
    "duarte": "Lung cancer, platelets 45",
    "nowak": "Bowel cancer",
    "ferris": "Lung cancer, died",
    "sato": "Lung cancer, with an active plan",
    "okafor": "Liver cancer, both modes fit",
    "brandt": "Liver cancer, main portal vein closed",
    "moreau": "Liver cancer, failing liver",
    "castellano": "Liver metastases of a removed bowel cancer",
    "haddad": "Breast cancer, spread to four organs",
    "ivanova": "Cancer of the pancreas",
    "tran": "Stomach cancer, platelets 84",
    "silva": "Oesophageal cancer, swallows liquids only",
    "petrov": "Oesophageal cancer, before surgery",
}

_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(T.*)?")
_KEPT = "birthDate"


def sample_bundles(today: date, names: Collection[str] = ()) -> Iterator[Resource]:
    """Give the transaction Bundle of each sample patient, in the order of the list.

    Args:
        today: the day that the invented patients' 3 March 2025 becomes. Published files keep their
            dates.
        names: of the invented patients that are wanted; none for every sample.
    """
    published = () if names else sorted(FOLDER.glob("synthea-*.json"))
    invented = [next(FOLDER.glob(f"{name}-*.json")) for name in names or SUMMARIES]
    for path in [*invented, *published]:
        bundle: Any = loads(path.read_text(encoding="utf-8"), place=path.name)
        yield bundle if path.name.startswith("synthea-") else _moved(bundle, today - WRITTEN_FOR)


def load_samples(repository: Repository, today: date, names: Collection[str] = ()) -> int:
    """Load the sample patients into a FHIR server and return how many there are.

    Args:
        repository: the server; it should wait `LOAD_TIMEOUT_S` for an answer.
        today: as for `sample_bundles`.
        names: as for `sample_bundles`.

    Raises:
        ServerError: the server does not take one of them.
    """
    bundles = list(sample_bundles(today, names))
    for bundle in bundles:
        repository.transact(bundle)
    return len(bundles)


def _moved(value: Any, distance: timedelta) -> Any:  # noqa: ANN401 - any JSON, as it came
    """Return a JSON value with every date in it moved by whole days; times of day stay."""
    if isinstance(value, dict):
        return {
            name: item if name == _KEPT else _moved(item, distance) for name, item in value.items()
        }
    if isinstance(value, list):
        return [_moved(item, distance) for item in value]
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        return value
    return (date.fromisoformat(match[1]) + distance).isoformat() + (match[2] or "")
