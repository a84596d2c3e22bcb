"""The codes of value sets of packages and of R4.

http://hl7.org/fhir/R4/valueset.html#compositions
"""

from collections.abc import Iterable
from dataclasses import replace

from ivfhir.fhir.expansions import members_of
from ivfhir.fhir.r4.code_systems import code_system_of
from ivfhir.fhir.r4.value_sets import codes_of
from ivfhir.fhir.typed import rows_in, text_in, texts_in
from ivfhir.fhir.types import Json, Resource
from ivfhir.packages.code_systems import case_counts, codes_in
from ivfhir.packages.codes import NOT_KNOWN, Codes, listed
from ivfhir.packages.packages import Packages

R4_VERSION = "4.0.1"
MAX_IMPORTS = 40
"""Value sets that import one another in a row."""


class ValueSets:
    """Expands value sets when they are asked for, each once."""

    def __init__(self, packages: Packages) -> None:
        """Look them up in R4, then in packages."""
        self._packages = packages
        self._known: dict[str, Codes | None] = {}
        self._any_case: dict[str, bool] = {}

    def codes(self, canonical: str) -> Codes | None:
        """Return the codes of a value set; None where there is no such value set.

        What is not known of it is open: codes of a system that is not here whole, filters that
        cannot be asked, value sets that are missing or include themselves, what is malformed.

        Raises:
            InputError: a file of a package is no JSON.
        """
        return self._codes(canonical, ())

    def _codes(self, canonical: str, importing: tuple[str, ...]) -> Codes | None:
        """Return the codes of a value set that others, in a row, import."""
        if canonical in importing or len(importing) == MAX_IMPORTS:
            return NOT_KNOWN
        if canonical not in self._known:
            self._known[canonical] = self._expanded(canonical, (*importing, canonical))
        return self._known[canonical]

    def _expanded(self, canonical: str, importing: tuple[str, ...]) -> Codes | None:
        url, _, version = canonical.partition("|")
        fixed = codes_of(url) if version in ("", R4_VERSION) else None
        if fixed is not None:
            return self._cased(Codes(fixed))
        found = self._packages.find("ValueSet", canonical)
        if found is None:
            return None
        if isinstance(found.resource.get("expansion"), dict):
            members = members_of(found.resource)
            if members is not None:
                return self._cased(_by_system(members))
        return self._cased(self._composed(found.resource.get("compose"), importing))

    def _composed(self, compose: Json, importing: tuple[str, ...]) -> Codes:
        if not isinstance(compose, dict) or "include" not in compose:
            return NOT_KNOWN
        found = Codes()
        for each in rows_in(compose, "include"):
            found = found | self._included(each, importing)
        for each in rows_in(compose, "exclude"):
            found = found - self._included(each, importing)
        return found

    def _included(self, include: Resource, importing: tuple[str, ...]) -> Codes:
        """Return what is in a system's part and in each value set that an include names."""
        named = texts_in(include, "valueSet")
        parts = [self._codes(each, importing) or NOT_KNOWN for each in named]
        if "valueSet" in include and (not named or named != include["valueSet"]):
            parts.append(NOT_KNOWN)
        if not OF_SYSTEM.isdisjoint(include):
            parts.append(self._of_system(include))
        if not parts:
            return NOT_KNOWN
        found = parts[0]
        for each in parts[1:]:
            found = found & each
        return found

    def _of_system(self, include: Resource) -> Codes:
        system, version = text_in(include, "system"), text_in(include, "version")
        if system is None or (version is None and "version" in include):
            return NOT_KNOWN
        named = system if version is None else f"{system}|{version}"
        filters, concepts = rows_in(include, "filter"), rows_in(include, "concept")
        if concepts:
            codes = {text_in(each, "code") for each in concepts}
            more = frozenset({system}) if None in codes else frozenset[str]()
            return Codes({system: self._as_defined(system, codes)}, {}, more)
        found = self._packages.find("CodeSystem", named)
        if found is not None:
            return codes_in(found.resource, system, filters)
        own = None if filters or "|" in named else code_system_of(system)
        return listed(system, own.codes) if own else Codes(open_systems=frozenset({system}))

    def _as_defined(self, system: str, codes: Iterable[str | None]) -> frozenset[str]:
        """Return codes in the case in which their system has them, where case does not count."""
        written = frozenset(each for each in codes if each is not None)
        if not self._is_any_case(system):
            return written
        known = self._of_system({"system": system}).listed.get(system, ())
        defined = {each.lower(): each for each in known}
        return frozenset(defined.get(each.lower(), each) for each in written)

    def _cased(self, codes: Codes) -> Codes:
        """Return codes with the systems in which case does not count."""
        systems = {*codes.listed, *codes.unsure}
        return replace(codes, any_case=frozenset(e for e in systems if self._is_any_case(e)))

    def _is_any_case(self, system: str) -> bool:
        if system not in self._any_case:
            found, own = self._packages.find("CodeSystem", system), code_system_of(system)
            counts = case_counts(found.resource) if found else own is None or own.case_counts
            self._any_case[system] = not counts
        return self._any_case[system]


OF_SYSTEM = frozenset({"system", "concept", "filter"})
"""Members of an include that are about a code system."""


def _by_system(members: frozenset[tuple[str | None, str]]) -> Codes:
    systems: dict[str, set[str]] = {}
    for system, code in members:
        systems.setdefault(system or "", set()).add(code)
    return Codes({system: frozenset(codes) for system, codes in systems.items()})
