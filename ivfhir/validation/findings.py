"""Files and folders validated: what was found in each resource, with lines and columns."""

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from ivfhir.errors import InputError, IvfhirError, ServerError
from ivfhir.fhir.json import loads
from ivfhir.fhir.types import Json
from ivfhir.servers.folder import json_files, read_text
from ivfhir.validation.issue import Issue
from ivfhir.validation.position import lines_of, positions_of
from ivfhir.validation.side_by_side import IVFHIR, SERVER, Said, side_by_side
from ivfhir.validation.validate import validate_resource

MAX_BYTES = 64 * 2**20
GIVE = "give a resource, a Bundle, NDJSON, or a folder of them."
UNREADABLE = "unreadable"
"""The rule of what is no FHIR JSON at all."""
NO_RESOURCE = "no-resource"
"""The rule of a folder's file that is JSON of another kind, and was left out."""


Check = Callable[[Json], list[Issue]]
"""What says what is wrong with parsed JSON."""


class Other(Protocol):
    """Somebody else who is asked about each resource, such as a server.

    `ahead` resources are read and asked about before the first answer is waited for.
    """

    ahead: int

    def ask(self, raw: Json) -> Callable[[], list[Issue] | None]:
        """Begin to ask; return what waits for the answer, which is None where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """An issue with its place in the file.

    Attributes:
        issue: what is wrong.
        line: in the file, the first is 1; None where nothing could be read.
        column: the same.
        source: the line of the file, cut to what is near; None where nothing could be read.
        by: who says so, IVFHIR or SERVER.
        also: the same in the server's words, where both say so.
    """

    issue: Issue
    line: int | None = None
    column: int | None = None
    source: str | None = None
    by: str = IVFHIR
    also: Issue | None = None

    def as_json(self) -> dict[str, Any]:
        """Return it as `ivfhir validate --format json` says it."""
        issue = self.issue
        told = {
            "severity": issue.severity,
            "code": issue.code,
            "expression": issue.expression,
            "line": self.line,
            "column": self.column,
            "text": issue.text,
            "rule": issue.rule,
            "by": self.by,
            "also": None if self.also is None else _also(self.also),
        }
        return {name: value for name, value in told.items() if value is not None}


def _also(issue: Issue) -> dict[str, str]:
    return {
        "severity": issue.severity,
        "code": issue.code,
        "expression": issue.expression,
        "text": issue.text,
        "rule": issue.rule,
        "by": SERVER,
    }


@dataclass(frozen=True, slots=True)
class Finding:
    """A resource that was validated, or a file that could not be read.

    Attributes:
        file: as it was named.
        line: of the resource in NDJSON, None elsewhere.
        resource: type and id; empty where nothing could be read.
        found: what is wrong; where a server was asked what both say, what only ivfhir says, then
            what only the server says.
        answered: whether a server said what it thinks; None where none was asked.
        failure: why nothing could be read.
    """

    file: str
    line: int | None
    resource: str
    found: Sequence[Found] = field(default_factory=tuple)
    answered: bool | None = None
    failure: IvfhirError | None = None

    @property
    def is_read(self) -> bool:
        """Whether there was FHIR JSON to be read; what was left out is none."""
        return all(each.issue.rule not in (UNREADABLE, NO_RESOURCE) for each in self.found)

    def count(self, severity: str) -> int:
        """Return how many issues of a severity there are."""
        return sum(each.issue.severity == severity for each in self.found)

    def as_json(self) -> dict[str, Any]:
        """Return it as `ivfhir validate --format json` says it."""
        told = {
            "file": self.file,
            "line": self.line,
            "resource": self.resource or None,
            "answered": self.answered,
        }
        named = {name: value for name, value in told.items() if value is not None}
        return named | {"issues": [each.as_json() for each in self.found]}


Begun = Callable[[], Finding]
"""Waits for what somebody else says of a resource, and returns what was found in it."""


def _no_address(url: str) -> str:
    raise InputError(f"{url} is an address, and nobody reads one here; {GIVE}")


@dataclass(frozen=True, slots=True)
class _How:
    """What `validate_paths` is given beside the paths."""

    check: Check
    other: Other | None
    fetch: Callable[[str], str]


def validate_paths(
    paths: Sequence[Path | str],
    check: Check = validate_resource,
    *,
    other: Other | None = None,
    fetch: Callable[[str], str] = _no_address,
) -> Iterator[Finding]:
    """Yield what was found, file by file, also of those that are right.

    Args:
        paths: files and folders; a text is the address of a resource on a server.
        check: says what is wrong with a resource.
        other: who else is asked about each resource.
        fetch: returns the JSON text at an address.
    """
    begun: deque[Begun] = deque()
    for each in _begin_paths(paths, _How(check, other, fetch)):
        begun.append(each)
        if other is None or len(begun) > other.ahead:
            yield begun.popleft()()
    while begun:
        yield begun.popleft()()


def _begin_paths(paths: Sequence[Path | str], how: _How) -> Iterator[Begun]:
    for path in paths:
        if isinstance(path, str):
            try:
                yield _begin_text(path, None, how.fetch(path), how)
            except (InputError, ServerError) as error:
                yield _done(_unread(path, None, error))
            continue
        try:
            files = json_files(path) if path.is_dir() else [path]
            if not files:
                raise InputError(f"{path} holds no *.json or *.ndjson file; {GIVE}")
        except InputError as error:
            yield _done(_unread(str(path), None, error))
            continue
        for file in files:
            yield from _begin_file(file, how, in_folder=path.is_dir())


def _done(finding: Finding) -> Begun:
    return lambda: finding


def _left_out(name: str) -> Finding:
    text = "is no FHIR resource (it has no resourceType) and was left out."
    issue = Issue("information", "informational", "", f"{name} {text}", NO_RESOURCE, ())
    return Finding(name, None, "", (Found(issue),))


def _begin_file(file: Path, how: _How, *, in_folder: bool) -> Iterator[Begun]:
    """Yield the resources of a file.

    In a folder a file whose one JSON object has no resourceType is none of FHIR's and left out.
    """
    name = os.fsencode(file).decode("utf-8", "replace")
    try:
        if file.is_file() and file.stat().st_size > MAX_BYTES:
            raise InputError(f"{name} is larger than {MAX_BYTES // 2**20} MB; give less of it.")
        text = read_text(file, name, GIVE)
    except InputError as error:
        yield _done(_unread(name, None, error))
        return
    lines = _lines_of(file, text)
    if lines is None:
        yield _begin_text(name, None, text, how, in_folder=in_folder)
        return
    for number, line in lines:
        yield _begin_text(name, number, line, how)


def _lines_of(file: Path, text: str) -> list[tuple[int, str]] | None:
    """Return the lines of NDJSON with their numbers; None where the file is one document."""
    if file.suffix.lower() != ".ndjson":
        return None
    return [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _begin_text(
    name: str, line: int | None, text: str, how: _How, *, in_folder: bool = False
) -> Begun:
    place = name if line is None else f"{name}, line {line}"
    try:
        raw = loads(text, place=place)
    except InputError as error:
        return _done(_unread(name, line, error))
    if in_folder and isinstance(raw, dict) and "resourceType" not in raw:
        return _done(_left_out(name))
    answer = None if how.other is None else how.other.ask(raw)
    ours = how.check(raw)

    def finish() -> Finding:
        theirs = None if answer is None else answer()
        said = [Said(each) for each in ours] if theirs is None else side_by_side(ours, theirs, raw)
        positions = positions_of(text, {each.issue.pointer for each in said}) if said else {}
        rows = lines_of(text, {row for row, _ in positions.values()})
        found = [_placed(each, positions[each.issue.pointer], rows, line) for each in said]
        found.sort(key=lambda each: (_column(each), each.line or 0, each.column or 0))
        answered = None if answer is None else theirs is not None
        return Finding(name, line, _named(raw), found, answered)

    return finish


def _column(found: Found) -> int:
    """Return where an issue stands: what both say, what only we say, what only the server says."""
    if found.also is not None:
        return 0
    return 1 if found.by == IVFHIR else 2


def _placed(said: Said, position: tuple[int, int], rows: dict[int, str], line: int | None) -> Found:
    row, column = position
    return Found(said.issue, row + (line or 1) - 1, column, rows[row], said.by, said.also)


def _named(raw: Json) -> str:
    if not isinstance(raw, dict):
        return ""
    parts = (raw.get("resourceType"), raw.get("id"))
    return "/".join(str(part)[:100] for part in parts if isinstance(part, str))


def _unread(name: str, line: int | None, error: IvfhirError) -> Finding:
    issue = Issue("error", error.code, "", error.message, UNREADABLE, ())
    return Finding(name, line, "", (Found(issue),), failure=error)
