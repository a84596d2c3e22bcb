"""The definitions to a server: what is new or changed, each after what it needs; nothing deleted.

A definition is known by its canonical url and version. A server may have it under another id: then
it is updated there. What stands under its id is overwritten only where it has the same url.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ivfhir.errors import (
    InputError,
    InvalidWriteError,
    IvfhirError,
    NotFoundError,
    ServerError,
    UnauthorisedError,
    UnreachableError,
    UsageError,
)
from ivfhir.fhir.outcome import operation_outcome
from ivfhir.fhir.references import key_of
from ivfhir.fhir.types import Resource
from ivfhir.knowledge.package import knowledge_root, read_json, regimens_folder, shared_folder
from ivfhir.sync.decision import CHANGING, CREATED, PARKED, UNCHANGED, UPDATED, too_many
from ivfhir.sync.door import WritableServer
from ivfhir.writing.outgoing import check_outgoing
from ivfhir.writing.read_back import differences

TYPES = (
    "CodeSystem",
    "ValueSet",
    "Library",
    "Questionnaire",
    "ActivityDefinition",
    "PlanDefinition",
)
"""In this order a definition finds those that it names."""


@dataclass(frozen=True)
class Sent:
    """What became of a definition on a server.

    Attributes:
        canonical: `url|version`.
        to: the server.
        result: created, unchanged, updated or parked.
        reference: where it is; '' when it is not.
        error: why it is parked.
        is_answered: the server let us in and answered.
    """

    canonical: str
    to: str
    result: str
    reference: str = ""
    error: IvfhirError | None = None
    is_answered: bool = True

    @property
    def why(self) -> str:
        """The reason, a sentence."""
        return "" if self.error is None else self.error.message

    def as_json(self) -> dict[str, Any]:
        """Return the row, of the shape of a plan's."""
        row: dict[str, Any] = {
            "plan": self.canonical,
            "to": self.to,
            "result": self.result,
            "references": [self.reference] if self.reference else [],
            "differences": [],
        }
        return row if self.error is None else {**row, "outcome": operation_outcome(self.error)}


def definitions() -> list[Resource]:
    """Return every definition of the knowledge, each after those that it names.

    Raises:
        KnowledgeError: a file cannot be read.
    """
    folders = dict.fromkeys((knowledge_root(), shared_folder(), regimens_folder()))
    files = {
        path.resolve(): None
        for kind in TYPES
        for folder in folders
        for path in sorted(folder.rglob(f"{kind}-*.json"))
    }
    found = [read_json(path) for path in files]
    return _in_order(found)


def sync_to_all(
    targets: Sequence[tuple[str, Callable[[], WritableServer]]],
    resources: Sequence[Resource],
    *,
    dry_run: bool = False,
    at_most: float | None = None,
) -> list[Sent]:
    """Bring definitions to servers and return a row for each server and definition.

    Args:
        targets: what each server is called, and what signs in to it.
        resources: in the order in which they are needed.
        dry_run: write nothing.
        at_most: share of the rows from 0 to 1; when more would change, or could not be looked at,
            nothing is sent. Servers that were never reached do not count.
    """

    def to_each(*, dry_run: bool) -> list[Sent]:
        return [
            sent
            for name, connect in targets
            for sent in sync_definitions(connect, resources, to=name, dry_run=dry_run)
        ]

    if at_most is not None:
        foreseen = to_each(dry_run=True)
        if _share(foreseen) > at_most:
            return [_stopped(each, at_most) for each in foreseen]
        if dry_run:
            return foreseen
    return to_each(dry_run=dry_run)


def _share(rows: Sequence[Sent]) -> float:
    """Return the share of definitions that would change on the servers that were reached."""
    reached = {each.to for each in rows if each.is_answered}
    own = [each for each in rows if each.to in reached]
    changing = [each.result in CHANGING or isinstance(each.error, ServerError) for each in own]
    return sum(changing) / len(own) if own else 0.0


def _stopped(sent: Sent, at_most: float) -> Sent:
    """Return the row of a definition that was not sent because too many would change."""
    if sent.result not in CHANGING:
        return sent
    error = UsageError(too_many(sent.result, at_most))
    return replace(sent, result=PARKED, reference="", error=error)


def sync_definitions(
    connect: Callable[[], WritableServer],
    resources: Iterable[Resource],
    *,
    to: str,
    dry_run: bool = False,
) -> list[Sent]:
    """Bring definitions to a server and return what became of each.

    Args:
        connect: signs in to the server; may raise ServerError.
        resources: in the order in which they are needed.
        to: what the server is called.
        dry_run: write nothing.

    Returns:
        A row each. Once it does not answer, or wants another token, the rest is parked unasked.
    """
    sent: list[Sent] = []
    failed: ServerError | None = None
    try:
        server = connect()
    except ServerError as error:
        failed = error
    for resource in resources:
        if failed is None:
            try:
                sent.append(_one(server, resource, to, dry_run=dry_run))
            except (UnreachableError, UnauthorisedError) as error:
                failed = error
        if failed is not None:
            canonical = _canonical(resource)
            sent.append(Sent(canonical, to, PARKED, error=failed, is_answered=False))
    return sent


def _canonical(resource: Resource) -> str:
    version = resource.get("version")
    return str(resource["url"]) if version is None else f"{resource['url']}|{version}"


def _one(server: WritableServer, resource: Resource, to: str, *, dry_run: bool) -> Sent:
    canonical, kind = _canonical(resource), resource["resourceType"]
    try:
        theirs = _there(server, resource)
        target = f"{kind}/{resource['id'] if theirs is None else theirs['id']}"
        if theirs is not None and not any(differences(resource | {"id": theirs["id"]}, theirs)):
            return Sent(canonical, to, UNCHANGED, target)
        result = CREATED if theirs is None else UPDATED
        new = {**resource, "id": target.partition("/")[2]}
        check_outgoing(new)
        if not dry_run:
            match = None if theirs is None else theirs.get("meta", {}).get("versionId")
            target = server.update(new, if_match=match).reference
        return Sent(canonical, to, result, target)
    except (UnreachableError, UnauthorisedError):
        raise
    except (InputError, InvalidWriteError, ServerError) as error:
        return Sent(canonical, to, PARKED, error=error)


def _there(server: WritableServer, resource: Resource) -> Resource | None:
    """Return what the server has of a definition, or an older one that stands in its place.

    Raises:
        InputError: somebody else's definition stands in its place.
        ServerError: the server did not say.
    """
    kind, url, version = resource["resourceType"], resource["url"], resource.get("version")
    found = [
        each
        for each in server.search(kind, {"url": url})
        if (each.get("url"), each.get("version")) == (url, version) and key_of(each)
    ]
    if found:
        return min(found, key=lambda each: (each["id"] != resource["id"], each["id"]))
    try:
        theirs = server.read(kind, resource["id"])
    except NotFoundError:
        return None
    if theirs.get("url") != url:
        raise InputError(
            f"{kind}/{resource['id']} on the server is another definition "
            f"({theirs.get('url', 'without a url')}); it is not overwritten. Give that one another "
            "id there."
        )
    return theirs


def _in_order(resources: Sequence[Resource]) -> list[Resource]:
    """Return definitions so that each comes after those that it names, as far as that goes."""
    by_url = {each["url"]: each for each in resources}
    ordered: dict[int, Resource] = {}

    def visit(resource: Resource, above: frozenset[str]) -> None:
        if id(resource) in ordered or resource["url"] in above:
            return
        for text in _canonicals(resource):
            named = by_url.get(text.partition("|")[0])
            if named is not None and named is not resource:
                visit(named, above | {resource["url"]})
        ordered[id(resource)] = resource

    for resource in resources:
        visit(resource, frozenset())
    return list(ordered.values())


def _canonicals(element: object) -> Iterable[str]:
    if isinstance(element, str):
        if element.startswith("http"):
            yield element
    elif isinstance(element, dict):
        for member in element.values():
            yield from _canonicals(member)
    elif isinstance(element, list):
        for item in element:
            yield from _canonicals(item)
