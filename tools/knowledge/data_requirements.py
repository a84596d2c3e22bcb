"""Read from ELM which FHIR types and value sets a library retrieves."""

from collections.abc import Iterator
from typing import Any


def data_requirements(elm: dict[str, Any]) -> list[dict[str, Any]]:
    """Return one DataRequirement for each FHIR type and value set that is retrieved, sorted.

    Args:
        elm: the `library` object of an ELM file; libraries that it includes say their own.
    """
    value_sets = {each["name"]: each["id"] for each in elm.get("valueSets", {}).get("def", [])}
    found = set()
    for retrieve in _retrieves(elm.get("statements", {})):
        fhir_type = retrieve["dataType"].rpartition("}")[2]
        found.add((fhir_type, retrieve.get("codeProperty", ""), _value_set(retrieve, value_sets)))
    return [_requirement(*each) for each in sorted(found)]


def _requirement(fhir_type: str, path: str, value_set: str) -> dict[str, Any]:
    if not value_set:
        return {"type": fhir_type}
    return {"type": fhir_type, "codeFilter": [{"path": path, "valueSet": value_set}]}


def _retrieves(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if node.get("type") == "Retrieve":
            yield node
        for value in node.values():
            yield from _retrieves(value)
    elif isinstance(node, list):
        for value in node:
            yield from _retrieves(value)


def _value_set(retrieve: dict[str, Any], value_sets: dict[str, str]) -> str:
    """Find the value set within `codes`, however it is wrapped; empty when there is none."""
    pending = [retrieve.get("codes")]
    while pending:
        node = pending.pop()
        if isinstance(node, dict):
            if node.get("type") == "ValueSetRef" and node["name"] in value_sets:
                return value_sets[node["name"]]
            pending.extend(node.values())
    return ""
