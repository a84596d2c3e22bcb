"""The codes of value sets of packages and of R4.

http://hl7.org/fhir/R4/valueset.html#compositions
"""

from typing import Any

from ivfhir.fhir.expansions import members_of
from ivfhir.fhir.r4.code_systems import code_system_of
from ivfhir.fhir.r4.value_sets import codes_of
from ivfhir.fhir.types import Json, Resource
from ivfhir.packages.code_systems import codes_of_system, filtered
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

    def codes(self, canonical: str) -> Codes | None:
        """Return the codes of a value set; None where there is no such value set.

        What is not known of it is open: codes of a system that is not here whole, filters that
        cannot be asked, value sets that are missing or include themselves.

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
            return Codes(fixed)
        found = self._packages.find("ValueSet", canonical)
        if found is None:
            return None
        if isinstance(found.resource.get("expansion"), dict):
            members = members_of(found.resource)
            if members is not None:
                return _by_system(members)
        return self._composed(found.resource.get("compose"), importing)

    def _composed(self, compose: Json, importing: tuple[str, ...]) -> Codes:
        if not isinstance(compose, dict) or not compose.get("include"):
            return NOT_KNOWN
        found = Codes()
        for each in _objects(compose["include"]):
            found = found | self._included(each, importing)
        for each in _objects(compose.get("exclude")):
            found = found - self._included(each, importing)
        return found

    def _included(self, include: dict[str, Any], importing: tuple[str, ...]) -> Codes:
        """Return what is in a system's part and in each value set that an include names."""
        named = _texts(include.get("valueSet"))
        parts = [self._codes(each, importing) or NOT_KNOWN for each in named]
        if isinstance(include.get("system"), str):
            parts.append(self._of_system(include["system"], include))
        if not parts:
            return NOT_KNOWN
        found = parts[0]
        for each in parts[1:]:
            found = found & each
        return found

    def _of_system(self, system: str, include: dict[str, Any]) -> Codes:
        codes = [each.get("code") for each in _objects(include.get("concept"))]
        if codes:
            return listed(system, (each for each in codes if isinstance(each, str)))
        version = include.get("version")
        named = f"{system}|{version}" if isinstance(version, str) else system
        found = self._packages.find("CodeSystem", named)
        filters = _objects(include.get("filter"))
        if found is None:
            own = None if filters or "|" in named else code_system_of(system)
            return listed(system, own.codes) if own else Codes(open_systems=frozenset({system}))
        known = filtered(found.resource, filters) if filters else codes_of_system(found.resource)
        if known is None:
            return Codes(open_systems=frozenset({system}))
        return listed(system, known)


def _by_system(members: frozenset[tuple[str | None, str]]) -> Codes:
    systems: dict[str, set[str]] = {}
    for system, code in members:
        systems.setdefault(system or "", set()).add(code)
    return Codes({system: frozenset(codes) for system, codes in systems.items()})


def _objects(value: Json) -> list[Resource]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _texts(value: Json) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else []
