"""A profile that is asked for is asked of whatever fits, or it is said that nothing does."""

import pytest

from ivfhir.validation import validate_resource
from tests.ivfhir.validation.profile.making import BASE, TEXT, observation, profile, profiles

P = profile("P", ("Observation.subject", {"min": 1}))
Q = profile("Q", ("Patient.birthDate", {"min": 1}), of="Patient")
PATIENT = {"resourceType": "Patient", "text": TEXT}
GROUP = {"resourceType": "Group", "text": TEXT, "type": "person", "actual": True}


def bundle(*resources):
    entries = [
        {"fullUrl": f"urn:uuid:2a3d7a72-9b4a-4ba4-9d8a-2a3d7a72000{number}", "resource": each}
        for number, each in enumerate(resources)
    ]
    whole = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    return whole if entries else {"resourceType": "Bundle", "type": "collection"}


def parameters(*resources):
    rows = [{"name": "x", "resource": each} for each in resources]
    return {"resourceType": "Parameters", "parameter": rows}


def told(resource, *names):
    known = profiles(P, Q)
    rows = validate_resource(resource, known, [BASE + each for each in names])
    return [(each.severity, each.rule, each.expression) for each in rows]


@pytest.mark.parametrize("whole", [bundle, parameters])
def test_what_is_inside_is_asked_for_the_profile_of_its_type(whole):
    found = told(whole(GROUP, observation(), PATIENT), "P", "Q")
    assert [(severity, rule) for severity, rule, _ in found] == [
        ("error", "profile-cardinality"),
        ("error", "profile-cardinality"),
    ]


@pytest.mark.parametrize("whole", [bundle(), bundle(GROUP), parameters(GROUP)])
def test_a_profile_that_fits_nothing_is_an_error(whole):
    place = whole["resourceType"]
    assert told(whole, "P") == [("error", "profile-type", place)]
    assert told(whole, "P", "Q") == [("error", "profile-type", place)] * 2
    assert told(whole) == []


def test_what_is_contained_is_not_meant():
    inside = {"resourceType": "Patient", "id": "p"}
    resource = observation(contained=[inside], subject={"reference": "#p"})
    assert told(bundle(resource), "Q") == [("error", "profile-type", "Bundle")]


def test_beside_one_that_fits_it_is_a_warning():
    right = {**PATIENT, "birthDate": "2000"}
    assert told(bundle(right), "P", "Q") == [("warning", "profile-type", "Bundle")]


def test_a_message_says_what_the_profile_is_for():
    found = validate_resource(bundle(PATIENT), profiles(P), [BASE + "P"])
    assert [each.text for each in found] == [
        "Bundle holds no Observation, which P 1.0 is for, so it was asked of nothing; ask for a "
        "profile of what is in it."
    ]


def test_another_resource_than_it_is_for_is_an_error():
    assert told(GROUP, "P") == [("error", "profile-type", "Group")]
    assert told(PATIENT, "P", "Q") == [("error", "profile-cardinality", "Patient")]
