"""FHIR's own functions."""

import pytest

from ivfhir.errors import FhirPathError
from ivfhir.expressions.fhirpath import Services
from ivfhir.validation import conforms, validate_resource
from tests.ivfhir.expressions.fhirpath.asked import PATIENT, ask, ask_all_ways


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("birthDate.extension('http://x.example/why').value", ["told"]),
        ("birthDate.extension('x')", []),
        ("extension('x')", []),
        ("birthDate.hasValue()", [True]),
        ("name.given[2].hasValue()", [False]),
        ("name[0].hasValue()", [False]),
        ("name.given.hasValue()", [False]),
        ("gender.getValue()", ["female"]),
        ("name.given[2].getValue()", []),
        ("conformsTo('http://hl7.org/fhir/StructureDefinition/Group')", [False]),
        ("text.`div`.htmlChecks()", []),
    ],
)
def test_what_it_gives(text, expected):
    assert ask_all_ways(text, PATIENT) == expected


CODES = {"http://x.example/vs": {("http://s.example", "a"), (None, "male")}}
SERVICES = Services(
    value_set=CODES.get, conforms=lambda resource, url: {"http://x.example/P": True}.get(url)
)
CONDITION = {
    "resourceType": "Condition",
    "code": {
        "coding": [
            {"system": "http://t.example", "code": "a"},
            {"system": "http://s.example", "code": "a"},
        ]
    },
    "stage": [{"type": {"coding": [{"system": "http://s.example", "code": "b"}]}}],
    "severity": {"text": "grave"},
    "bodySite": [
        {"coding": [{"code": "a"}]},
        {"coding": [{"code": "c"}]},
        {"coding": [{"system": "http://t.example", "display": "d"}]},
        {"coding": [{"system": "http://t.example", "code": "male"}]},
        {"coding": [{"display": "d"}, {"system": "http://s.example", "code": "a"}]},
    ],
    "clinicalStatus": {"coding": [{"_code": {"id": "x"}}]},
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("code.memberOf('http://x.example/vs')", [True]),
        ("code.coding[0].memberOf('http://x.example/vs')", [False]),
        ("code.coding[1].memberOf('http://x.example/vs')", [True]),
        ("code.coding[1].code.memberOf('http://x.example/vs')", [True]),
        ("stage.type.memberOf('http://x.example/vs')", [False]),
        ("code.memberOf('http://x.example/unknown')", []),
        ("category.memberOf('http://x.example/vs')", []),
        ("severity.memberOf('http://x.example/vs')", []),
        ("bodySite[0].memberOf('http://x.example/vs')", []),
        ("bodySite[1].memberOf('http://x.example/vs')", [False]),
        ("bodySite[2].memberOf('http://x.example/vs')", []),
        ("bodySite[3].memberOf('http://x.example/vs')", []),
        ("bodySite[4].memberOf('http://x.example/vs')", [True]),
        ("clinicalStatus.coding.code.memberOf('http://x.example/vs')", []),
        ("5.memberOf('http://x.example/vs')", []),
        ("conformsTo('http://x.example/P')", [True]),
    ],
)
def test_value_sets_and_profiles_are_asked_of_the_services(text, expected):
    assert ask(text, CONDITION, services=SERVICES) == expected


BASE = "http://hl7.org/fhir/StructureDefinition/"


@pytest.mark.parametrize(
    ("text", "wrong", "expected"),
    [
        (f"conformsTo('{BASE}Patient')", {}, [True]),
        (f"conformsTo('{BASE}Resource')", {}, [True]),
        (f"conformsTo('{BASE}Patient')", {"gender": 5}, [False]),
        (f"conformsTo('{BASE}DomainResource')", {"gender": 5}, [False]),
        (f"conformsTo('{BASE}Group')", {"gender": 5}, [False]),
        (f"name[0].conformsTo('{BASE}HumanName')", {}, []),
        (f"name[0].conformsTo('{BASE}Address')", {}, [False]),
        (f"'x'.conformsTo('{BASE}Patient')", {}, [False]),
    ],
)
def test_that_a_resource_conforms_to_its_type_is_asked_of_validation(text, wrong, expected):
    assert ask(text, PATIENT | wrong, services=Services(conforms=conforms)) == expected


def test_a_resource_conforms_to_its_type_whatever_it_claims():
    made = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    claiming = made | {"meta": {"profile": [f"{BASE}bp"]}}
    assert "error" in {each.severity for each in validate_resource(claiming)}
    assert conforms(claiming, f"{BASE}Observation") is True


def test_without_validation_nobody_knows_whether_a_resource_is_right():
    assert ask(f"conformsTo('{BASE}Patient')", PATIENT) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("'x'.conformsTo('http://x.example/unknown')", "not known here"),
        ("conformsTo('http://x.example/unknown')", "not known here"),
        ("code.coding.memberOf('http://x.example/vs')", "takes one code"),
    ],
)
def test_what_nobody_knows_is_refused(text, said):
    with pytest.raises(FhirPathError, match=said):
        ask(text, CONDITION, services=SERVICES)


def test_a_narrative_is_checked():
    good = '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'
    for div, expected in ((good, [True]), (good.replace("x<", "<script/>x<"), [False])):
        resource = {"resourceType": "Patient", "text": {"status": "generated", "div": div}}
        assert ask_all_ways("text.`div`.htmlChecks()", resource) == expected
