"""A package is opened from a folder or a .tgz alike."""

import json

import pytest

from ivfhir.errors import InputError
from ivfhir.packages import package as package_module
from ivfhir.packages.package import canonical_of, open_package
from tests.ivfhir.packages.making import MANIFEST, definition, write_folder, write_tgz

A, B = "http://x.example/A", "http://x.example/B"


@pytest.fixture(params=["folder", "tgz"])
def write(request, tmp_path):
    if request.param == "folder":
        return lambda *rows, **more: write_folder(tmp_path / "p", *rows, **more)
    return lambda *rows, **more: write_tgz(tmp_path / "p.tgz", *rows, **more)


def test_a_definition_is_found_by_its_type_and_url(write):
    package = open_package(write(definition(A, version="2"), definition(A, "ValueSet")))
    assert package.label == "x.example 1.0.0"
    assert [each["version"] for each in package.defined("StructureDefinition", A)] == ["2"]
    assert [each["resourceType"] for each in package.defined("ValueSet", A)] == ["ValueSet"]
    assert package.defined("StructureDefinition", B) == []


def test_it_says_what_it_depends_on(write):
    depends = {**MANIFEST, "dependencies": {"y.example": "3.0.0"}}
    assert open_package(write(definition(A), manifest=depends)).dependencies == {
        "y.example": "3.0.0"
    }


@pytest.mark.parametrize("versions", [["5.0.0"], ["3.0.2", "4.3.0"]])
def test_a_package_of_another_fhir_is_refused(write, versions):
    path = write(definition(A), manifest={**MANIFEST, "fhirVersions": versions})
    with pytest.raises(InputError, match=r"give the one for R4 \(4\.0\.1\)"):
        open_package(path)


def test_a_package_without_definitions_is_refused(write):
    with pytest.raises(InputError, match="holds no StructureDefinition"):
        open_package(write())


def test_a_folder_of_definitions_needs_no_manifest(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(definition(A)))
    package = open_package(tmp_path)
    assert package.label == tmp_path.name
    assert package.defined("StructureDefinition", A)


def test_an_archive_needs_one(tmp_path):
    path = write_tgz(tmp_path / "p.tgz", definition(A), manifest=None)
    with pytest.raises(InputError, match="holds no package/"):
        open_package(path)


@pytest.mark.parametrize(
    ("text", "said"), [("", "is empty"), ("<x/>", "is XML"), ("[", "not JSON")]
)
def test_what_is_no_json_is_told_with_its_name(tmp_path, text, said):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(InputError, match=said) as caught:
        open_package(tmp_path)
    assert "a.json of" in caught.value.message


def test_json_that_breaks_off_later_is_told_when_it_is_read(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(definition(A))[:-1])
    package = open_package(tmp_path)
    with pytest.raises(InputError, match="is it cut off"):
        package.defined("StructureDefinition", A)


@pytest.mark.parametrize(
    "text",
    [
        '{"resourceType":"StructureDefinition","text":{"div":"x"',
        '{"resourceType":"StructureDefinition","text":{"div":"x"}',
        '{"resourceType":"StructureDefinition","name":"x',
        '{"text":{"div":"x"}',
        '{"id":"x",',
    ],
)
def test_json_that_breaks_off_before_it_is_known_what_it_is_is_told(tmp_path, text):
    path = write_folder(tmp_path / "p", definition(B))
    (path / "package" / "cut.json").write_text(text)
    with pytest.raises(InputError, match=r"cut\.json of .* is it cut off"):
        open_package(path)


def test_a_definition_that_is_too_large_to_be_read_is_refused(write, monkeypatch):
    monkeypatch.setattr(package_module, "MAX_DEFINITION", 2**20)
    with pytest.raises(InputError, match="a definition of more than 1 MB"):
        open_package(write(definition(A), definition(B, text={"div": "x" * 2**20})))


def test_not_all_that_was_read_is_kept(tmp_path, monkeypatch):
    monkeypatch.setattr(package_module, "KEPT", 2)
    rows = [definition(f"{A}{number}") for number in range(5)]
    package = open_package(write_folder(tmp_path / "p", *rows))
    for number in (0, 1, 2, 3, 4, 0):
        assert package.defined("StructureDefinition", f"{A}{number}")[0]["url"] == f"{A}{number}"
        assert len(package.parsed) <= 2


def test_no_more_is_read_than_is_needed():
    assert canonical_of('{"resourceType":"ValueSet","url":"u",!', place="x") == ("ValueSet", "u")
    assert canonical_of('{"resourceType":"Patient",!', place="x") is None
    assert canonical_of('{"url":"u","resourceType":"ValueSet"}', place="x") == ("ValueSet", "u")


def test_what_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="is not there; give the folder"):
        open_package(tmp_path / "none")
