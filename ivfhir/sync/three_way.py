"""One resource seen three ways: as it was sent, as the server has it, as the input has it now."""

from collections.abc import Iterator
from dataclasses import replace
from enum import Enum
from typing import Any

from ivfhir.fhir.references import reference_of
from ivfhir.fhir.types import Resource
from ivfhir.sync.ledger import SentPart
from ivfhir.writing.content import (
    CONTENT_SYSTEM,
    content_digest,
    content_tag,
    is_as_written,
    plain,
    written_digest,
)
from ivfhir.writing.ending import END_STATUS, status_name
from ivfhir.writing.read_back import bare, differences, narrative_words

_NOT_COMPARED = frozenset({"id", "meta", "text", "resourceType"})


class Standing(Enum):
    """Who changed a resource since it was sent."""

    SAME = "nobody, or both alike"
    OURS = "the input"
    THEIRS = "the server"
    BOTH = "both"
    NEW = "it was never sent"
    GONE = "the server no longer has it"


def weigh(
    ours: Resource | None,
    sent: SentPart | None,
    theirs: Resource | None,
    *,
    unread: bool = False,
) -> Standing:
    """Return who changed a resource since it was sent.

    Without the ledger the tag that it was written with tells; where that is gone, too, the server
    counts as having changed it.

    Args:
        ours: as it would be sent now; None when the input no longer has it.
        sent: as the ledger knows it.
        theirs: as the server has it.
        unread: it was never read back, so its references may still be on their way.
    """
    if theirs is None:
        return Standing.NEW if sent is None else Standing.GONE
    edited = _is_edited(sent, theirs, ours)
    if ours is None:
        is_done = sent is not None and _has_ended(sent.sent, theirs)
        return Standing.SAME if is_done else Standing.THEIRS if edited else Standing.OURS
    if not any(differences(ours, theirs)):
        return Standing.SAME
    before = sent.sent_digest if sent is not None else written_digest(theirs)
    changed = before is None or before != content_digest(ours)
    if not changed and sent is not None:
        changed = _points_elsewhere(sent.sent, ours)
    elif not changed and (unread or is_as_written(theirs)) and _points_elsewhere(theirs, ours):
        is_first = unread or theirs.get("meta", {}).get("versionId") == "1"
        return Standing.OURS if is_first and not edited else Standing.BOTH
    if edited:
        return Standing.BOTH if changed else Standing.THEIRS
    return Standing.OURS if changed else Standing.SAME


def as_last_sent(sent: SentPart, theirs: Resource | None) -> SentPart:
    """Return a part as it was sent last, which may be another state than the ledger knows.

    Another run, or one whose answer was lost, may have sent it since: then the server has another
    version with another digest, that of its own content.
    """
    version = "" if theirs is None else str(theirs.get("meta", {}).get("versionId", ""))
    if theirs is None or not version or not sent.version or version == sent.version:
        return sent
    if written_digest(theirs) == sent.sent_digest or not is_as_written(theirs):
        return sent
    return replace(sent, version=version, sent=theirs)


def _is_edited(sent: SentPart | None, theirs: Resource, ours: Resource | None) -> bool:
    version = str(theirs.get("meta", {}).get("versionId", ""))
    as_stored = sent is not None and bool(version) and sent.version == version
    if sent is not None and version and sent.version and not as_stored:
        told = [
            narrative_words(each.get("text", {})) for each in (theirs, sent.sent, ours or sent.sent)
        ]
        if told[0] not in told[1:]:
            return True
    # No digest covers the narrative; the first version has the words that were written.
    if sent is None and version not in ("", "1") and _says_otherwise(theirs, ours):
        return True
    if is_as_written(theirs):
        # The digest passes over which part a reference names.
        return (
            sent is not None
            and not as_stored
            and sent.sent_digest == written_digest(theirs)
            and _points_elsewhere(sent.sent, theirs)
            and (ours is None or _points_elsewhere(ours, theirs))
        )
    if sent is not None:
        return not as_stored and any(differences(sent.sent, theirs))
    # The first version is the one that was written, whatever the server made of it.
    return not (version == "1" and written_digest(theirs) is not None)


def _says_otherwise(theirs: Resource, ours: Resource | None) -> bool:
    """Tell whether a narrative is not the one that the input has; a server may make one itself."""
    if ours is None or "text" not in ours:
        return False
    return narrative_words(theirs.get("text", {})) != narrative_words(ours["text"])


def _points_elsewhere(one: Resource, other: Resource) -> bool:
    """Tell whether the references of two resources that are else alike name other resources."""
    return any(
        _targets(one.get(name), name) != _targets(other.get(name), name)
        for name in {*one, *other} - _NOT_COMPARED
    )


def _targets(value: object, name: str) -> object:
    """Return the references of an element where they stand in it; None for none."""
    if isinstance(value, str):
        return bare(value) if name == "reference" else None
    if isinstance(value, dict):
        found = {key: _targets(member, key) for key, member in value.items()}
        return {key: each for key, each in found.items() if each is not None} or None
    if isinstance(value, list):
        inside = [_targets(member, name) for member in value]
        return None if all(each is None for each in inside) else inside
    return None


def _has_ended(sent: Resource, theirs: Resource) -> bool:
    """Tell whether a part is as it was sent and then ended, as it is when the input drops it."""
    name, end = status_name(theirs["resourceType"]), END_STATUS.get(theirs["resourceType"])
    return theirs.get(name) == end and not any(differences({**sent, name: end}, theirs))


def changed_elements(before: Resource, after: Resource) -> list[str]:
    """Return the names of the elements that are not the same in both, in their order."""
    names = dict.fromkeys(name for name in (*before, *after) if name not in _NOT_COMPARED)
    return [
        name
        for name in names
        if plain(before.get(name), name) != plain(after.get(name), name)
        or _targets(before.get(name), name) != _targets(after.get(name), name)
    ]


def as_sent(theirs: Resource, ours: Resource) -> Resource:
    """Return what of a stored resource was ours, as far as it can be told without the ledger.

    One that is as it was written was ours as a whole. What a server made of it while it stored it,
    such as an identifier of its own, is not: there an element counts as ours only where the input
    has it.
    """
    if is_as_written(theirs):
        return theirs
    return {name: theirs[name] for name in ours if name in theirs and name != "identifier"}


def merged(theirs: Resource, sent: Resource, ours: Resource) -> Resource:
    """Return the server's resource with nothing but the elements that the input changed.

    Args:
        theirs: as the server has it: elements that were never ours stay.
        sent: as it was sent.
        ours: as the input has it now.
    """
    result = dict(theirs)
    for name in (*changed_elements(sent, ours), *(["text"] if "text" in ours else [])):
        if name == "identifier" and isinstance(theirs.get(name), list):
            result[name] = _identifiers(theirs[name], sent.get(name, ()), ours.get(name, ()))
        elif name in ours:
            result[name] = ours[name]
        else:
            result.pop(name, None)
    meta = dict(theirs.get("meta", {}))
    tags = [tag for tag in meta.get("tag", ()) if tag.get("system") != CONTENT_SYSTEM]
    meta["tag"] = [*tags, content_tag(result)]
    return {**result, "meta": meta}


def _identifiers(theirs: list[Any], sent: list[Any], ours: list[Any]) -> list[Any]:
    """Return our identifiers, then those that the server gave the resource itself."""
    return [*ours, *(each for each in theirs if each not in sent and each not in ours)]


def three_ways(
    ours: Resource | None, sent: SentPart | None, theirs: Resource | None
) -> Iterator[dict[str, Any]]:
    """Yield what differs: reference, element, and it as sent, theirs and ours; absent is left out.

    `sent` is left out too where nobody knows it: the ledger is new.
    """
    if theirs is None:
        if sent is not None:
            yield {"reference": sent.reference, "text": "The server no longer has it."}
        return
    base = sent.sent if sent is not None else None
    views: dict[str, Resource] = {"theirs": theirs, "ours": ours or {}}
    names = changed_elements(theirs, ours or {})
    if base is not None:
        views = {"sent": base, **views}
        names = list(dict.fromkeys([*names, *changed_elements(base, theirs)]))
    if _says_otherwise(theirs, ours if base is None else {"text": {}, **base}):
        names.append("text")
    for name in names:
        yield {
            "reference": reference_of(theirs),
            "element": f"{theirs['resourceType']}.{name}",
            **{view: each[name] for view, each in views.items() if name in each},
        }
