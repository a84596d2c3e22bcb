"""A reference names a resource of a type that R4 allows."""

import pytest

from ivfhir.validation import validate_resource

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}


def observation(*contained, **subject):
    made = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "text": TEXT}
    made["subject"] = subject
    return made | ({"contained": list(contained)} if contained else {})


def issues(resource):
    return [(each.rule, each.expression, each.text) for each in validate_resource(resource)]


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/1",
        "Patient/1/_history/2",
        "https://x.example/fhir/Group/1",
        "urn:uuid:c757873d-ec9a-4326-a141-556f43239520",
        "https://x.example/anything",
        "Patient?identifier=http://x.example|1",
    ],
)
def test_an_allowed_or_unknown_target_passes(reference):
    assert issues(observation(reference=reference)) == []


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ("Something/1", "names a 'Something', which FHIR R4 does not have"),
        ("Something?identifier=1", "is no reference"),
        ("Patient/a b/?", "is no reference"),
        ("Patient", "is no reference"),
        ("Patient/1\n", "is no reference"),
        ("https://x.example/a b", "is no reference"),
        ("Patient/a_b", "names an id that is no id"),
        ("Patient/" + "a" * 65, "names an id that is no id"),
    ],
)
def test_what_can_lead_nowhere_is_told(reference, said):
    found = issues(observation(reference=reference))
    assert [each[:2] for each in found] == [("reference-form", "Observation.subject")]
    assert said in found[0][2]


def test_a_uuid_that_its_own_bundle_does_not_have_is_a_warning():
    url = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
    other = {"fullUrl": url[:-1] + "1", "resource": {"resourceType": "Patient", "text": TEXT}}
    bundle = {"resourceType": "Bundle", "type": "collection"}
    lone = {**bundle, "entry": [{"resource": observation(reference=url)}, other]}
    found = [(each.severity, each.rule) for each in validate_resource(lone)]
    assert found == [("warning", "reference-unresolved")]
    inner = {**bundle, "entry": [{"resource": observation(reference=other["fullUrl"])}, other]}
    assert issues({**bundle, "entry": [{"resource": inner}]}) == []


@pytest.mark.parametrize("reference", ["Organization/1", "https://x.example/fhir/Organization/1"])
def test_another_target_is_told_with_what_is_allowed(reference):
    assert issues(observation(reference=reference)) == [
        (
            "reference-target",
            "Observation.subject",
            "Observation.subject names an Organization; "
            "R4 allows Patient, Group, Device or Location.",
        )
    ]


def test_a_contained_target_counts_by_its_own_type():
    inside = {"resourceType": "Practitioner", "id": "p"}
    found = issues(observation(inside, reference="#p"))
    assert [each[:2] for each in found] == [("reference-target", "Observation.subject")]
    assert issues(observation({"resourceType": "Patient", "id": "p"}, reference="#p")) == []


@pytest.mark.parametrize(("name", "count"), [("Patient", 0), ("Organization", 1)])
def test_an_entry_of_the_bundle_counts_by_its_own_type(name, count):
    url = "urn:uuid:c757873d-ec9a-4326-a141-556f43239520"
    other = {"resourceType": name, "text": TEXT} | ({"name": "n"} if count else {})
    entries = [{"resource": observation(reference=url)}, {"fullUrl": url, "resource": other}]
    found = issues({"resourceType": "Bundle", "type": "collection", "entry": entries})
    assert [each[0] for each in found] == ["reference-target"] * count


def test_the_type_that_is_said_must_be_the_one_that_is_named():
    assert [each[0] for each in issues(observation(reference="Patient/1", type="Group"))] == [
        "reference-type"
    ]
    assert [each[0] for each in issues(observation(type="Encounter", display="x"))] == [
        "reference-target"
    ]
    assert issues(observation(reference="Patient/1", type="Patient")) == []


@pytest.mark.parametrize("said", ["Patiennt", "http://hl7.org/fhir/StructureDefinition/Patient"])
def test_the_type_that_is_said_is_one_of_r4(said):
    found = validate_resource(observation(reference="Patient/1", type=said))
    assert [(each.severity, each.rule, each.expression) for each in found] == [
        ("warning", "binding-extensible", "Observation.subject.type")
    ]


@pytest.mark.parametrize("code", ["http://hl7.org/fhirpath/System.String", "string"])
def test_the_type_of_an_element_may_be_one_of_fhirpath(code):
    element = {"id": "x", "path": "X.x", "type": [{"code": code}]}
    definition = {
        "resourceType": "StructureDefinition",
        "text": TEXT,
        "url": "http://x.example/X",
        "name": "X",
        "status": "draft",
        "kind": "logical",
        "abstract": False,
        "type": "http://x.example/X",
        "differential": {"element": [element]},
    }
    assert [each for each in issues(definition) if each[0].startswith("binding")] == []
