"""LUNG under other names: what a further protocol costs that uses the same facts."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.evaluate.engine import Answers
from benchmarks.evaluate.patients import PROJECT
from ivfhir.fhir.types import Resource

LUNG = PROJECT / "plan_definitions" / "lung"


def write_copies(folder: Path, count: int) -> list[str]:
    """Write LUNG as so many protocols, each with its own library, criteria and status.

    They include the same shared libraries as LUNG does, so the facts are the same.

    Args:
        folder: where; a folder a protocol.
        count: at most 9.

    Returns:
        The folders, for `load_asked`.
    """
    return [_write(folder / f"copy{number}", f"LUN{number}") for number in range(1, count + 1)]


def all_agree(answers: Answers, names: Sequence[str]) -> bool:
    """Return whether LUNG and its copies, of these names, decide each patient alike."""
    return all(
        len({text.replace(name, "LUNG") for text, name in zip(texts, names, strict=True)}) == 1
        for texts in answers
    )


def _write(folder: Path, name: str) -> str:
    (folder / "cql").mkdir(parents=True)
    for path in (LUNG / "cql").glob("*.json"):
        document = json.loads(path.read_text(encoding="utf-8"))
        _write_json(folder / "cql" / _renamed(path.name, name), _deep(document, name))
    for path in LUNG.glob("ActivityDefinition-*.json"):
        _copy(path, folder, name)
    _copy(LUNG / "PlanDefinition-LUNG.json", folder, name)
    return str(folder)


def _copy(path: Path, folder: Path, name: str) -> None:
    resource = json.loads(path.read_text(encoding="utf-8"))
    _write_json(folder / _renamed(path.name, name), _deep(resource, name))


def _write_json(path: Path, document: Resource) -> None:
    path.write_text(json.dumps(document), encoding="utf-8")


def _renamed(text: str, name: str) -> str:
    # What a site may change stands in a library that they share, under LUNG's name.
    return re.sub(r"(?<!At_)LUNG(?![a-z])", name, text)


def _deep(node: Any, name: str) -> Any:  # noqa: ANN401 - any JSON value
    """Return JSON with the protocol's name replaced wherever it stands in a text."""
    if isinstance(node, dict):
        return dict(_members(node, name))
    if isinstance(node, list):
        return [_deep(item, name) for item in node]
    return _renamed(node, name) if isinstance(node, str) else node


def _members(node: dict[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    for member, value in node.items():
        yield member, _deep(value, name)
