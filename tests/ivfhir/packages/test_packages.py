"""Several packages answer in the order in which they were given."""

from ivfhir.packages import Packages, open_package
from tests.ivfhir.packages.making import MANIFEST, definition, write_folder

A = "http://x.example/A"


def packages(tmp_path, *given):
    opened = []
    for name, version, depends in given:
        manifest = {**MANIFEST, "name": name, "dependencies": depends}
        row = definition(A, version=version)
        opened.append(open_package(write_folder(tmp_path / name, row, manifest=manifest)))
    return Packages(opened)


def test_the_first_counts_and_others_are_named(tmp_path):
    both = packages(tmp_path, ("x", "1", {}), ("y", "2", {}))
    found = both.find("StructureDefinition", A)
    assert (found.resource["version"], found.package.name) == ("1", "x")
    assert found.others == ("y 1.0.0",)
    assert both.versions("StructureDefinition", A) == ["1", "2"]


def test_a_version_that_is_named_is_that_one(tmp_path):
    both = packages(tmp_path, ("x", "1", {}), ("y", "2", {}))
    found = both.find("StructureDefinition", f"{A}|2")
    assert (found.package.name, found.others) == ("y", ())
    assert both.find("StructureDefinition", f"{A}|3") is None


def test_the_same_definition_twice_is_one(tmp_path):
    assert (
        packages(tmp_path, ("x", "1", {}), ("y", "1", {})).find("StructureDefinition", A).others
        == ()
    )


def test_what_is_depended_on_and_not_given_is_missing(tmp_path):
    depends = {"y": "1.0.0", "z": "2.0.0", "hl7.fhir.r4.core": "4.0.1"}
    assert packages(tmp_path, ("x", "1", depends), ("y", "1", {})).missing == ["z 2.0.0"]
    assert Packages().find("StructureDefinition", A) is None
