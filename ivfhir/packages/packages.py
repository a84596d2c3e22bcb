"""Several packages: a canonical is looked up in each, in the order in which they were given."""

from collections.abc import Sequence
from dataclasses import dataclass

from ivfhir.fhir.types import Resource
from ivfhir.packages.package import Package

CORE = "hl7.fhir.r4.core"
"""R4 itself: its types, value sets and rules are here without a package."""


@dataclass(frozen=True, slots=True)
class Found:
    """A definition and where it is from.

    Attributes:
        resource: the definition.
        package: that has it; None for R4 itself.
        others: labels of packages that define the same canonical in another version; the first
            package that was given counts.
    """

    resource: Resource
    package: Package | None = None
    others: tuple[str, ...] = ()

    @property
    def origin(self) -> str:
        """Where it is from, as people say it."""
        return "R4" if self.package is None else self.package.label


class Packages:
    """Definitions of packages by their canonical.

    Attributes:
        packages: in the order in which they are asked.
    """

    def __init__(self, packages: Sequence[Package] = ()) -> None:
        """Keep them."""
        self.packages = tuple(packages)

    def find(self, type_name: str, canonical: str) -> Found | None:
        """Return a definition; None where no package has it, in that version where one is named.

        Raises:
            InputError: a file is no JSON.
        """
        url, _, version = canonical.partition("|")
        found = [
            (each, package) for package in self.packages for each in package.defined(type_name, url)
        ]
        fitting = [row for row in found if not version or row[0].get("version") == version]
        if not fitting:
            return None
        resource, package = fitting[0]
        own = resource.get("version")
        labels = (other.label for each, other in fitting if each.get("version") != own)
        return Found(resource, package, tuple(dict.fromkeys(labels)))

    def versions(self, type_name: str, canonical: str) -> list[str]:
        """Return the versions in which a canonical is there; `(none)` for one that has none."""
        url = canonical.partition("|")[0]
        rows = [each for package in self.packages for each in package.defined(type_name, url)]
        return list(dict.fromkeys(str(each.get("version", "(none)")) for each in rows))

    @property
    def missing(self) -> list[str]:
        """Packages, with version, that one of these depends on and that were not given."""
        given = {each.name for each in self.packages} | {CORE}
        wanted = {
            name: version
            for package in self.packages
            for name, version in package.dependencies.items()
            if name not in given
        }
        return [f"{name} {version}" for name, version in wanted.items()]
