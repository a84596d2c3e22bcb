"""One resource of the record as a table: what a fact's name leads to."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from ivfhir.fhir.json import dumps
from ivfhir.fhir.references import parse_literal
from ivfhir.fhir.types import Resource
from ivfhir.wording import dates, words
from ivfhir.wording.record_parts import entry_kind
from smart_app.pages.coded import coded_text
from smart_app.pages.entry import entry_codes, entry_rows

_FIRST = (
    "code",
    "status",
    "clinicalStatus",
    "verificationStatus",
    "value",
    "effective",
    "onset",
    "recordedDate",
)
MOST_ROWS = 1000
MOST_CHARACTERS = 2000
"""Of one value; a name in a title is cut at a tenth of it."""

_LEFT_OUT = frozenset({"resourceType", "id", "meta", "text", "contained", "div"})


@dataclass(frozen=True)
class RecordRow:
    """One element: its path, its value as text, and our page of what it refers to."""

    path: str
    value: str
    href: str | None


@dataclass(frozen=True)
class RecordPage:
    """View model of the page; `cut` when the resource is too large to be shown whole.

    Then `json` is empty.
    """

    title: str
    reference: str
    version: str
    updated: str
    summary: tuple[tuple[str, str], ...]
    codes: str
    rows: tuple[RecordRow, ...]
    json: str
    cut: bool


def record_page(resource: Resource, link: Callable[[str], str]) -> RecordPage:
    """Return the page of a resource.

    Args:
        resource: as the EHR holds it.
        link: gives the address of our page of a `Type/id`.
    """
    meta = resource.get("meta", {})
    reference = f"{resource['resourceType']}/{resource.get('id', '')}"
    updated = str(meta.get("lastUpdated", ""))
    rows = tuple(islice(_rows(resource, link), MOST_ROWS + 1))
    cut = len(rows) > MOST_ROWS or any(len(row.value) > MOST_CHARACTERS for row in rows)
    return RecordPage(
        title=_title(resource)[: MOST_CHARACTERS // 10],
        reference=reference,
        version=str(meta.get("versionId", "")),
        updated=dates.day(updated),
        summary=tuple(
            (label, text[:MOST_CHARACTERS])
            for label, text in islice(entry_rows(resource), MOST_ROWS)
        ),
        codes=entry_codes(resource)[:MOST_CHARACTERS],
        rows=tuple(_short(row) for row in rows[:MOST_ROWS]),
        json="" if cut else dumps(resource, indent=2),
        cut=cut,
    )


def _title(resource: Resource) -> str:
    named = coded_text(resource) or resource.get("title")
    return str(named or words.capitalise(entry_kind(resource["resourceType"])))


def _short(row: RecordRow) -> RecordRow:
    """Return the row with its path and value as far as a page shows them."""
    if len(row.value) <= MOST_CHARACTERS and len(row.path) <= MOST_CHARACTERS:
        return row
    return RecordRow(row.path[:MOST_CHARACTERS], f"{row.value[:MOST_CHARACTERS]}…", None)


def _rows(resource: Resource, link: Callable[[str], str]) -> Iterator[RecordRow]:
    names = [name for name in resource if name not in _LEFT_OUT]
    for name in sorted(names, key=_place):
        for path, value in _leaves(resource[name], name):
            literal = parse_literal(value) if path.endswith("reference") else None
            href = link(str(literal.key)) if literal is not None and not literal.base else None
            yield RecordRow(path, value, href)


def _place(name: str) -> int:
    return next(
        (place for place, first in enumerate(_FIRST) if name.startswith(first)), len(_FIRST)
    )


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - any element
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value, start=1):
            yield from _leaves(item, path if len(value) == 1 else f"{path} {number}")
    elif isinstance(value, bool):
        yield path, "true" if value else "false"
    else:
        yield path, format(value, "f") if isinstance(value, Decimal) else str(value)
