"""What R4 asks of a Bundle's addresses beyond its rules (http://hl7.org/fhir/R4/bundle.html)."""

import re
from typing import Any

from ivfhir.fhir.references import is_absolute
from ivfhir.validation.issue import Issue
from ivfhir.validation.structure import Visited

ENTRY = "Bundle.entry"
_REST = re.compile(r"https?://\S+/([A-Z][A-Za-z]+)/([A-Za-z0-9\-.]{1,64})")


def wrong_addresses(visited: Visited) -> list[Issue]:
    """Return what is wrong with the fullUrl of an entry.

    It must be absolute, and where it is an address of the REST API it must end with type and id of
    the resource: it "SHALL NOT disagree with the id". That it names no version is R4's rule bdl-8.
    """
    entry: Any = visited.value
    if visited.slot.type_name != ENTRY or not isinstance(entry.get("fullUrl"), str):
        return []
    url: str = entry["fullUrl"]
    if not is_absolute(url):
        return [_issue(visited, "is not absolute; write https://… or urn:uuid:…")]
    resource = entry.get("resource")
    match = _REST.fullmatch(url)
    if match is None or not isinstance(resource, dict) or "id" not in resource:
        return []
    own = f"{resource.get('resourceType')}/{resource['id']}"
    if f"{match[1]}/{match[2]}" == own:
        return []
    return [_issue(visited, "does not end with the type and id of its resource; make them one")]


def _issue(visited: Visited, text: str) -> Issue:
    place = visited.place
    expression = f"{place.expression}.fullUrl"
    said = f"{expression} {text}."
    return Issue("error", "value", expression, said, "full-url", (*place.pointer, "fullUrl"))
