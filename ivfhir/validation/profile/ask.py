"""Which profiles are asked: those that a resource claims, those asked for, those of extensions."""

from collections.abc import Sequence
from typing import Any

from ivfhir.errors import InputError
from ivfhir.fhir.r4 import lineage_of
from ivfhir.fhir.references import is_absolute
from ivfhir.fhir.targets import Targets
from ivfhir.fhir.types import BUNDLE, STRUCTURE_DEFINITIONS, Json
from ivfhir.validation.claims import claims_of, unchecked
from ivfhir.validation.issue import Issue, Place
from ivfhir.validation.profile.items import Item
from ivfhir.validation.profile.library import Profile, Profiles
from ivfhir.validation.profile.told import AGAIN, Told
from ivfhir.validation.profile.walk import Shared, Walk
from ivfhir.validation.structure import Visited

EXTENSION = "Extension"
TYPE = "profile-type"
HOLDERS = frozenset({BUNDLE, "Parameters"})
"""What is asked for is about what these hold, or about themselves."""


class ProfilesAsked:
    """Collects the elements of one input that have a profile, and asks it when all are known."""

    def __init__(self, raw: Json, profiles: Profiles, asked: Sequence[str]) -> None:
        """Note the input.

        Args:
            raw: parsed JSON.
            profiles: known ones.
            asked: canonicals of profiles that are known, asked of the input besides what it claims.
        """
        name = raw.get("resourceType") if isinstance(raw, dict) else None
        self._holder = name if isinstance(name, str) and name in HOLDERS else None
        self._profiles = profiles
        self._asked = [found for each in asked if (found := profiles.get(each)) is not None]
        self._fitting: set[Profile] = set()
        self._waiting: list[tuple[Visited, Profile]] = []
        self._broken: list[tuple[Place, str]] = []

    @property
    def noted(self) -> int:
        """How much was noted of the elements so far, to be asked later."""
        return len(self._waiting) + len(self._broken)

    def visit(self, visited: Visited) -> list[Issue]:
        """Note an element that has a profile; return what is not checked."""
        if visited.slot.type_name == EXTENSION:
            self._extension(visited)
            return []
        if visited.slot.owner is not None:
            return []
        issues = []
        profiles = dict.fromkeys(self._asked_of(visited))
        for index, claim in claims_of(visited):
            try:
                found = self._profiles.get(claim)
            except InputError as error:
                issues.append(unchecked(visited, index, claim, error.message))
                continue
            if found is not None:
                profiles[found] = None
            elif claim.partition("|")[0] != STRUCTURE_DEFINITIONS + visited.slot.type_name:
                issues.append(unchecked(visited, index, claim, self._why(claim)))
        self._waiting += [(visited, each) for each in profiles]
        return issues

    def knows(self, visited: Visited) -> bool:
        """Return whether an element is an extension that a package defines."""
        value: Any = visited.value
        if visited.slot.type_name != EXTENSION or not isinstance(value.get("url"), str):
            return False
        try:
            return self._profiles.get(value["url"]) is not None
        except InputError:
            return True

    def issues(self, before: Sequence[Issue], targets: Targets) -> list[Issue]:
        """Return what breaks the profiles.

        Args:
            before: what is wrong by R4 itself.
            targets: what references of the input name.
        """
        errors = [each for each in before if each.severity == "error"]
        again = frozenset((each.pointer, AGAIN.get(each.rule, each.rule)) for each in errors)
        shared = Shared(self._profiles, targets, again)
        told = Told(shared.told)
        for place, message in self._broken:
            told.note(place, message)
        found = [*self._asked_of_nothing(), *told.issues]
        for visited, profile in self._waiting:
            if profile.type_name == EXTENSION and (visited.place.pointer, TYPE) in again:
                continue  # R4 says what its value is, and it was told
            walk = Walk(shared, visited.resource, visited.root)
            item = Item(visited.value, visited.beside, visited.slot.type_name, visited.place)
            walk.ask(item, profile)
            found += walk.issues
        return found

    def _asked_of(self, visited: Visited) -> list[Profile]:
        """Return the profiles that were asked for and are for a resource.

        They are for the input, and for what a Bundle or Parameters hold. Where none is for the
        type of any other input, all are asked, and say so.
        """
        if not self._asked or visited.place.key not in ("", "resource"):
            return []
        lineage = lineage_of(visited.slot.type_name)
        fitting = [each for each in self._asked if each.type_name in lineage]
        self._fitting.update(fitting)
        top = visited.place.parent is None
        return self._asked if top and not fitting and self._holder is None else fitting

    def _asked_of_nothing(self) -> list[Issue]:
        """Return an issue for each profile that was asked for and fits nothing that is held."""
        holder = self._holder
        if holder is None:
            return []
        severity = "warning" if self._fitting else "error"
        left = [each for each in dict.fromkeys(self._asked) if each not in self._fitting]
        texts = (
            f"{holder} holds no {each.type_name}, which {each.label} is for, so it was asked of "
            "nothing; ask for a profile of what is in it."
            for each in left
        )
        return [Issue(severity, "not-found", holder, text, TYPE, ()) for text in texts]

    def _extension(self, visited: Visited) -> None:
        """Note the definition of an extension, or why it cannot be used."""
        value: Any = visited.value
        url = value.get("url")
        if not isinstance(url, str) or not is_absolute(url):
            return
        try:
            found = self._profiles.get(url)
        except InputError as error:
            self._broken.append((visited.place, error.message))
            return
        if found is not None and found.type_name == EXTENSION:
            self._waiting.append((visited, found))

    def _why(self, claim: str) -> str:
        versions = self._profiles.versions(claim)
        if versions:
            return f"it is here in version {', '.join(versions)} only"
        if not self._profiles.packages.packages:
            return "give its package by --package"
        return f"it is in no package that was given.{self._profiles.advice}".rstrip(".")
