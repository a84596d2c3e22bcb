"""What every artefact carries, and that every canonical leads somewhere."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ivfhir.fhir.types import Resource

TYPES = (
    "ActivityDefinition",
    "CodeSystem",
    "Library",
    "PlanDefinition",
    "Questionnaire",
    "ValueSet",
)
REQUIRED = ("url", "version", "name", "title", "date", "publisher", "description")
REVIEWED = "http://hl7.org/fhir/StructureDefinition/resource-lastReviewDate"
"""Where a review date stands in types without `lastReviewDate`, such as ValueSet."""


def artefact_findings(path: Path, resource: Resource) -> Iterator[str]:
    """Yield what an artefact lacks.

    Args:
        path: its file, named Type-id.json.
        resource: its content.
    """
    kind, artefact_id = resource.get("resourceType"), resource.get("id")
    if path.stem != f"{kind}-{artefact_id}":
        yield f"the file must be named {kind}-{artefact_id}.json"
    for name in REQUIRED:
        if not resource.get(name):
            yield f"{name} is missing"
    if not str(resource.get("url", "")).endswith(f"/{kind}/{artefact_id}"):
        yield f"url must end in /{kind}/{artefact_id}"
    if resource.get("status") != "draft" or resource.get("experimental") is not True:
        yield "status must be draft and experimental true until a clinician signs the content"
    if "approvalDate" in resource:
        yield "approvalDate must be absent until a clinician signs the content"
    extensions = {each["url"] for each in resource.get("extension", [])}
    if "lastReviewDate" not in resource and REVIEWED not in extensions:
        yield f"it has no review date (lastReviewDate, or the extension {REVIEWED})"
    if kind == "ValueSet" and not resource.get("expansion", {}).get("contains"):
        yield "its expansion is missing"
    if kind == "Library":
        types = [content["contentType"] for content in resource.get("content", [])]
        if types != ["text/cql", "application/elm+json"]:
            yield f"content must be text/cql and application/elm+json, not {types}"


_HOW = {"ValueSet": "; give it codes in tools/terminology/value-sets.csv, or mend its name"}


def canonical_findings(resource: Resource, versions: Mapping[str, str]) -> Iterator[str]:
    """Yield the canonicals of ours that lead nowhere.

    Args:
        resource: an artefact.
        versions: url of each artefact -> its version.
    """
    base = re.compile(
        rf"(?P<url>https://ivfhir\.example/fhir/({'|'.join(TYPES)})/[^|]+)(\|(?P<version>.+))?"
    )
    for text in sorted(set(_texts(resource))):
        match = base.fullmatch(text)
        if match is None:
            continue
        if match["url"] not in versions:
            yield f"{text} is not in the package{_HOW.get(match[2], '')}"
        elif match["version"] not in (None, versions[match["url"]]):
            yield f"{text} is asked for, but the package holds {versions[match['url']]}"


def _texts(value: Any) -> Iterator[str]:  # noqa: ANN401 - raw JSON
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
