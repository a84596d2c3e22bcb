"""Bundles taken apart: http://hl7.org/fhir/R4/bundle.html.

A Bundle is a state (collection, searchset, document…), a request (transaction, batch), an answer
(batch-response) or a past (history). What counts here is the patient data in it, and whether
all of it is there: a part of a search is never taken for the whole.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

from ivfhir.errors import InputError
from ivfhir.fhir.references import Key, key_of, parse_literal
from ivfhir.fhir.types import BUNDLE, OPERATION_OUTCOME, Resource


class Entry(NamedTuple):
    """A resource and where it came from.

    Attributes:
        resource: as it came.
        full_url: the Bundle's name for it, None outside Bundles.
        scope: the Bundle it stood in, as a number; 0 outside Bundles.
    """

    resource: Resource
    full_url: str | None = None
    scope: int = 0


class Gap(NamedTuple):
    """Data known to be missing.

    Attributes:
        resource_type: of what the missing resources are; None when it cannot be told.
        reason: a sentence for the reader.
    """

    resource_type: str | None
    reason: str


class Page(NamedTuple):
    """One page of a search: the addresses by which pages name one another, and whose page it is."""

    links: dict[str, str]
    resource_type: str | None
    place: str
    lacking: int


@dataclass
class BundleReader:
    """Takes Bundles apart, one after the other, and knows at the end what was not in them."""

    gaps: list[Gap] = field(default_factory=list)
    pages: list[Page] = field(default_factory=list)
    _scopes: int = 0

    def entries(self, bundle: Resource, *, place: str) -> Iterator[Entry]:
        """Yield the resources of `bundle`, those of Bundles inside it too.

        A history yields the newest version of each resource, and nothing for a deleted one.

        Raises:
            InputError: the Bundle's `entry` is not a list of objects.
        """
        self._scopes += 1
        scope = self._scopes
        kind = bundle.get("type")
        entries = _entry_list(bundle, place)
        if kind == "searchset":
            self._note_page(bundle, entries, place)
        if kind == "history":
            entries = _newest(entries)
        for number, entry in enumerate(entries):
            here = f"{place}, entry {number + 1}"
            resource = _resource(entry, here)
            self._note_failure(bundle, entry, resource, here)
            if resource is None or resource["resourceType"] == OPERATION_OUTCOME:
                continue
            if resource["resourceType"] == BUNDLE:
                yield from self.entries(resource, place=here)
                continue
            full_url = entry.get("fullUrl")
            yield Entry(resource, full_url if isinstance(full_url, str) else None, scope)

    def missing(self) -> tuple[Gap, ...]:
        """Return what is known to be missing of the Bundles read so far."""
        own = {page.links.get("self") for page in self.pages}
        followed = {page.links.get("next") for page in self.pages}
        gaps = list(self.gaps)
        for page in self.pages:
            before = page.links.get("previous") or page.links.get("prev")
            reason = None
            if page.links.get("next") not in own | {None}:
                reason = "its next page is not in the input"
            elif before not in own | {None} and page.links.get("self") not in followed:
                reason = "its previous page is not in the input"
            elif page.lacking and before is None and "next" not in page.links:
                reason = f"{page.lacking} of its matches are not in the input"
            if reason is not None:
                gaps.append(
                    Gap(
                        page.resource_type,
                        f"The search in {page.place} is not whole: {reason}; export every page.",
                    )
                )
        return tuple(gaps)

    def _note_page(self, bundle: Resource, entries: Sequence[Resource], place: str) -> None:
        links = links_of(bundle)
        short = lacking([{**bundle, "entry": entries}])
        self.pages.append(Page(links, _searched_type(links), place, short))

    def _note_failure(
        self, bundle: Resource, entry: Resource, resource: Resource | None, place: str
    ) -> None:
        """Keep a gap where a server says, inside a Bundle, that it could not answer."""
        response = entry.get("response")
        status = response.get("status") if isinstance(response, dict) else None
        failed = isinstance(status, str) and status[:1] in {"4", "5"}
        if failed and bundle.get("type") == "batch-response":
            self.gaps.append(Gap(None, f"{place} holds a request that failed ({str(status)[:3]})."))
        elif bundle.get("type") == "searchset" and resource is not None and is_failure(resource):
            kind = _searched_type(links_of(bundle))
            self.gaps.append(Gap(kind, f"{place} says that the search failed in part."))


def lacking(pages: Sequence[Resource]) -> int:
    """Return how many entries fewer the pages of one search hold than its `total` says.

    Servers differ in whether `total` counts included resources, so all entries count but outcomes.
    """
    total = pages[0].get("total")
    held = sum(search_mode(entry) != "outcome" for page in pages for entry in page["entry"])
    return max(0, total - held) if isinstance(total, int) else 0


def links_of(bundle: Resource) -> dict[str, str]:
    """Return the Bundle's links, relation to URL; malformed ones are skipped."""
    links = bundle.get("link")
    return {
        link["relation"]: link["url"]
        for link in (links if isinstance(links, list) else [])
        if isinstance(link, dict)
        and isinstance(link.get("relation"), str)
        and isinstance(link.get("url"), str)
    }


def search_mode(entry: Resource) -> str:
    """Return `match`, `include` or `outcome`; a server that does not say means `match`."""
    search = entry.get("search")
    mode = search.get("mode") if isinstance(search, dict) else None
    if isinstance(mode, str):
        return mode
    resource = entry.get("resource")
    is_outcome = isinstance(resource, dict) and resource.get("resourceType") == OPERATION_OUTCOME
    return "outcome" if is_outcome else "match"


def is_failure(resource: Resource) -> bool:
    """Return whether the resource is an OperationOutcome with an error or a fatal issue."""
    issues = resource.get("issue")
    return resource.get("resourceType") == OPERATION_OUTCOME and any(
        isinstance(issue, dict) and issue.get("severity") in {"error", "fatal"}
        for issue in (issues if isinstance(issues, list) else [])
    )


def last_updated(resource: Resource) -> datetime | None:
    """Return `meta.lastUpdated`; None when it is absent or no instant."""
    meta = resource.get("meta")
    return _instant(meta.get("lastUpdated")) if isinstance(meta, dict) else None


def _entry_list(bundle: Resource, place: str) -> list[Resource]:
    entries = bundle.get("entry", [])
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise InputError(
            f"{place} is a Bundle whose entry is not a list of objects; export it again.",
            expression="Bundle.entry",
        )
    return entries


def _resource(entry: Resource, place: str) -> Resource | None:
    resource = entry.get("resource")
    if resource is None:
        return None
    if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
        raise InputError(
            f"{place} holds no FHIR resource (resourceType is missing); export it again.",
            expression="Bundle.entry.resource",
        )
    return resource


def _newest(entries: Sequence[Resource]) -> list[Resource]:
    """Return the newest version of each resource of a history, which lists the newest first."""
    newest: dict[object, tuple[datetime, Resource]] = {}
    for number, entry in enumerate(entries):
        key = _history_key(entry) or number
        at = _version_time(entry)
        if key not in newest or at > newest[key][0]:
            newest[key] = (at, entry)
    return [entry for _, entry in newest.values() if not _is_deletion(entry)]


def _history_key(entry: Resource) -> Key | None:
    resource = entry.get("resource")
    if isinstance(resource, dict) and isinstance(resource.get("resourceType"), str):
        return key_of(resource)
    request = entry.get("request")
    addresses = [entry.get("fullUrl"), request.get("url") if isinstance(request, dict) else None]
    literals = [parse_literal(address) for address in addresses if isinstance(address, str)]
    return next((literal.key for literal in literals if literal is not None), None)


def _version_time(entry: Resource) -> datetime:
    response = entry.get("response")
    stated = _instant(response.get("lastModified")) if isinstance(response, dict) else None
    resource = entry.get("resource")
    updated = last_updated(resource) if isinstance(resource, dict) else None
    return updated or stated or datetime.min.replace(tzinfo=UTC)


def _is_deletion(entry: Resource) -> bool:
    request = entry.get("request")
    return isinstance(request, dict) and request.get("method") == "DELETE"


def _instant(text: object) -> datetime | None:
    try:
        instant = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    if instant is None or instant.tzinfo is not None:
        return instant
    return instant.replace(tzinfo=UTC)


def _searched_type(links: dict[str, str]) -> str | None:
    """Return the type that a search's own address names; None when it may bring several types."""
    address = links.get("self") or links.get("next") or ""
    if "include=" in address or "include:" in address:
        return None
    path = address.partition("?")[0].removesuffix("/_search")
    last = path.rpartition("/")[2]
    return last if last[:1].isupper() and last.isalpha() else None
