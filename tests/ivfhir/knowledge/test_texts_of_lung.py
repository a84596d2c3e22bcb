"""What clinicians read of LUNG: sources that can be opened, no id where words should stand."""

import re
from collections.abc import Iterator

import pytest

from ivfhir.fhir.types import Resource
from ivfhir.knowledge.package import read_json
from tests.cases.case import KNOWLEDGE

LUNG = KNOWLEDGE / "lung"
DEFINITIONS = sorted(LUNG.glob("*Definition-*.json"))
READ = frozenset({"title", "description", "text", "display", "citation", "contentString"})
ID_OF_AN_ACTION_OR_GATE = re.compile(r"LUNG-[A-Z]+\d")
PARAMETER = re.compile(r"\b[a-z]+_[a-z_]+\b")


def texts(element: object, name: str = "") -> Iterator[str]:
    """Yield every text that a clinician may read, wherever it stands."""
    if isinstance(element, dict):
        for key, each in element.items():
            yield from texts(each, key)
    elif isinstance(element, list):
        for each in element:
            yield from texts(each, name)
    elif name in READ and isinstance(element, str):
        yield element


def related(definition: Resource) -> list[Resource]:
    return [each for each in definition.get("relatedArtifact", []) if each["type"] == "citation"]


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_no_id_and_no_name_of_a_parameter_stands_in_a_text(path):
    for text in texts(read_json(path)):
        assert not ID_OF_AN_ACTION_OR_GATE.search(text), text
        assert not PARAMETER.search(text.replace("000_70eb6568930901aa.txt", "")), text
        assert not re.search(r"\[R\d+\]|by default", text), text


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_no_citation_begins_with_a_mark(path):
    marked = [text for text in texts(read_json(path)) if re.match(r"(S\d-\d\d|R\d+)\b.*?: ", text)]
    assert marked == []


@pytest.mark.parametrize("path", DEFINITIONS, ids=lambda path: path.stem)
def test_a_citation_with_a_doi_can_be_opened(path):
    for citation in related(read_json(path)):
        dois = re.findall(r"doi (10\.[^\s;,]+\d[^\s;,:.)]*)", citation.get("citation", ""))
        if dois:
            assert citation["url"].startswith("https://doi.org/10."), citation
            assert citation["url"].removeprefix("https://doi.org/") in citation["citation"]
