"""Finding the files of a protocol."""

import json

import pytest

from ivfhir.errors import KnowledgeError
from ivfhir.knowledge.package import ProtocolPackage, read_json

BASE = "https://example.org/fhir"


def write(path, content):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def activity(name, version="1"):
    return {
        "resourceType": "ActivityDefinition",
        "url": f"{BASE}/ActivityDefinition/{name}",
        "version": version,
    }


def elm(name, version="1", includes=()):
    found = [{"localIdentifier": x, "path": x, "version": v} for x, v in includes]
    identifier = {"id": name, "version": version}
    return {"library": {"identifier": identifier, "includes": {"def": found}}}


@pytest.fixture
def package(tmp_path):
    folder = tmp_path / "plan_definitions" / "mine"
    folder.mkdir(parents=True)
    return ProtocolPackage(folder)


def test_own_file_comes_before_the_shared_one(package):
    write(package.folder / "ActivityDefinition-a.json", activity("a", "2"))
    write(package.folder.parent / "shared" / "ActivityDefinition-a.json", activity("a", "1"))
    assert package.resolve("ActivityDefinition", f"{BASE}/ActivityDefinition/a")["version"] == "2"


def test_shared_file_is_found(package):
    write(package.folder.parent / "shared" / "ActivityDefinition-a.json", activity("a"))
    found = package.resolve("ActivityDefinition", f"{BASE}/ActivityDefinition/a|1")
    assert found["url"] == f"{BASE}/ActivityDefinition/a"


def test_our_shared_files_serve_a_folder_elsewhere(package):
    canonical = "https://ivfhir.example/fhir/ValueSet/dx-lung"
    assert package.resolve("ValueSet", canonical)["expansion"]["contains"]


@pytest.mark.parametrize(
    ("canonical", "words"),
    [
        (f"{BASE}/ActivityDefinition/b|1", "is not in"),
        (f"{BASE}/ActivityDefinition/a|2", "make url and version agree"),
        ("https://other.example/ActivityDefinition/a|1", "make url and version agree"),
    ],
)
def test_what_is_not_there_is_named(package, canonical, words):
    write(package.folder / "ActivityDefinition-a.json", activity("a"))
    with pytest.raises(KnowledgeError, match=words):
        package.resolve("ActivityDefinition", canonical)


def test_elm_comes_with_all_it_includes_each_once(package):
    shared = package.folder.parent / "shared" / "cql"
    write(package.folder / "cql" / "Main.json", elm("Main", "1", [("A", "1"), ("B", "1")]))
    write(shared / "A.json", elm("A", "1", [("B", "1")]))
    write(shared / "B-1.json", elm("B", "1"))
    documents = package.elm(f"{BASE}/Library/Main|1")
    names = [document["library"]["identifier"]["id"] for document in documents]
    assert names[0] == "Main"
    assert sorted(names) == ["A", "B", "Main"]


@pytest.mark.parametrize(
    ("version", "content", "words"),
    [
        ("2", elm("Main", "1"), "make the versions agree"),
        ("1", {"cql": 1}, "is not ELM"),
        ("1", [1], "not a JSON object"),
    ],
)
def test_wrong_elm_is_refused(package, version, content, words):
    write(package.folder / "cql" / "Main.json", content)
    with pytest.raises(KnowledgeError, match=words):
        package.elm(f"{BASE}/Library/Main|{version}")


def test_missing_elm_says_how_to_make_it(package):
    with pytest.raises(KnowledgeError, match="make knowledge"):
        package.elm(f"{BASE}/Library/Main|1")


def test_broken_json_is_named(tmp_path):
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(KnowledgeError, match=r"x\.json cannot be read"):
        read_json(tmp_path / "x.json")
