"""Contained resources lifted out."""

from copy import deepcopy

from ivfhir.fhir.contained import collection_bundle, lift_contained

PLAN = {
    "resourceType": "CarePlan",
    "contained": [
        {
            "resourceType": "RequestGroup",
            "id": "g",
            "subject": {"reference": "Patient/p"},
            "action": [{"action": [{"resource": {"reference": "#r.1"}}]}],
        },
        {"resourceType": "ServiceRequest", "id": "r.1", "subject": {"reference": "Patient/p"}},
    ],
    "subject": {"reference": "Patient/p"},
    "activity": [{"reference": {"reference": "#g"}}],
}


def test_references_follow_the_lifted_resources():
    before = deepcopy(PLAN)
    lifted = lift_contained(PLAN, lambda each: f"urn:x:{each.get('id', 'plan')}")
    assert list(lifted) == ["urn:x:plan", "urn:x:g", "urn:x:r.1"]
    assert "contained" not in lifted["urn:x:plan"]
    assert lifted["urn:x:plan"]["activity"] == [{"reference": {"reference": "urn:x:g"}}]
    nested = lifted["urn:x:g"]["action"][0]["action"][0]
    assert nested["resource"] == {"reference": "urn:x:r.1"}
    assert lifted["urn:x:r.1"]["subject"] == {"reference": "Patient/p"}
    assert before == PLAN


def test_bundle_has_a_url_for_each_resource_and_is_the_same_every_time():
    bundle = collection_bundle(PLAN)
    urls = [entry["fullUrl"] for entry in bundle["entry"]]
    assert bundle["type"] == "collection"
    assert [entry["resource"]["resourceType"] for entry in bundle["entry"]] == [
        "CarePlan",
        "RequestGroup",
        "ServiceRequest",
    ]
    assert len(set(urls)) == 3
    assert all(url.startswith("urn:uuid:") for url in urls)
    assert collection_bundle(deepcopy(PLAN)) == bundle
    other = collection_bundle(PLAN | {"title": "another"})
    assert not set(urls) & {entry["fullUrl"] for entry in other["entry"]}
