"""Our issues and a server's beside each other: what both say once, then what one alone says."""

import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
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
    pile, pairs = _Pile(left, {each.name for each in known}), dict[int, _Placed]()
    for agreeing in (_same, _near, _unnamed):
        for number, own in enumerate(known):
            found = None if number in pairs else pile.taken(agreeing(own))
            if found is not None:
                pairs[number] = found
    taken = {id(each) for each in pairs.values()}
    left = [each for each in left if id(each) not in taken]
    more: dict[int, list[_Placed]] = {number: [pairs[number]] for number in pairs}
    by_own = {(known[n].at, known[n].is_error): n for n in pairs if known[n].at}
    for each in left:
        own_number = by_own.get((each.at, each.is_error))
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

    @property
    def is_error(self) -> bool:
        """Whether it weighs as an error."""
        return self.issue.severity == "error"

    @property
    def name(self) -> str:
        """The name of the element that is meant, the missing one too; '' of the resource itself."""
        missing = _MISSING.search(self.issue.text) if self.issue.rule == "cardinality" else None
        if missing is not None:
            return missing[1]
        return next((each for each in reversed(self.at) if isinstance(each, str)), "")


_Key = tuple[Pointer, bool, str | None, str]
"""Place, whether it is an error, kind (None: any), and a name that the sentence has (empty: any).

One finds what agrees by it, and need not look at all that a server says.
"""


class _Pile:
    """What a server says, each taken once, the first first."""

    def __init__(self, theirs: Sequence[_Placed], names: Collection[str]) -> None:
        """Sort it by the names of elements that its sentences hold."""
        self._theirs = theirs
        self._taken = set[int]()
        self._by_key: dict[_Key, deque[int]] = {}
        odd = {
            each: re.compile(rf"(?<!\w){re.escape(each)}(?!\w)")
            for each in names
            if each and not _WORD.fullmatch(each)
        }
        for number, each in enumerate(theirs):
            text = each.issue.text
            held = set(_WORD.findall(text)).intersection(names)
            held |= {name for name, pattern in odd.items() if name in text and pattern.search(text)}
            for kind in (each.kind, None):
                for name in ("", *held):
                    key = (each.at, each.is_error, kind, name)
                    self._by_key.setdefault(key, deque()).append(number)

    def taken(self, keys: Iterable[_Key]) -> _Placed | None:
        """Take the first that one of some keys finds, None where there is none left."""
        first = min((n for each in keys if (n := self._first(each)) is not None), default=None)
        if first is None:
            return None
        self._taken.add(first)
        return self._theirs[first]

    def _first(self, key: _Key) -> int | None:
        found = self._by_key.get(key, deque())
        while found and found[0] in self._taken:
            found.popleft()
        return found[0] if found else None


def _same(ours: _Placed) -> Iterator[_Key]:
    """Yield how to find one at the same place of the same kind; of an object several are wrong."""
    if ours.kind:
        yield ours.at, ours.is_error, ours.kind, ours.name if ours.kind == _SHAPE else ""


def _near(ours: _Placed) -> Iterator[_Key]:
    """Yield how to find one at what holds the element, that names it."""
    way = ours.at
    while way and isinstance(way[-1], int):
        way = way[:-1]
    if way:
        for kind in (ours.kind, "") if ours.kind else (None,):
            yield way[:-1], ours.is_error, kind, ours.name


def _unnamed(ours: _Placed) -> Iterator[_Key]:
    """Yield how to find one at the same place, where one of both is of no known kind."""
    if ours.at:
        yield ours.at, ours.is_error, "" if ours.kind else None, ""


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
_WORD = re.compile(r"\w+")
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
