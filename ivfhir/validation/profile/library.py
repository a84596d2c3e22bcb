"""Profiles of packages by their canonical, each compiled when it is first asked for."""

from dataclasses import dataclass
from functools import cache

from ivfhir.errors import InputError
from ivfhir.expressions.fhirpath.run import Members
from ivfhir.fhir.r4 import definition_of, lineage_of
from ivfhir.fhir.r4.profiles import profile_of
from ivfhir.fhir.types import STRUCTURE_DEFINITIONS, Resource
from ivfhir.packages import Found, Packages
from ivfhir.packages.codes import Codes
from ivfhir.packages.value_sets import ValueSets
from ivfhir.validation.profile.checks import Check, Compiler
from ivfhir.validation.profile.elements import ElementSaid, read_elements
from ivfhir.validation.profile.overlay import overlaid

KIND = "StructureDefinition"
MAX_BASES = 40
"""Profiles that stand on one another, each with a differential alone."""


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A profile, compiled.

    Attributes:
        url: canonical, without version.
        label: title and version, for messages.
        type_name: of R4, that it is about.
        check: what it asks.
        notes: sentences about the definition itself: what could not be used, what was chosen.
    """

    url: str
    label: str
    type_name: str
    check: Check
    notes: tuple[str, ...] = ()


class Profiles:
    """The profiles of packages.

    Attributes:
        packages: where definitions are looked up.
    """

    def __init__(self, packages: Packages | None = None) -> None:
        """Compile nothing yet."""
        self.packages = packages or Packages()
        self._value_sets = ValueSets(self.packages)
        self._compiled: dict[str, Profile | InputError] = {}
        self._types: dict[str, str | None] = {}
        self._trees: dict[str, ElementSaid | None] = {}
        self._members: dict[str, Members | None] = {}

    def get(self, canonical: str) -> Profile | None:
        """Return a profile; None where no package has it, in that version where one is named.

        Raises:
            InputError: its definition cannot be used, or is its own base; says why.
        """
        found = self._compiled.get(canonical)
        if found is None:
            try:
                found = self._compile(canonical)
            except InputError as error:
                found = error
            if found is not None:  # anybody may claim what nobody has
                self._compiled[canonical] = found
        if isinstance(found, InputError):
            raise InputError(found.message)
        return found

    def codes(self, value_set: str) -> Codes | None:
        """Return the codes of a value set, None where nobody has it."""
        return self._value_sets.codes(value_set)

    def members(self, value_set: str) -> Members | None:
        """Return system and code of all that is in a value set; None where not all is known."""
        if value_set not in self._members:
            codes = self.codes(value_set)
            self._members[value_set] = (
                {(system, code) for system, each in codes.listed.items() for code in each}
                if codes is not None and codes.is_whole
                else None
            )
        return self._members[value_set]

    def versions(self, canonical: str) -> list[str]:
        """Return the versions in which a profile is there, whichever is named."""
        return self.packages.versions(KIND, canonical)

    def type_of(self, canonical: str) -> str | None:
        """Return the R4 type that a profile, or type, of a canonical is; None where not known."""
        if canonical not in self._types:
            self._types[canonical] = r4_type(canonical) or self._type_said(canonical)
        return self._types[canonical]

    def _type_said(self, canonical: str) -> str | None:
        found = self._find(canonical)
        said = found.resource.get("type") if found is not None else None
        return said if isinstance(said, str) and definition_of(said) is not None else None

    def tree(self, canonical: str) -> ElementSaid | None:
        """Return what a profile says, with its bases; None where it is not known.

        Raises:
            InputError: see `get`.
        """
        return self._tree(canonical, ())

    def _tree(self, canonical: str, below: tuple[str, ...]) -> ElementSaid | None:
        if canonical not in self._trees:
            found = self._find(canonical)
            self._trees[canonical] = None if found is None else self._said(found, below)
        return self._trees[canonical]

    def _tree_of_other(self, canonical: str) -> ElementSaid | None:
        """Return what a profile that another names says; what is wrong with it is told there."""
        try:
            return self.tree(canonical)
        except InputError:
            return None

    def _find(self, canonical: str) -> Found | None:
        """Return a definition of a package, else of R4 itself."""
        found = self.packages.find(KIND, canonical)
        own = profile_of(canonical) if found is None else None
        return found if own is None else Found(own)

    def _compile(self, canonical: str) -> Profile | None:
        found = self._find(canonical)
        tree = None if found is None else self.tree(canonical)
        if found is None or tree is None:
            return None
        type_name = _type_of(found)
        compiler = Compiler(tree, type_name, self._tree_of_other, self.type_of)
        label = label_of(found.resource)
        return Profile(
            url=canonical.partition("|")[0],
            label=label,
            type_name=type_name,
            check=compiler.compiled(),
            notes=self._notes(found, label),
        )

    def _said(self, found: Found, below: tuple[str, ...]) -> ElementSaid:
        """Return what a definition says: its snapshot, or its differential on its base.

        Args:
            found: the definition.
            below: canonicals of the profiles that have it as their base, so far.
        """
        resource, type_name = found.resource, _type_of(found)
        url = str(resource.get("url"))
        if url in below:
            raise InputError(
                f"The profile {below[0]} is its own base: "
                f"{' → '.join([*below, url])}; mend baseDefinition."
            )
        if len(below) > MAX_BASES:
            raise InputError(
                f"The profile {below[0]} stands on more than {MAX_BASES} others without a "
                "snapshot; give the package with snapshots."
            )
        snapshot = _elements_of(resource, "snapshot")
        if snapshot:
            return read_elements(snapshot, type_name)
        own = read_elements(_elements_of(resource, "differential"), type_name)
        base = str(resource.get("baseDefinition", ""))
        if r4_type(base) is not None:
            return own
        parent = self._tree(base, (*below, url))
        if parent is None:
            raise InputError(
                f"The profile {url} has no snapshot, and its base {base or '(none)'} is in no "
                f"package that was given.{self.advice} Give the package of the base, or a package "
                "with snapshots."
            )
        return overlaid(parent, own)

    def _notes(self, found: Found, label: str) -> tuple[str, ...]:
        if not found.others:
            return ()
        others = ", ".join(found.others)
        return (
            f"{label} is that of {found.origin}, which was given first; another version "
            f"is in {others}.",
        )

    @property
    def advice(self) -> str:
        """Which packages are missing, as a sentence with a blank before it; empty if none is."""
        missing = self.packages.missing
        if not missing:
            return ""
        return f" Packages that others depend on are missing: {', '.join(missing)}."


@cache
def own_profiles() -> Profiles:
    """Return R4's own profiles, without any package; compiled once for all."""
    return Profiles()


def label_of(resource: Resource) -> str:
    """Return title and version of a definition, for messages."""
    title = resource.get("title") or resource.get("name") or resource.get("url")
    return f"{str(title)[:80]} {str(resource.get('version', ''))[:40]}".strip()


def r4_type(canonical: str) -> str | None:
    """Return the name of an R4 type by its canonical, None for any other."""
    url = canonical.partition("|")[0]
    name = url.removeprefix(STRUCTURE_DEFINITIONS)
    is_type = name != url and "." not in name and bool(lineage_of(name))
    return name if is_type else None


def _elements_of(resource: Resource, name: str) -> list[Resource]:
    part = resource.get(name)
    rows = part.get("element") if isinstance(part, dict) else None
    return [each for each in rows if isinstance(each, dict)] if isinstance(rows, list) else []


def _type_of(found: Found) -> str:
    said = found.resource.get("type")
    name = said.removeprefix(STRUCTURE_DEFINITIONS) if isinstance(said, str) else ""
    if definition_of(name) is None:
        raise InputError(
            f"The definition {found.resource.get('url')} of {found.origin} is of the type "
            f"'{name[:60]}', which FHIR R4 does not have; it is no profile of R4."
        )
    return name
