"""`resolve()`: contained, in the Bundle, and elsewhere."""

import pytest

from ivfhir.expressions.fhirpath import Services
from tests.ivfhir.expressions.fhirpath.asked import ask


def order(reference, *contained):
    return {
        "resourceType": "ServiceRequest",
        "id": "s",
        "subject": {"reference": reference},
        "contained": list(contained),
    }


def patient(id_, family):
    return {"resourceType": "Patient", "id": id_, "name": [{"family": family}]}


def test_a_contained_resource_is_found_in_its_own_container():
    bundle = {
        "resourceType": "Bundle",
        "entry": [
            {"resource": order("#p", patient("p", "First"))},
            {"resource": order("#p", patient("p", "Second"))},
        ],
    }
    text = "Bundle.entry.resource.ofType(ServiceRequest).subject.resolve().name.family"
    assert ask(text, bundle) == ["First", "Second"]


def test_a_hash_alone_is_the_container():
    inner = {"resourceType": "Provenance", "id": "v", "target": [{"reference": "#"}]}
    assert ask("contained.target.resolve().id", order("#v", inner)) == ["s"]


@pytest.mark.parametrize(
    ("reference", "full_url"),
    [
        ("urn:uuid:1", "urn:uuid:1"),
        ("http://a.example/Patient/p", "http://a.example/Patient/p"),
        ("Patient/p", "http://a.example/Patient/p"),
        ("Patient/p", "urn:uuid:1"),
        ("Patient/p/_history/3", "http://a.example/Patient/p"),
    ],
)
def test_an_entry_of_the_bundle_is_found(reference, full_url):
    entries = [
        {"resource": order(reference)},
        {"fullUrl": full_url, "resource": patient("p", "In")},
    ]
    bundle = {"resourceType": "Bundle", "entry": entries}
    assert ask("entry.resource.ofType(ServiceRequest).subject.resolve().name.family", bundle) == [
        "In"
    ]


def of_servers(own, *patients):
    """Return what the order of an address, or of none, finds as the Patient/p of others."""
    entries = [{"fullUrl": url, "resource": patient("p", family)} for url, family in patients]
    entries.append({"resource": order("Patient/p")} | ({"fullUrl": own} if own else {}))
    bundle = {"resourceType": "Bundle", "entry": entries}
    text = "entry.resource.ofType(ServiceRequest).subject.resolve().name.family"
    return ask(text, bundle)


A, B = ("http://a.example/Patient/p", "A"), ("http://b.example/Patient/p", "B")


@pytest.mark.parametrize(
    ("own", "patients", "expected"),
    [
        ("http://b.example/ServiceRequest/s", (A, B), ["B"]),
        ("http://a.example/ServiceRequest/s", (B, A), ["A"]),
        ("http://b.example/ServiceRequest/s", (A,), []),
        ("http://b.example/ServiceRequest/s", (A, ("urn:uuid:1", "U")), ["U"]),
        ("urn:uuid:2", (A, B), []),
        (None, (A, B), []),
        (None, (A,), ["A"]),
    ],
)
def test_the_same_id_on_another_server_is_another_resource(own, patients, expected):
    assert of_servers(own, *patients) == expected


def test_what_is_elsewhere_is_asked_of_the_services():
    elsewhere = Services(resolve=lambda reference: patient("x", reference))
    text = "subject.resolve().name.family"
    assert ask(text, order("Patient/x"), services=elsewhere) == ["Patient/x"]
    assert ask(text, order("Patient/x")) == []


def test_a_canonical_is_resolved_by_its_text():
    plan = {"resourceType": "CarePlan", "instantiatesCanonical": ["http://x.example/P|1"]}
    known = {"http://x.example/P|1": {"resourceType": "PlanDefinition", "id": "P"}}
    assert ask(
        "instantiatesCanonical.resolve().id", plan, services=Services(resolve=known.get)
    ) == ["P"]
