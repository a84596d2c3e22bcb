"""What is told of a profile: each thing once, whichever of several profiles asks for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ivfhir.validation.issue import Issue, Place, Pointer
from ivfhir.validation.structure import MAX_ISSUES

RULE = "profile"
"""The rule of what was not checked."""
AGAIN = {
    "cardinality": "profile-sorting",
    "ext-1": "profile-cardinality",
    "extension-inside": "profile-type",
    "extension-value": "profile-type",
    "reference-target": "profile-target",
}
"""Rules of R4, and those by which a profile would tell the same fault again, if they are others."""
ToldKey = tuple[Pointer, str, str, str, str]
"""Place, rule, severity, what was said, and what is expected."""
SORTING = "profile-sorting"
"""Of an item that lacks what R4 asks for it cannot be told which slice it is of."""


@dataclass(frozen=True, slots=True)
class Wrong:
    """What breaks a profile.

    Attributes:
        place: where.
        text: what is wrong, without the place.
        expected: what the profile says, after its name.
        rule: the id.
        code: http://hl7.org/fhir/R4/valueset-issue-type.html
        severity: error, warning or information.
    """

    place: Place
    text: str
    expected: str
    rule: str
    code: str = "structure"
    severity: str = "error"


@dataclass(slots=True)
class Told:
    """What was told.

    Attributes:
        keys: of all that was told of an input.
        by_r4: place and rule of what would tell again what R4 told.
        judges: only whether there is an error matters.
        unsure: whether something could not be checked.
        issues: of one resource and profile.
        label: title and version of the profile that is being asked.
    """

    keys: set[ToldKey]
    by_r4: frozenset[tuple[Pointer, str]] = frozenset()
    judges: bool = False
    unsure: bool = False
    issues: list[Issue] = field(default_factory=list)
    label: str = ""

    @property
    def is_full(self) -> bool:
        """Whether more would not be shown."""
        return len(self.issues) > (0 if self.judges else MAX_ISSUES)

    def tell(self, wrong: Wrong) -> None:
        """Tell what is wrong, and what the profile expects."""
        tail = f"; {self.label} {wrong.expected}." if wrong.expected else f" ({self.label})."
        said = f"{wrong.place.expression} {wrong.text}{tail}"
        self._add(said, wrong)

    def note(self, place: Place, text: str, severity: str = "information") -> None:
        """Tell what is to be known of a profile; a whole sentence."""
        self._add(text, Wrong(place, text, "", RULE, "informational", severity))

    def unchecked(self, place: Place, text: str, severity: str = "information") -> None:
        """Tell what could not be checked; a whole sentence."""
        self.unsure = True
        self.note(place, text, severity)

    def unknown(self, place: Place, urls: Iterable[str], advice: str) -> None:
        """Tell that profiles are asked for that nobody has; each once for an input."""
        self.unsure = True
        new = {url: ((), RULE, "information", url, "") for url in urls}
        new = {url: key for url, key in new.items() if key not in self.keys}
        if new:
            self.keys.update(new.values())
            self.note(
                place,
                f"{place.expression} is not checked for {listed([*new])}, which {self.label} asks "
                f"for: {'these are' if len(new) > 1 else 'it is'} in no package that was given."
                f"{advice}",
            )

    def _add(self, said: str, wrong: Wrong) -> None:
        if self.judges and wrong.severity != "error":
            return
        place, rule, severity = wrong.place, wrong.rule, wrong.severity
        key = (place.pointer, rule, severity, wrong.text, wrong.expected)
        if key in self.keys or key[:2] in self.by_r4 or self.is_full:
            return
        self.keys.add(key)
        self.issues.append(Issue(severity, wrong.code, place.expression, said, rule, place.pointer))


def listed(names: Sequence[str]) -> str:
    """Return names as people list choices."""
    return f"{', '.join(names[:-1])} or {names[-1]}" if len(names) > 1 else names[0]


def short_names(urls: Iterable[str]) -> str:
    """Return the last parts of canonicals, as people list choices."""
    return listed([url.partition("|")[0].rpartition("/")[2] for url in urls])
