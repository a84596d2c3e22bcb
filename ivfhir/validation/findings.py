"""Files and folders validated: what was found in each resource, with lines and columns."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ivfhir.errors import InputError
from ivfhir.fhir.json import loads
from ivfhir.fhir.types import Json
from ivfhir.servers.folder import json_files, read_text
from ivfhir.validation.issue import Issue
from ivfhir.validation.position import lines_of, positions_of
from ivfhir.validation.validate import validate_resource

MAX_BYTES = 64 * 2**20
GIVE = "give a resource, a Bundle, NDJSON, or a folder of them."
UNREADABLE = "unreadable"
"""The rule of what is no FHIR JSON at all."""
NO_RESOURCE = "no-resource"
"""The rule of a folder's file that is JSON of another kind, and was left out."""
BY = "ivfhir"


@dataclass(frozen=True, slots=True)
class Found:
    """An issue with its place in the file.

    Attributes:
        issue: what is wrong.
        line: in the file, the first is 1; None where nothing could be read.
        column: the same.
        source: the line of the file, cut to what is near; None where nothing could be read.
    """

    issue: Issue
    line: int | None = None
    column: int | None = None
    source: str | None = None

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
            "by": BY,
        }
        return {name: value for name, value in told.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Finding:
    """A resource that was validated, or a file that could not be read.

    Attributes:
        file: as it was named.
        line: of the resource in NDJSON, None elsewhere.
        resource: type and id; empty where nothing could be read.
        found: what is wrong.
    """

    file: str
    line: int | None
    resource: str
    found: Sequence[Found] = field(default_factory=tuple)

    @property
    def is_read(self) -> bool:
        """Whether there was FHIR JSON to be read; what was left out is none."""
        return all(each.issue.rule not in (UNREADABLE, NO_RESOURCE) for each in self.found)

    def count(self, severity: str) -> int:
        """Return how many issues of a severity there are."""
        return sum(each.issue.severity == severity for each in self.found)

    def as_json(self) -> dict[str, Any]:
        """Return it as `ivfhir validate --format json` says it."""
        told = {"file": self.file, "line": self.line, "resource": self.resource or None}
        named = {name: value for name, value in told.items() if value is not None}
        return named | {"issues": [each.as_json() for each in self.found]}


def validate_paths(paths: Sequence[Path]) -> Iterator[Finding]:
    """Yield what was found, file by file, also of those that are right."""
    for path in paths:
        try:
            files = json_files(path) if path.is_dir() else [path]
            if not files:
                raise InputError(f"{path} holds no *.json or *.ndjson file; {GIVE}")
        except InputError as error:
            yield _unread(str(path), None, error)
            continue
        for file in files:
            yield from _validate_file(file, in_folder=path.is_dir())


def _left_out(name: str) -> Finding:
    text = "is no FHIR resource (it has no resourceType) and was left out."
    issue = Issue("information", "informational", "", f"{name} {text}", NO_RESOURCE, ())
    return Finding(name, None, "", (Found(issue),))


def _validate_file(file: Path, *, in_folder: bool) -> Iterator[Finding]:
    """Yield what was found in a file.

    In a folder a file whose one JSON object has no resourceType is none of FHIR's and left out.
    """
    name = os.fsencode(file).decode("utf-8", "replace")
    try:
        if file.is_file() and file.stat().st_size > MAX_BYTES:
            raise InputError(f"{name} is larger than {MAX_BYTES // 2**20} MB; give less of it.")
        text = read_text(file, name, GIVE)
    except InputError as error:
        yield _unread(name, None, error)
        return
    lines = _lines_of(file, text)
    if lines is None:
        yield _validate_text(name, None, text, in_folder=in_folder)
        return
    for number, line in lines:
        yield _validate_text(name, number, line)


def _lines_of(file: Path, text: str) -> list[tuple[int, str]] | None:
    """Return the lines of NDJSON with their numbers; None where the file is one document."""
    if file.suffix.lower() != ".ndjson":
        return None
    return [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]


def _validate_text(name: str, line: int | None, text: str, *, in_folder: bool = False) -> Finding:
    place = name if line is None else f"{name}, line {line}"
    try:
        raw = loads(text, place=place)
    except InputError as error:
        return _unread(name, line, error)
    if in_folder and isinstance(raw, dict) and "resourceType" not in raw:
        return _left_out(name)
    issues = validate_resource(raw)
    positions = positions_of(text, {each.pointer for each in issues}) if issues else {}
    rows = lines_of(text, {row for row, _ in positions.values()})
    found = [_placed(each, positions[each.pointer], rows, line) for each in issues]
    found.sort(key=lambda each: (each.line or 0, each.column or 0))
    return Finding(name, line, _named(raw), found)


def _placed(
    issue: Issue, position: tuple[int, int], rows: dict[int, str], line: int | None
) -> Found:
    row, column = position
    return Found(issue, row + (line or 1) - 1, column, rows[row])


def _named(raw: Json) -> str:
    if not isinstance(raw, dict):
        return ""
    parts = (raw.get("resourceType"), raw.get("id"))
    return "/".join(str(part)[:100] for part in parts if isinstance(part, str))


def _unread(name: str, line: int | None, error: InputError) -> Finding:
    issue = Issue("error", "structure", "", error.message, UNREADABLE, ())
    return Finding(name, line, "", (Found(issue),))
