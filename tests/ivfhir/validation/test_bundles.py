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
        "https://x.example/docs/Leaflet/7",
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


def test_an_address_with_a_version_must_end_with_type_and_id_before_it():
    url = "https://x.example/fhir/Patient/other/_history/1"
    rules = {rule for rule, _ in issues(bundle({"fullUrl": url, "resource": PATIENT}))}
    assert rules == {"bdl-8", "full-url"}


def test_r4s_own_rules_of_a_bundle_are_asked():
    entry = {"fullUrl": "https://x.example/fhir/Patient/p", "resource": PATIENT}
    assert issues(bundle(entry, entry)) == [("bdl-7", "Bundle")]
    version = {**entry, "fullUrl": "https://x.example/fhir/Patient/p/_history/1"}
    assert issues(bundle(version)) == [("bdl-8", "Bundle.entry[0]")]
    assert ("bdl-3", "Bundle") in issues(bundle(entry, type_="transaction"))
    assert ("bdl-11", "Bundle") in issues(bundle(entry, type_="document"))


def searchset(*entries, url="https://x.example/Patient?name=x", relations=("self",)):
    links = [{"relation": each, "url": url} for each in relations]
    return bundle(*entries, type_="searchset") | {"link": links, "total": len(entries)}


def result(resource, **search):
    return {"resource": resource} | ({"search": search} if search else {})


OUTCOME = {
    "resourceType": "OperationOutcome",
    "issue": [{"severity": "warning", "code": "not-found"}],
    "text": TEXT,
}
GROUP = {"resourceType": "Group", "id": "g", "type": "person", "actual": True, "text": TEXT}
NAMELESS = {"resourceType": "Patient", "text": TEXT}


@pytest.mark.parametrize(
    "found",
    [
        searchset(result(PATIENT), result(PATIENT, mode="match")),
        searchset(result(GROUP, mode="include"), result(OUTCOME, mode="outcome"), result(OUTCOME)),
        searchset(result(GROUP), url="https://x.example?_type=Patient,Group"),
        searchset(result(GROUP), url="https://x.example/Patient/p/$everything"),
        searchset(result(GROUP), url="https://["),
        searchset(result(PATIENT), relations=("self", "next", "search", "search")),
    ],
)
def test_what_a_search_may_give_passes(found):
    assert issues(found) == []


@pytest.mark.parametrize(
    ("found", "rule", "expression"),
    [
        (searchset(result(NAMELESS)), "search-result", "Bundle.entry[0].resource"),
        (searchset(result(GROUP)), "search-result", "Bundle.entry[0].resource"),
        (searchset(result(PATIENT, mode="outcome")), "search-result", "Bundle.entry[0].resource"),
        (searchset(result(PATIENT), relations=("self", "next", "self")), "link", "Bundle.link[2]"),
    ],
)
def test_what_it_may_not_give_is_told(found, rule, expression):
    assert issues(found) == [(rule, expression)]


def versioned(*references):
    url = "https://x.example/Patient/p"
    versions = [
        {"fullUrl": url, "resource": PATIENT | {"meta": {"versionId": each}}} for each in "12"
    ]
    members = [{"entity": {"reference": each}} for each in references]
    group = {"fullUrl": "https://x.example/Group/g", "resource": GROUP | {"member": members}}
    header = {"resourceType": "MessageHeader", "id": "m", "text": TEXT}
    header |= {"eventUri": "urn:x:y", "source": {"endpoint": "urn:x:y"}}
    first = {"fullUrl": "https://x.example/MessageHeader/m", "resource": header}
    return bundle(first, *versions, group, type_="message")


def test_of_several_versions_a_reference_must_name_one():
    assert issues(versioned("Patient/p/_history/1")) == []
    for reference in ("Patient/p", "https://x.example/Patient/p"):
        found = issues(versioned("Patient/p/_history/1", reference))
        place = "Bundle.entry[3].resource.member[1].entity"
        assert found == [("reference-ambiguous", place)]
