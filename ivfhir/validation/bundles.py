"""What R4 asks of a Bundle beyond its rules: addresses, and what a search may give.

http://hl7.org/fhir/R4/bundle.html, http://hl7.org/fhir/R4/http.html#search
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ivfhir.fhir.bundles import search_mode
from ivfhir.fhir.r4 import is_resource
from ivfhir.fhir.references import absolute_reference, is_absolute, parse_literal
from ivfhir.fhir.typed import objects_in, text_in
from ivfhir.fhir.types import BUNDLE, OPERATION_OUTCOME, Json
from ivfhir.validation.issue import Issue, Place, Pointer
from ivfhir.validation.structure import Visited

ENTRY = "Bundle.entry"


def wrong_addresses(visited: Visited) -> list[Issue]:
    """Return what is wrong with the fullUrl of an entry.

    It must be absolute, and where it is an address of the REST API it must end with type and id of
    the resource: it "SHALL NOT disagree with the id". That it names no version is R4's rule bdl-8.
    """
    entry: Any = visited.value
    url = text_in(entry, "fullUrl") if visited.slot.type_name == ENTRY else None
    if url is None:
        return []
    if not is_absolute(url):
        return [_issue(visited, "is not absolute; write https://… or urn:uuid:…")]
    resource, literal = entry.get("resource"), parse_literal(url)
    if literal is None or not is_resource(literal.key.resource_type):
        return []
    own_id = text_in(resource, "id") if isinstance(resource, dict) else None
    if own_id is None or literal.key == (resource.get("resourceType"), own_id):
        return []
    return [_issue(visited, "does not end with the type and id of its resource; make them one")]


def wrong_bundle(visited: Visited) -> list[Issue]:
    """Return what is wrong with the links and results of a Bundle, and with references in it."""
    bundle: Any = visited.value
    if visited.slot.type_name != BUNDLE or visited.slot.owner is not None:
        return []
    issues = list(_links(visited, bundle))
    type_ = text_in(bundle, "type")
    if type_ == "searchset":
        issues += _results(visited, bundle)
    if type_ in ONE_VERSION:
        issues += _ambiguous(visited, bundle)
    return issues


RESULT, LOGIC = ("value", "search-result"), ("business-rule", "link")
ONCE = frozenset({"self", "first", "previous", "next", "last"})
ONE_VERSION = frozenset({"document", "message"})
"""In these Bundles a reference names one resource; in a history it may name all versions."""


def _links(visited: Visited, bundle: dict[str, Any]) -> Iterator[Issue]:
    """Ask that each kind of link is there once."""
    seen = set[str]()
    for index, each in enumerate(objects_in(bundle, "link")):
        relation = text_in(each, "relation")
        if relation in ONCE:
            if relation in seen:
                text = f"is the '{relation}' link a second time; leave one"
                yield _at(Place(visited.place, "link", "link", index), text, LOGIC)
            seen.add(relation)


def _results(visited: Visited, bundle: dict[str, Any]) -> Iterator[Issue]:
    """Ask that what a search found has an id, and is of the types that were searched."""
    wanted = _searched(bundle)
    for index, entry in enumerate(objects_in(bundle, "entry")):
        resource, mode = entry.get("resource"), search_mode(entry)
        if not isinstance(resource, dict):
            continue
        place = Place(Place(visited.place, "entry", "entry", index), "resource", "resource")
        type_name = str(resource.get("resourceType"))[:40]
        if mode == "outcome":
            if type_name != OPERATION_OUTCOME:
                yield _at(place, f"is a {type_name}; an outcome is an {OPERATION_OUTCOME}", RESULT)
        elif type_name != OPERATION_OUTCOME and "id" not in resource:
            yield _at(place, "has no id; what a search found has one", RESULT)
        elif wanted and mode == "match" and type_name not in {*wanted, OPERATION_OUTCOME}:
            text = f"is a {type_name}, but the search was for {', '.join(sorted(wanted))}"
            yield _at(place, text, RESULT)


def _searched(bundle: dict[str, Any]) -> frozenset[str]:
    """Return the types that a search was for, none where its own link does not tell."""
    links = [e for e in objects_in(bundle, "link") if e.get("relation") == "self"]
    url = text_in(links[0], "url") if links else None
    if url is None:
        return frozenset()
    try:
        parts = urlsplit(url)
    except ValueError:
        return frozenset()
    asked = [parts.path.rpartition("/")[2]]
    if not is_resource(asked[0]):
        asked = ",".join(parse_qs(parts.query).get("_type", [])).split(",")
    return frozenset(asked) if all(is_resource(each) for each in asked) else frozenset()


def _ambiguous(visited: Visited, bundle: dict[str, Any]) -> Iterator[Issue]:
    """Ask that no reference names one of several versions without saying which."""
    entries = objects_in(bundle, "entry")
    urls = Counter(text_in(each, "fullUrl") for each in entries)
    several = {url for url, count in urls.items() if url is not None and count > 1}
    if not several:
        return
    for index, entry in enumerate(entries):
        url = text_in(entry, "fullUrl")
        place = Place(Place(visited.place, "entry", "entry", index), "resource", "resource")
        for at, reference in _references(entry.get("resource"), place):
            if absolute_reference(reference, url) in several:
                text = "names a resource that the Bundle has in several versions; say which"
                yield _at(at, text, ("structure", "reference-ambiguous"))


def _references(value: Json, place: Place) -> Iterator[tuple[Place, str]]:
    """Yield the literal references inside a value, with their places."""
    if not isinstance(value, dict):
        return
    if isinstance(value.get("reference"), str):
        yield place, value["reference"]
    for key, each in value.items():
        if isinstance(each, dict):
            yield from _references(each, Place(place, key, key))
        elif isinstance(each, list):
            for index, item in enumerate(each):
                yield from _references(item, Place(place, key, key, index))


def _at(place: Place, text: str, kind: tuple[str, str]) -> Issue:
    said = f"{place.expression} {text}."
    pointer: Pointer = place.pointer
    return Issue("error", kind[0], place.expression, said, kind[1], pointer)


def _issue(visited: Visited, text: str) -> Issue:
    place = visited.place
    expression = f"{place.expression}.fullUrl"
    said = f"{expression} {text}."
    return Issue("error", "value", expression, said, "full-url", (*place.pointer, "fullUrl"))
