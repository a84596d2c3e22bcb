"""The bill of materials lists what a deployment installs, by version, with usable licences."""

import re

import pytest

import ivfhir
from tools.supply.lock import LOCK, locked_here
from tools.supply.sbom import licences, write_sbom

BARRED = r"AFFERO|GENERAL PUBLIC LICENSE V2 OR LATER \(GPL|(?<!L)GPL|PROPRIETARY|COMMERCIAL"
A_CHOICE = {"pyphen"}
"""Packages whose licences are alternatives, for the user to choose from, as their LICENSE says."""


@pytest.fixture(scope="module")
def sbom(tmp_path_factory):
    return write_sbom(tmp_path_factory.mktemp("sbom") / "ivfhir.cdx.json")


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_its_subject_is_this_version(sbom):
    subject = sbom["metadata"]["component"]
    assert (subject["name"], subject["version"]) == ("ivfhir", ivfhir.__version__)
    assert (sbom["bomFormat"], sbom["specVersion"]) == ("CycloneDX", "1.6")


def test_its_components_are_the_locked_packages_and_no_others(sbom):
    found = {canonical(each["name"]): each["version"] for each in sbom["components"]}
    assert found == locked_here()


def test_each_component_can_be_looked_up_for_vulnerabilities(sbom):
    assert all(each["purl"].startswith("pkg:pypi/") for each in sbom["components"])


def test_each_licence_lets_a_hospital_use_it(sbom):
    """No AGPL and nothing proprietary; the GPL proper would bind the whole app."""
    for component in sbom["components"]:
        declared = licences(component)
        assert declared, component["name"]
        barred = [re.search(BARRED, licence.upper()) for licence in declared]
        some_must_do = any if component["name"] in A_CHOICE else all
        assert some_must_do(each is None for each in barred), component["name"]


def test_every_locked_package_has_its_hashes():
    entries = re.split(r"\n(?=[a-z0-9])", LOCK.read_text(encoding="utf-8"))[1:]
    assert len(entries) >= len(locked_here())
    for entry in entries:
        assert "--hash=sha256:" in entry, entry.splitlines()[0]
