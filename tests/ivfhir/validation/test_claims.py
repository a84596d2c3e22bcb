"""A profile that is claimed and not checked is said."""

import pytest

from ivfhir.validation import validate_resource

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
BASE = "http://hl7.org/fhir/StructureDefinition/"


def patient(*profiles):
    return {"resourceType": "Patient", "meta": {"profile": list(profiles)}, "text": TEXT}


def told(resource):
    return [(e.severity, e.rule, e.expression, e.pointer) for e in validate_resource(resource)]


def test_each_profile_that_is_claimed_is_said():
    assert told(patient(f"{BASE}Patient", "http://x.example/P|1", "http://x.example/Q")) == [
        (
            "information",
            "profile",
            f"Patient.meta.profile[{index}]",
            ("meta", "profile", index),
        )
        for index in (1, 2)
    ]


def test_also_in_a_bundle():
    entry = {"resource": patient("http://x.example/P")}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [entry]}
    assert [each[2] for each in told(bundle)] == ["Bundle.entry[0].resource.meta.profile[0]"]


@pytest.mark.parametrize("claim", [f"{BASE}Patient", f"{BASE}Patient|4.0.1"])
def test_the_profile_of_its_own_type_was_checked(claim):
    assert told(patient(claim)) == []


def test_the_profile_of_another_type_was_not():
    assert [each[1] for each in told(patient(f"{BASE}Group"))] == ["profile"]


@pytest.mark.parametrize("meta", [{"profile": "x"}, {"profile": [5]}, []])
def test_meta_of_another_shape_is_told_by_its_shape(meta):
    found = told({**patient(), "meta": meta})
    assert {each[0] for each in found} == {"error"}
    assert "profile" not in {each[1] for each in found}
