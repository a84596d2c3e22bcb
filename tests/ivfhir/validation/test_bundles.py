"""The addresses of a Bundle's entries."""

import pytest

from ivfhir.validation import validate_resource

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
PATIENT = {"resourceType": "Patient", "id": "p", "text": TEXT}


def bundle(*entries, type_="collection"):
    return {"resourceType": "Bundle", "type": type_, "entry": list(entries)}


def issues(resource):
    return [(each.rule, each.expression) for each in validate_resource(resource)]


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/fhir/Patient/p",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "urn:oid:1.2.3",
        "https://x.example/whatever",
    ],
)
def test_an_absolute_address_that_fits_passes(url):
    assert issues(bundle({"fullUrl": url, "resource": PATIENT})) == []


@pytest.mark.parametrize(
    "url",
    [
        "Patient/p",
        "https://x.example/fhir/Patient/other",
        "https://x.example/fhir/Group/p",
    ],
)
def test_another_address_is_an_error(url):
    found = issues(bundle({"fullUrl": url, "resource": PATIENT}))
    assert found == [("full-url", "Bundle.entry[0].fullUrl")]


def test_r4s_own_rules_of_a_bundle_are_asked():
    entry = {"fullUrl": "https://x.example/fhir/Patient/p", "resource": PATIENT}
    assert issues(bundle(entry, entry)) == [("bdl-7", "Bundle")]
    version = {**entry, "fullUrl": "https://x.example/fhir/Patient/p/_history/1"}
    assert issues(bundle(version)) == [("bdl-8", "Bundle.entry[0]")]
    assert ("bdl-3", "Bundle") in issues(bundle(entry, type_="transaction"))
    assert ("bdl-11", "Bundle") in issues(bundle(entry, type_="document"))
