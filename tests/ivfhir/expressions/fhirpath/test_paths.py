"""Steps to elements: choices, primitives with extensions, strict mode."""

import pytest

from ivfhir.errors import FhirPathError
from ivfhir.expressions.fhirpath import Services, compile_fhirpath
from tests.ivfhir.expressions.fhirpath.asked import PATIENT, ask, ask_all_ways

BUNDLE = {"resourceType": "Bundle", "entry": [{"resource": PATIENT}, {"fullUrl": "urn:x"}]}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Patient.gender", ["female"]),
        ("gender", ["female"]),
        ("Resource.id", ["p"]),
        ("Encounter.id", []),
        ("name.given", ["Per", "Olof", None, "Pelle"]),
        ("name.given.count()", [4]),
        ("name.family", ["Lindqvist"]),
        ("Patient.contact.name.family", ["Berg"]),
        ("deceased", [False]),
        ("deceasedBoolean", []),
        ("birthDate.extension.value", ["told"]),
        ("birthDate.extension('http://x.example/why').exists()", [True]),
        ("name.given.id", ["first"]),
        ("name.nothing", []),
        ("name[0].given[1]", ["Olof"]),
        ("name[5]", []),
    ],
)
def test_a_path_gives_the_elements(text, expected):
    assert ask_all_ways(text, PATIENT) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bundle.entry.resource.name.given.first()", ["Per"]),
        ("entry.resource.ofType(Patient).gender", ["female"]),
        ("entry.resource.ofType(DomainResource).gender", ["female"]),
        ("entry.resource.ofType(Observation).status", []),
        ("entry.where(resource.exists()).count()", [1]),
        ("entry.where(resource.empty()).fullUrl", ["urn:x"]),
    ],
)
def test_a_resource_inside_tells_its_own_type(text, expected):
    assert ask_all_ways(text, BUNDLE) == expected


def test_a_resource_of_another_version_is_walked_as_it_is():
    other = {"resourceType": "Transport", "status": "done", "input": [{"n": 1.5}, {"n": 2}]}
    assert ask("Transport.status", other) == []
    assert ask("status", other) == ["done"]
    assert [str(each) for each in ask("input.n", other)] == ["1.5", "2"]


@pytest.mark.parametrize(
    ("text", "column", "said"),
    [
        ("name.givn", 6, "HumanName has no element 'givn': there is .*given"),
        ("Encounter.status", 1, "not what the expression is about"),
        ("deceasedBoolean", 1, r"write deceased, or deceased.ofType\(boolean\)"),
        ("name.given.count().x", 20, "System.Integer has no element"),
        ("name.where(xyz = 1)", 12, "no element 'xyz'"),
        ("contained.xyz", 11, "no element 'xyz'"),
        ("deceased.ofType(boolean).x", 26, "no element 'x'"),
        ("name.children().first()", 17, "have none"),
        ("children()[0]", 11, "no order"),
    ],
)
def test_strict_mode_refuses_what_r4_has_not(text, column, said):
    with pytest.raises(FhirPathError, match=said) as raised:
        compile_fhirpath(text, context_type="Patient", strict=True)
    assert raised.value.column == column


@pytest.mark.parametrize(
    "text",
    [
        "name.given.first().length()",
        "contained.ofType(Observation).value.ofType(Quantity).unit",
        "extension.value.coding.code",
        "descendants().where($this is Coding).count()",
        "generalPractitioner.resolve().ofType(Practitioner).name",
        "contained.status",
    ],
)
def test_strict_mode_lets_pass_what_can_be(text):
    compile_fhirpath(text, context_type="Patient", strict=True)


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "Patient", "name": "Per"},
        {"resourceType": "Patient", "name": [None, "Per", 5]},
        {"resourceType": "Patient", "name": [[{"given": "x"}]]},
        {"resourceType": "Patient", "name": {"given": {"a": 1}}},
        {"resourceType": "Patient", "name": [{"given": 5}], "_name": 3},
    ],
)
@pytest.mark.parametrize(
    "text", ["Patient.name.given", "name.where(use = 'official').given.first()", "name.exists()"]
)
def test_json_of_another_shape_breaks_nothing(text, resource):
    assert isinstance(ask(text, resource, typed=True), list)
    assert isinstance(ask(text, resource), list)


@pytest.mark.parametrize(
    ("resource", "text"),
    [
        ({"resourceType": "Observation", "valueQuantity": "x"}, "value > 5 'mg'"),
        ({"resourceType": "Observation", "valueQuantity": [5]}, "value = 5"),
        ({"resourceType": "Patient", "extension": [5]}, "extension('x').exists()"),
        (
            {"resourceType": "Patient", "maritalStatus": {"coding": [5, {"code": {}}]}},
            "maritalStatus.memberOf('x')",
        ),
        ({"resourceType": "Patient", "managingOrganization": 5}, "managingOrganization.resolve()"),
    ],
)
def test_functions_stumble_over_no_shape(resource, text):
    services = Services(value_set=lambda url: {("a", "b")})
    assert isinstance(ask(text, resource, services=services), list)
    assert isinstance(ask(text, resource, typed=True, services=services), list)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name.given.count()", [1]),
        ("name.count()", [1]),
        ("name.where(true).count()", [1]),
        ("name.tail().count()", [0]),
        ("contact.exists()", [False]),
        ("Patient.contact.empty()", [True]),
        ("contact.name.exists()", [False]),
        ("maritalStatus.coding.count()", [1]),
    ],
)
def test_a_null_of_a_list_is_no_item(text, expected):
    patient = {
        "resourceType": "Patient",
        "name": [None, {"given": [None, "a"]}],
        "contact": [None],
        "maritalStatus": {"coding": [None, {"code": "M"}]},
    }
    assert ask_all_ways(text, patient) == expected
    assert ask(text, patient, strict=True) == expected
