"""The shape of a resource: each fault is found once, at its place."""

import copy

import pytest

from ivfhir.validation import validate_resource

PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "birthDate": "1960",
    "_birthDate": {"extension": [{"url": "http://x.example", "valueString": "x"}]},
    "name": [{"family": "a", "given": ["b", None], "_given": [None, {"id": "c"}]}],
    "deceasedBoolean": False,
    "contained": [{"resourceType": "Organization", "id": "o", "name": "n"}],
    "communication": [{"language": {"text": "sv"}}],
    "managingOrganization": {"reference": "#o"},
    "text": {
        "status": "generated",
        "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>',
    },
}


def changed(**members):
    found = copy.deepcopy(PATIENT) | members
    return {name: value for name, value in found.items() if value is not ...}


def issues(resource):
    return [(each.rule, each.expression) for each in validate_resource(resource)]


def test_what_is_right_has_no_issue():
    assert issues(PATIENT) == []


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (changed(nme=[]), ("unknown-element", "Patient.nme")),
        (changed(deceased=True), ("unknown-element", "Patient.deceased")),
        (changed(_name=[{"id": "x"}]), ("unknown-element", "Patient.name")),
        (changed(_id={"id": "x"}), ("unknown-element", "Patient.id")),
        (changed(deceasedDateTime="2020"), ("choice", "Patient.deceased")),
        (changed(communication=[{"preferred": True}]), ("cardinality", "Patient.communication[0]")),
        (changed(name={"family": "a"}), ("json-shape", "Patient.name")),
        (changed(gender=["male"]), ("json-shape", "Patient.gender")),
        (changed(name=[]), ("json-shape", "Patient.name")),
        (changed(name=[{}]), ("json-shape", "Patient.name[0]")),
        (changed(name=[None]), ("json-shape", "Patient.name[0]")),
        (changed(name=["a"]), ("json-shape", "Patient.name[0]")),
        (changed(gender=None), ("json-shape", "Patient.gender")),
        (changed(name=[{"given": [None]}]), ("json-shape", "Patient.name[0].given[0]")),
        (
            changed(name=[{"given": ["a"], "_given": [None, {"id": "x"}]}]),
            ("sibling", "Patient.name[0].given"),
        ),
        (changed(_birthDate={}), ("json-shape", "Patient.birthDate")),
        (changed(_birthDate="x"), ("json-shape", "Patient.birthDate")),
        (changed(_birthDate={"value": "x"}), ("unknown-element", "Patient.birthDate.value")),
        (changed(birthDate="1960-1"), ("type-date", "Patient.birthDate")),
        (changed(deceasedBoolean="no"), ("type-boolean", "Patient.deceased.ofType(boolean)")),
        (
            changed(managingOrganization=..., contained=[{"name": "x"}]),
            ("resource-type", "Patient.contained[0]"),
        ),
        (
            changed(managingOrganization=..., contained=[{"resourceType": "Nothing"}]),
            ("resource-type", "Patient.contained[0]"),
        ),
        (
            changed(managingOrganization=..., contained=[{"resourceType": "DomainResource"}]),
            ("resource-type", "Patient.contained[0]"),
        ),
        (
            changed(managingOrganization=..., contained=["x"]),
            ("resource-type", "Patient.contained[0]"),
        ),
        (
            changed(
                managingOrganization=...,
                contained=[{"resourceType": "Organization", "name": "n", "x": 1}],
            ),
            ("unknown-element", "Patient.contained[0].x"),
        ),
        (
            changed(contact=[{"name": {"resourceType": "Patient"}}]),
            ("unknown-element", "Patient.contact[0].name.resourceType"),
        ),
        (
            {"resourceType": "Observation", "text": PATIENT["text"], "code": {"text": "x"}},
            ("cardinality", "Observation"),
        ),
        ([], ("resource-type", "Resource")),
        ({"resourceType": 5}, ("resource-type", "Resource")),
    ],
)
def test_a_fault_is_found_once_at_its_place(resource, expected):
    assert issues(resource) == [expected]


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (changed(nme=1), "is name meant?"),
        (changed(Gender="male"), "is gender meant?"),
        (changed(deceased=True), "is deceasedBoolean meant?"),
        (changed(zzzzzz=1), "say it as an extension"),
        (changed(gender=["male"]), "take it out of the array"),
        (changed(name={}), "put it in an array"),
        (changed(communication=[{"preferred": True}]), "has no language; R4 asks for it"),
    ],
)
def test_a_message_says_how_to_mend_it(resource, said):
    assert said in validate_resource(resource)[0].text


def test_where_it_stands_in_json_is_told_too():
    issue = validate_resource(changed(name=[{"given": ["a", 5]}]))[0]
    assert issue.pointer == ("name", 0, "given", 1)
    assert (issue.severity, issue.code) == ("error", "value")


def test_who_has_thousands_of_faults_gets_a_thousand():
    found = validate_resource(changed(name=[{"x": 1}] * 5000))
    assert [each.rule for each in found[1000:]] == ["too-many"]


def test_an_error_after_a_thousand_warnings_is_told():
    bare = {"resource": {"resourceType": "Patient"}}  # R4's rule dom-6 is a warning
    last = {"resource": {"resourceType": "Patient", "active": "yes"}}
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [*[bare] * 1000, last]}
    found = validate_resource(bundle)
    assert [each.rule for each in found if each.severity == "error"] == ["type-boolean"]
    assert [(each.severity, each.rule) for each in found[1000:]] == [("information", "too-many")]


def test_a_thousand_issues_are_told_whole():
    found = validate_resource(changed(name=[{"x": 1}] * 1000))
    assert {each.rule for each in found} == {"unknown-element"}
    assert len(found) == 1000


def test_a_resource_is_not_changed():
    before = copy.deepcopy(PATIENT)
    validate_resource(PATIENT)
    assert before == PATIENT
