"""A resource beside R4's definitions: everything that is wrong with it."""

from collections.abc import Sequence
from functools import cache, partial

from ivfhir.fhir.r4 import is_resource
from ivfhir.fhir.targets import Targets
from ivfhir.fhir.types import STRUCTURE_DEFINITIONS, Json
from ivfhir.validation.alike import Alike
from ivfhir.validation.alike_entries import key_of_entry
from ivfhir.validation.checks import Input, checks_of, held_by
from ivfhir.validation.issue import Issue
from ivfhir.validation.profile.ask import ProfilesAsked
from ivfhir.validation.profile.library import Profiles, own_profiles
from ivfhir.validation.structure import MAX_ISSUES, Slot, Structure, Visited

SEVERITIES = ("error", "warning", "information")
TOO_MANY = "too-many"
OPEN = "binding-required"
"""What is no error of this rule was not asked whole: the codes of the value set are not known."""

_ALIKE = Alike()


def validate_resource(
    raw: Json, profiles: Profiles | None = None, asked: Sequence[str] = ()
) -> list[Issue]:
    """Return what is wrong with a resource: shape, types, formats, codes, references, R4's rules.

    Args:
        raw: parsed JSON; nothing of it is changed.
        profiles: those that it is checked for where it claims them; None for R4's own.
        asked: canonicals of profiles that it is checked for though it does not claim them.

    Returns:
        Issues as they are met, those of the shape first. A rule is not asked of an element whose
        own value is of another kind than its type. Of more than MAX_ISSUES the errors are kept
        before the warnings, and a last issue says that the rest is not shown.
    """
    claimed = ProfilesAsked(raw, profiles or own_profiles(), asked)
    return _shown(_found(raw, claimed, _ALIKE if profiles is None else Alike()))


def _found(raw: Json, claimed: ProfilesAsked | None, right: Alike) -> list[Issue]:
    """Return what is wrong with a resource; no profile is asked where there are none.

    Args:
        raw: parsed JSON.
        claimed: the profiles that are asked.
        right: elements that were found right where the same profiles are known.
    """
    broken = _Kept()
    targets = Targets(raw)
    known = Input(targets, claimed)

    def visit(visited: Visited) -> bool:
        if broken.is_full:
            return False
        told, noted = False, claimed.noted if claimed is not None else 0
        for check in checks_of(visited.slot, *held_by(visited)):
            if found := check(visited, known):
                broken.extend(found)
                told = True
        return not told and (claimed is None or claimed.noted == noted)

    structure = Structure(
        visit,
        passes=_is_asked_nothing,
        right=right,
        key_of_entry=partial(key_of_entry, targets=targets),
    )
    structure.resource(raw)
    found = [*structure.issues, *broken.issues]
    return found if claimed is None else [*found, *claimed.issues(found, targets)]


@cache
def _is_asked_nothing(slot: Slot) -> bool:
    """Return whether a primitive without id and extensions is asked nothing but its form."""
    return not checks_of(slot, has_id=False, has_extensions=False)


class _Kept:
    """The issues that may be shown: of each severity one more than MAX_ISSUES, and no more.

    A resource of many megabytes has as many issues as elements; they are not held all at once.
    """

    def __init__(self) -> None:
        self.issues: list[Issue] = []
        self._left = dict.fromkeys(SEVERITIES, MAX_ISSUES + 1)

    @property
    def is_full(self) -> bool:
        """Whether there are so many errors that nothing else would be shown."""
        return not self._left["error"]

    def extend(self, issues: list[Issue]) -> None:
        """Keep what may be shown."""
        for each in issues:
            if self._left[each.severity]:
                self._left[each.severity] -= 1
                self.issues.append(each)


def conforms(raw: Json, profile: str) -> bool | None:
    """Return whether a resource is what R4 says of one of its types, whatever profiles it claims.

    Args:
        raw: parsed JSON of a resource of the type, or of an element of another kind.
        profile: canonical.

    Returns:
        None for a profile of any other kind, what is no resource, and where a rule could not be
        asked or a required value set is not known.
    """
    name = profile.removeprefix(STRUCTURE_DEFINITIONS)
    if name == profile or not is_resource(name):
        return None
    if not isinstance(raw, dict) or "resourceType" not in raw:
        return None
    issues = _found(raw, None, Alike())
    if any(each.severity == "error" for each in issues):
        return False
    open_ = any(each.code == "not-supported" or each.rule == OPEN for each in issues)
    return None if open_ else True


def _shown(issues: list[Issue]) -> list[Issue]:
    if len(issues) <= MAX_ISSUES:
        return issues
    most = sorted(issues, key=lambda each: SEVERITIES.index(each.severity))[:MAX_ISSUES]
    text = f"More than {MAX_ISSUES} issues were found; the rest is not shown, errors come first."
    return [*most, Issue("information", "informational", "", text, TOO_MANY, ())]
