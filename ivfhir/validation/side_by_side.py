"""Our issues and a server's beside each other: what both say once, then what one alone says."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from ivfhir.fhir.types import Json
from ivfhir.validation.issue import Issue, Pointer
from ivfhir.validation.location import settled

IVFHIR, SERVER = "ivfhir", "server"
EMPTY = "ele-1"
"""The rule that an element has a value: broken, too, wherever the value is none of its type."""


@dataclass(frozen=True, slots=True)
class Said:
    """An issue and who says it.

    Attributes:
        issue: in the words of `by`.
        by: IVFHIR or SERVER.
        also: the same in the server's words, where both say it.
    """

    issue: Issue
    by: str = IVFHIR
    also: Issue | None = None


def side_by_side(ours: Sequence[Issue], theirs: Sequence[Issue], raw: Json) -> list[Said]:
    """Return what both say, then what only we say, then what only the server says.

    Two issues are one where both are errors or neither is, where they stand at one place and are
    of one kind. A server may put a fault of an element at what holds it, and name it in words. Of
    an issue whose kind is not known the place alone decides. What else the server says of the same
    kind at that place has the same cause, and is told with it.

    Args:
        ours: from `validate_resource`.
        theirs: from `outcomes.issues_of`.
        raw: the resource.
    """
    known = [_Placed(each, settled(each.pointer, raw), _kind_of_ours(each)) for each in ours]
    left = [_Placed(each, settled(each.pointer, raw), _kind_of_theirs(each)) for each in theirs]
    pairs: dict[int, _Placed] = {}
    for agree in (_same, _near, _unnamed):
        by_place: dict[Pointer, list[_Placed]] = {}
        for each in left:
            by_place.setdefault(each.at, []).append(each)
        for number, own in enumerate(known):
            if number in pairs:
                continue
            for place in own.around() if agree is _near else (own.at,):
                some = by_place.get(place, [])
                found = next((each for each in some if agree(own, each)), None)
                if found is not None:
                    some.remove(found)
                    pairs[number] = found
                    break
        taken = {id(each) for each in pairs.values()}
        left = [each for each in left if id(each) not in taken]
    more: dict[int, list[_Placed]] = {number: [pairs[number]] for number in pairs}
    by_own = {(known[n].at, known[n].issue.severity == "error"): n for n in pairs if known[n].at}
    for each in left:
        own_number = by_own.get((each.at, each.issue.severity == "error"))
        if own_number is not None and each.kind in ("", EMPTY, known[own_number].kind):
            more[own_number].append(each)
    told = {id(each) for some in more.values() for each in some}
    left = [each for each in left if id(each) not in told]
    both = [Said(known[n].issue, also=_as_one(more[n])) for n in sorted(pairs)]
    only_ours = [Said(each.issue) for n, each in enumerate(known) if n not in pairs]
    return [*both, *only_ours, *(Said(each.issue, SERVER) for each in left)]


def _as_one(some: list["_Placed"]) -> Issue:
    """Return a server's issues of one cause as the first, with the words of all."""
    text = " / ".join(dict.fromkeys(each.issue.text for each in some))
    return replace(some[0].issue, text=text)


@dataclass(frozen=True, slots=True)
class _Placed:
    """An issue, its settled place and its kind; '' is a kind that is not known."""

    issue: Issue
    at: Pointer
    kind: str

    def around(self) -> Iterator[Pointer]:
        """Yield the places of what holds the element, the nearest first."""
        way = self.at
        while way and isinstance(way[-1], int):
            way = way[:-1]
        if way:
            yield way[:-1]

    @property
    def name(self) -> str:
        """The name of the element that is meant, the missing one too; '' of the resource itself."""
        missing = _MISSING.search(self.issue.text) if self.issue.rule == "cardinality" else None
        if missing is not None:
            return missing[1]
        return next((each for each in reversed(self.at) if isinstance(each, str)), "")


def _weighs_the_same(ours: _Placed, theirs: _Placed) -> bool:
    return (ours.issue.severity == "error") == (theirs.issue.severity == "error")


def _same(ours: _Placed, theirs: _Placed) -> bool:
    if not _weighs_the_same(ours, theirs) or not ours.kind or ours.kind != theirs.kind:
        return False
    return ours.kind != _SHAPE or _names(theirs, ours.name)


def _near(ours: _Placed, theirs: _Placed) -> bool:
    kinds = not theirs.kind or not ours.kind or ours.kind == theirs.kind
    return _weighs_the_same(ours, theirs) and kinds and _names(theirs, ours.name)


def _names(theirs: _Placed, name: str) -> bool:
    """Tell whether a server's sentence names an element; several of an object may be wrong."""
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", theirs.issue.text) is not None


def _unnamed(ours: _Placed, theirs: _Placed) -> bool:
    return _weighs_the_same(ours, theirs) and bool(ours.at) and not (ours.kind and theirs.kind)


_SHAPE, _VALUE, _CODE, _EXTENSION, _REFERENCE = "shape", "value", "code", "extension", "reference"
_OURS: tuple[tuple[str, str], ...] = (
    ("type-", _VALUE),
    ("binding-", _CODE),
    ("code-system", _CODE),
    ("extension-", _EXTENSION),
    ("reference-", _REFERENCE),
    ("unknown-element", _SHAPE),
    ("json-shape", _SHAPE),
    ("sibling", _SHAPE),
    ("choice", _SHAPE),
    ("cardinality", _SHAPE),
    ("resource-type", _SHAPE),
)
"""How our rules begin, and of which kind they are."""
_MISSING = re.compile(r" has no (\w+)")
_KEY = re.compile(r"[a-z]{2,4}-\d{1,3}[a-z]?")
"""The id of a rule of R4."""
_RULE = re.compile(rf"(?:[Cc]onstraint|[Ii]nvariant|[Rr]ule)\W+(?:failed\W+)?({_KEY.pattern})\b")
_IDS: tuple[tuple[str, str], ...] = (
    ("Terminology_", _CODE),
    ("TX_", _CODE),
    ("Extension_", _EXTENSION),
    ("Reference_", _REFERENCE),
    ("Type_Specific_Checks_", _VALUE),
    ("Validation_VAL_Profile_Min", _SHAPE),
    ("Validation_VAL_Profile_Max", _SHAPE),
    ("Validation_VAL_Content", _SHAPE),
)
"""How ids of HL7's own validator begin (messages.properties of org.hl7.fhir.core)."""
_TEXTS: tuple[tuple[str, str], ...] = (
    ("Unrecognized property", _SHAPE),
    ("must be an Array", _SHAPE),
    ("must be a JSON Array", _SHAPE),
    ("the primitive value must be", _VALUE),
)
"""What the same validator says without an id, of JSON that it cannot read."""
_CODES = {
    "code-invalid": _CODE,
    "extension": _EXTENSION,
    "required": _SHAPE,
    "structure": _SHAPE,
    "value": _VALUE,
}
"""Kinds of http://hl7.org/fhir/R4/valueset-issue-type.html that say enough."""


def _kind_of_ours(issue: Issue) -> str:
    if issue.code == "invariant":
        return issue.rule
    return next((kind for start, kind in _OURS if issue.rule.startswith(start)), "")


def _kind_of_theirs(issue: Issue) -> str:
    if _KEY.fullmatch(issue.rule):
        return issue.rule
    named = _RULE.search(issue.text)
    if named is not None:
        return named[1]
    by_id = next((kind for start, kind in _IDS if issue.rule.startswith(start)), None)
    by_text = next((kind for words, kind in _TEXTS if words in issue.text), None)
    return by_id or by_text or _CODES.get(issue.code, "")
