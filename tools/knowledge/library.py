"""Build the Library resource of each CQL file from the CQL and its ELM."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.knowledge.data_requirements import data_requirements
from tools.knowledge.layout import CANONICAL_BASE, HELPERS, RELEASE_DATE, Layout, elm_of, to_bytes

LIBRARY_TYPE = {
    "system": "http://terminology.hl7.org/CodeSystem/library-type",
    "code": "logic-library",
    "display": "Logic Library",
}
SYSTEM_TYPE = "{urn:hl7-org:elm-types:r1}"
FHIR_TYPES = {
    "Boolean": "boolean",
    "Date": "date",
    "DateTime": "dateTime",
    "Decimal": "decimal",
    "Integer": "integer",
    "Quantity": "Quantity",
    "String": "string",
}


def library_files(layout: Layout) -> Iterator[tuple[Path, bytes]]:
    """Yield path and content of each Library file; a CQL file without ELM is passed over."""
    for cql in layout.cql_files():
        if elm_of(cql).is_file():
            library = build_library(cql.read_bytes(), elm_of(cql).read_bytes())
            yield cql.parent.parent / f"Library-{library['id']}.json", to_bytes(library)


def build_library(cql: bytes, elm: bytes) -> dict[str, Any]:
    """Return the Library that carries this CQL and its ELM, and says what they depend on.

    Raises:
        ValueError: the CQL has no comment before `library`, or a parameter has a type that has
            no FHIR name.
    """
    content = json.loads(elm)["library"]
    name = content["identifier"]["id"]
    title, description = _header(name, cql.decode())
    return {
        "resourceType": "Library",
        "id": name,
        "url": f"{CANONICAL_BASE}/Library/{name}",
        "version": content["identifier"]["version"],
        "name": name,
        "title": title,
        "status": "draft",
        "experimental": True,
        "type": {"coding": [LIBRARY_TYPE]},
        "date": RELEASE_DATE,
        "publisher": "ivfhir",
        "description": description,
        "lastReviewDate": RELEASE_DATE,
        **_named("copyright", _copyright(name)),
        **_named("relatedArtifact", _related_artifacts(content)),
        **_named("parameter", _parameters(content)),
        **_named("dataRequirement", data_requirements(content)),
        "content": [
            {"contentType": "text/cql", "data": base64.b64encode(cql).decode()},
            {"contentType": "application/elm+json", "data": base64.b64encode(elm).decode()},
        ],
    }


def _header(name: str, cql: str) -> tuple[str, str]:
    """Split the comment above `library` into its first sentence, the title, and all of it."""
    before = re.split(r"^library\s", cql, maxsplit=1, flags=re.MULTILINE)[0]
    text = re.sub(r"/\*+|\*+/|^\s*//+|^\s*\*+|@\w+:", " ", before, flags=re.MULTILINE)
    words = " ".join(text.split())
    if not words:
        raise ValueError(f"{name}.cql: a comment before `library` must say what it is for")
    return (f"{name} for FHIR R4" if name == HELPERS else _first_sentence(words)), words


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.:;])\s", text, maxsplit=1)[0].rstrip(".:;")


def _copyright(name: str) -> str | None:
    if name != HELPERS:
        return None
    return "© contributors of the Clinical Quality Language project, Apache-2.0; unchanged."


def _related_artifacts(elm: dict[str, Any]) -> list[dict[str, Any]]:
    includes = [
        f"{CANONICAL_BASE}/Library/{include['path']}|{include['version']}"
        for include in _definitions(elm, "includes")
    ]
    value_sets = [
        each["id"] + (f"|{each['version']}" if "version" in each else "")
        for each in _definitions(elm, "valueSets")
    ]
    return [{"type": "depends-on", "resource": canonical} for canonical in includes + value_sets]


def _parameters(elm: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": each["name"], "use": "in", "min": 0, "max": "1", "type": _fhir_type(each)}
        for each in _definitions(elm, "parameters")
    ]


def _fhir_type(parameter: dict[str, Any]) -> str:
    declared = parameter.get("parameterTypeSpecifier", {}).get("name", "")
    fhir_type = FHIR_TYPES.get(declared.removeprefix(SYSTEM_TYPE))
    if fhir_type is None:
        raise ValueError(f"parameter {parameter['name']}: declare one of {', '.join(FHIR_TYPES)}")
    return fhir_type


def _definitions(elm: dict[str, Any], section: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = elm.get(section, {}).get("def", [])
    return found


def _named(key: str, value: object) -> dict[str, Any]:
    return {key: value} if value else {}
