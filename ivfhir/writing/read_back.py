"""Reading a written plan back: finding its parts, comparing each with what was sent."""

import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from ivfhir.errors import (
    ForbiddenError,
    NotFoundError,
    RejectedError,
    ServerError,
    UnauthorisedError,
)
from ivfhir.fhir.bundles import last_updated
from ivfhir.fhir.json import Written
from ivfhir.fhir.references import reference_of, renamed_references
from ivfhir.fhir.types import PROVENANCE, Resource
from ivfhir.repository import Repository
from ivfhir.writing.bundle import created_entries, identifier_query, value_of
from ivfhir.writing.content import CONTENT_SYSTEM

_AT_ONCE = 50
"""Values in one search: addresses stay short enough for every server."""

_FLAG = re.compile(r"[ \[](?:true|false)[,}\]]")
_ONE = re.compile(r"[ \[]-?[01](?:\.0+)?(?:E[+-]?\d+)?[,}\]]")
"""In a line of JSON: flags, and numbers that may equal one."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_SERVERS_OWN = frozenset({"id", "meta", "text"})
"""Elements that a server may add or fill by itself."""


@dataclass(frozen=True)
class Compared:
    """One resource of the plan, as stored.

    Attributes:
        value: its identifier value.
        resource_type: its type.
        reference: where it is, `Type/id`; '' when it was not found.
        version: its version there; '' when the server has none.
        differences: what is not as it was sent, a line each; None when it could not be read.
        sent: as it was sent, with references to where the other parts are.
    """

    value: str
    resource_type: str
    reference: str
    version: str
    differences: tuple[str, ...] | None
    sent: Resource = field(default_factory=dict, repr=False)


def find_parts(repository: Repository, bundle: Resource) -> dict[str, list[Resource]]:
    """Return every stored copy of each part of the plan, by identifier value, the oldest first.

    Missing from what comes back is what cannot be told: a Provenance where the server lets nobody
    search for it, and what was not found where it lets nobody read some part.

    What the transaction creates first is the plan: a CarePlan, or a document of it. The plans are
    searched by identifier; their parts are read by the references in them, for not every server can
    search every type. A part that only points to others is searched by its own identifier. Copies
    that are marked as entered in error do not count.

    Args:
        repository: the server.
        bundle: the transaction.

    Raises:
        ServerError: the plans cannot be searched, or a part could not be read and may be there.
    """
    sent = [entry["resource"] for entry in created_entries(bundle)]
    parts: dict[str, list[Resource]] = {str(value_of(resource)): [] for resource in sent}
    types = {resource["resourceType"] for resource in sent}
    plan_id, plan_type = str(value_of(sent[0])), str(sent[0]["resourceType"])
    plans = repository.search(plan_type, identifier_query(plan_type, plan_id))
    plans = [plan for plan in plans if value_of(plan) == plan_id and not is_withdrawn(plan)]
    signatures: list[Resource] = []
    for plan in plans if PROVENANCE in types else ():
        signed = _search(repository, PROVENANCE, {"target": reference_of(plan)})
        if signed is None:
            values = [str(value_of(each)) for each in sent if each["resourceType"] == PROVENANCE]
            parts = {value: copies for value, copies in parts.items() if value not in values}
            break
        signatures += signed
    found = {reference_of(each): each for each in [*plans, *signatures]}
    for value, resource_type in _aside(bundle).items() if plans else ():
        alone = _search(repository, resource_type, identifier_query(resource_type, value))
        if alone is None:
            parts.pop(value)
        found |= {reference_of(each): each for each in alone or () if value_of(each) == value}
    new, refused = plans, False
    while new:
        wanted = dict.fromkeys(
            reference
            for resource in new
            for reference in references_in(resource)
            if reference.partition("/")[0] in types and reference not in found
        )
        try:
            new = read_references(repository, wanted, strict=True)
        except (ForbiddenError, RejectedError):
            new, refused = read_references(repository, wanted, strict=True, may_refuse=True), True
        found |= {reference_of(each): each for each in new}
    for resource in found.values():
        value = str(value_of(resource))
        if value in parts and not is_withdrawn(resource):
            parts[value].append(resource)
    told = {value: copies for value, copies in parts.items() if copies or not refused}
    return {value: sorted(copies, key=age_of) for value, copies in told.items()}


def age_of(resource: Resource) -> tuple[datetime, str]:
    """Return what orders copies, the oldest first: when the server last changed them, then the id.

    One that does not say when is the oldest.
    """
    return last_updated(resource) or _LONG_AGO, str(resource["id"])


def _aside(bundle: Resource) -> dict[str, str]:
    """Return the parts that the plan of a transaction leads to by no reference: value -> type.

    A Provenance is none of them: it is searched by what it signs.
    """
    entries = {str(each["fullUrl"]): each["resource"] for each in created_entries(bundle)}
    pending = list(entries)[:1]
    reached = set(pending)
    while pending:
        named = entries.keys() & references_as_written(entries[pending.pop()]).keys()
        pending += named - reached
        reached |= named
    return {
        str(value_of(resource)): str(resource["resourceType"])
        for url, resource in entries.items()
        if url not in reached and resource["resourceType"] != PROVENANCE
    }


def references_in(value: object) -> Iterator[str]:
    """Yield every literal reference in an element as `Type/id`."""
    yield from references_as_written(value).values()


def references_as_written(value: object) -> dict[str, str]:
    """Return every literal reference in an element, as it is written there -> as `Type/id`."""
    found: dict[str, str] = {}
    members = value.items() if isinstance(value, dict) else ()
    for name, item in members:
        if name == "reference" and isinstance(item, str):
            found[item] = bare(item)
        else:
            found |= references_as_written(item)
    for item in value if isinstance(value, list) else ():
        found |= references_as_written(item)
    return found


def _search(
    repository: Repository, resource_type: str, query: Mapping[str, str]
) -> list[Resource] | None:
    """Return the matches; None where the server does not allow or know the search."""
    try:
        return repository.search(resource_type, query)
    except (ForbiddenError, NotFoundError, RejectedError):
        return None


def is_withdrawn(resource: Resource) -> bool:
    """Return whether the resource is marked as entered in error."""
    return "entered-in-error" in (resource.get("status"), resource.get("lifecycleStatus"))


def read_parts(
    repository: Repository,
    places: Mapping[str, str],
    *,
    strict: bool = False,
    may_refuse: bool = False,
) -> dict[str, Resource]:
    """Return the stored resources, by identifier value; for the others see `read_references`."""
    read = read_references(repository, places.values(), strict=strict, may_refuse=may_refuse)
    found = {reference_of(each): each for each in read}
    return {value: found[reference] for value, reference in places.items() if reference in found}


def as_carried(
    places: Mapping[str, str], stored: Mapping[str, Resource]
) -> tuple[dict[str, str], dict[str, Resource]]:
    """Return places and stored resources by the identifier values that the resources carry.

    A server may answer a transaction in another order than it was asked.

    Args:
        places: where each part is said to be, by identifier value.
        stored: what is there.
    """
    carried = {value_of(each): each for each in stored.values()}
    found = {value: carried.get(value, each) for value, each in stored.items()}
    return {**places, **{value: reference_of(each) for value, each in found.items()}}, found


def as_placed(bundle: Resource, places: Mapping[str, str]) -> dict[str, Resource]:
    """Return what a transaction creates, by identifier value, each with references to its places.

    Args:
        bundle: the transaction.
        places: where each part is, by identifier value.
    """
    entries = {str(value_of(each["resource"])): each for each in created_entries(bundle)}
    names = {each["fullUrl"]: places[value] for value, each in entries.items() if value in places}
    return {value: renamed_references(each["resource"], names) for value, each in entries.items()}


def compare(
    bundle: Resource, places: Mapping[str, str], stored: Mapping[str, Resource]
) -> tuple[Compared, ...]:
    """Return each part of the plan compared with what was sent.

    Args:
        bundle: the transaction.
        places: where each part is, by identifier value.
        stored: what is there.
    """
    compared = []
    for value, sent in as_placed(bundle, places).items():
        found = stored.get(value)
        lines = None if found is None else tuple(differences(sent, found))
        version = "" if found is None else str(found.get("meta", {}).get("versionId", ""))
        compared.append(
            Compared(value, sent["resourceType"], places.get(value, ""), version, lines, sent)
        )
    return tuple(compared)


def differences(sent: Resource, stored: Resource) -> Iterable[str]:
    """Yield what differs between a sent resource and the stored one; ids and meta may be added."""
    same = _sameness_of(sent)
    for name in stored:
        if name not in sent and name not in _SERVERS_OWN:
            yield f"{name} was added by the EHR"
    for name, value in sent.items():
        if name == "meta":
            yield from _lost_tags(value, stored.get("meta", {}))
        elif name == "text":
            if narrative_words(value) != narrative_words(stored.get("text", {})):
                yield "text is not as it was sent"
        elif not same(value, stored.get(name)):  # Most is as it was sent.
            yield from _element(value, stored.get(name), name)


def _sameness_of(sent: Resource) -> Callable[[object, object], bool]:
    """Return what tells of most that is as it was sent; equality is faster than texts.

    What equals it in Python may be other JSON where there are flags: there `True == 1`.
    """
    if not isinstance(sent, Written) or _FLAG.search(sent.line):
        return _is_the_same_text
    return _is_equal_without_flags if _ONE.search(sent.line) else operator.eq


def _is_the_same_text(sent: object, stored: object) -> bool:
    return repr(sent) == repr(stored)


def _is_equal_without_flags(sent: object, stored: object) -> bool:
    if sent != stored:
        return False
    text = repr(stored)
    return "True" not in text and "False" not in text


def _element(sent: object, stored: object, path: str) -> Iterable[str]:
    if stored is None:
        yield f"{path} is missing"
    elif isinstance(sent, dict) and isinstance(stored, dict):
        for name in stored:
            if name not in sent and name != "id":
                yield f"{path}.{name} was added by the EHR"
        for name, value in sent.items():
            theirs = stored.get(name)
            if not (type(value) is str and value == theirs):  # Most are, and the same.
                yield from _element(value, theirs, f"{path}.{name}")
    elif isinstance(sent, list) and isinstance(stored, list):
        if len(sent) != len(stored):
            yield f"{path} has {len(stored)} in place of {len(sent)}"
        for place, (ours, theirs) in enumerate(zip(sent, stored, strict=False)):
            yield from _element(ours, theirs, f"{path}[{place}]")
    elif not _same(sent, stored, path):
        yield f"{path} is not as it was sent"


def _same(sent: object, stored: object, path: str) -> bool:
    if isinstance(sent, bool) or isinstance(stored, bool):
        return sent is stored
    if isinstance(sent, int | float | Decimal) and isinstance(stored, int | float | Decimal):
        return Decimal(str(sent)) == Decimal(str(stored))
    if isinstance(sent, str) and isinstance(stored, str):
        if path.endswith(".reference"):
            return bare(sent) == bare(stored)
        return sent == stored or _instant(sent) == (_instant(stored) or "")
    return False


def bare(reference: str) -> str:
    """Return `Type/id` of a literal reference, however it is written."""
    return "/".join(reference.split("/_history/", maxsplit=1)[0].rstrip("/").split("/")[-2:])


def _instant(text: str) -> datetime | None:
    """Return the instant of a dateTime with a zone; None for anything else."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return instant if instant.tzinfo else None


def _lost_tags(sent: Mapping[str, Any], stored: Mapping[str, Any]) -> Iterable[str]:
    """Tell of lost tags; that of the content is for the app alone, no part of the plan."""
    kept = {(tag.get("system"), tag.get("code")) for tag in stored.get("tag", ())}
    needed = [tag for tag in sent.get("tag", ()) if tag.get("system") != CONTENT_SYSTEM]
    if any((tag.get("system"), tag.get("code")) not in kept for tag in needed):
        yield "meta.tag is missing"


def narrative_words(narrative: Mapping[str, Any]) -> list[str]:
    """Return the words of a narrative, its markup left out."""
    return re.sub(r"<[^>]*>", " ", str(narrative.get("div", ""))).split()


def read_references(
    repository: Repository,
    references: Iterable[str],
    *,
    strict: bool = False,
    may_refuse: bool = False,
) -> list[Resource]:
    """Return the resources of these references.

    Args:
        repository: the server.
        references: `Type/id` each.
        strict: only what the server does not have is left out; else all that cannot be read.
        may_refuse: when strict, what the server does not let anybody read is left out, too.

    Raises:
        ServerError: when strict, one could not be read, and may be there.
    """

    def raised(error: ServerError) -> bool:
        is_refusal = isinstance(error, (ForbiddenError, RejectedError))
        return strict and not (may_refuse and is_refusal)

    by_type: dict[str, list[str]] = {}
    for reference in references:
        resource_type, _, resource_id = reference.partition("/")
        by_type.setdefault(resource_type, []).append(resource_id)
    return [
        resource
        for resource_type, ids in by_type.items()
        for some in _chunks(ids)
        for resource in _read_some(repository, resource_type, some, raised)
    ]


def _read_some(
    repository: Repository,
    resource_type: str,
    ids: list[str],
    raised: Callable[[ServerError], bool],
) -> list[Resource]:
    """Return the resources of these ids, by one search where the server can, else one by one."""
    found: dict[str, Resource] = {}
    try:
        found = {
            resource["id"]: resource
            for resource in repository.search(resource_type, {"_id": ",".join(ids)})
            if resource["id"] in ids
        }
    except UnauthorisedError:
        raise
    except ServerError:
        found = {}
    for resource_id in ids:
        if resource_id not in found:
            resource = _read_one(repository, resource_type, resource_id, raised)
            if resource is not None:
                found[resource_id] = resource
    return list(found.values())


def _read_one(
    repository: Repository,
    resource_type: str,
    resource_id: str,
    raised: Callable[[ServerError], bool],
) -> Resource | None:
    try:
        return repository.read(resource_type, resource_id)
    except UnauthorisedError:
        raise
    except NotFoundError:
        return None
    except ServerError as error:
        if raised(error):
            raise
        return None


def _chunks(values: Iterable[str]) -> list[list[str]]:
    every = list(values)
    return [every[start : start + _AT_ONCE] for start in range(0, len(every), _AT_ONCE)]
