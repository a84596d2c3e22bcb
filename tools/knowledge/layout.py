"""Where things stand in the project, and what every built resource has in common."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ivfhir.fhir.json import dumps

PROJECT = Path(__file__).resolve().parents[2]
CANONICAL_BASE = "https://ivfhir.example/fhir"
VERSION = "0.2.0"
# The day this state of the knowledge was written: a constant, so that same sources give same bytes.
RELEASE_DATE = "2026-11-28"
HELPERS = "FHIRHelpers"


@dataclass(frozen=True)
class Layout:
    """The folders that the build reads and writes.

    Args:
        knowledge: plan_definitions/, with a folder a protocol and shared/.
        terminology: the folder of value-sets.csv and value-set-titles.csv.
    """

    knowledge: Path = PROJECT / "plan_definitions"
    terminology: Path = PROJECT / "tools" / "terminology"

    @property
    def shared(self) -> Path:
        """The folder for what two or more protocols use."""
        return self.knowledge / "shared"

    @property
    def lock(self) -> Path:
        """The record of the CQL that each ELM was made from."""
        return self.knowledge / "elm.sha256"

    @property
    def regimens(self) -> Path:
        """The folder of the regimens, a file each."""
        return self.knowledge / "regimens"

    def cql_folders(self) -> list[Path]:
        """Return the folders that hold CQL, shared/ first, then by name."""
        found = {path.parent for path in self.knowledge.glob("*/cql/*.cql")}
        return sorted(found, key=lambda folder: (folder.parent != self.shared, folder))

    def cql_files(self) -> list[Path]:
        """Return every CQL file, in the order of their folders, then by name."""
        return [path for folder in self.cql_folders() for path in sorted(folder.glob("*.cql"))]


def elm_of(cql: Path) -> Path:
    """Return the ELM file that stands beside a CQL file."""
    return cql.with_suffix(".json")


def to_bytes(resource: dict[str, Any]) -> bytes:
    """Return the one way in which the build writes a resource: decimals digit by digit."""
    return (dumps(resource, indent=2) + "\n").encode()
