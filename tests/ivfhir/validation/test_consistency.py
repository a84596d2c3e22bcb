"""What parts of a resource say of one another."""

import pytest

from ivfhir.validation import validate_resource

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}


def issues(**members):
    found = validate_resource({"resourceType": "Patient", "text": TEXT} | members)
    return [(each.rule, each.expression) for each in found]


def photo(**members):
    return {"photo": [{"contentType": "text/plain", "data": "aGVsbG8="} | members]}


def contact(system):
    coding = {"system": system, "code": "x"}
    return {"contact": [{"relationship": [{"coding": [coding]}], "name": {"text": "x"}}]}


@pytest.mark.parametrize(
    "members", [photo(size=5), photo(), contact("http://x.example"), contact("urn:oid:1.2")]
)
def test_what_agrees_passes(members):
    assert [each for each in issues(**members) if each[0] != "binding-extensible"] == []


def test_a_size_is_that_of_the_data():
    assert issues(**photo(size=6)) == [("size", "Patient.photo[0]")]


@pytest.mark.parametrize("system", ["local", "http://hl7.org/fhir/ValueSet/administrative-gender"])
def test_a_code_system_has_an_absolute_address_of_its_own(system):
    assert ("code-system", "Patient.contact[0].relationship[0].coding[0]") in issues(
        **contact(system)
    )


def test_contained_resources_have_ids_of_their_own():
    inside = [{"resourceType": "Organization", "id": "o", "name": name} for name in "ab"]
    found = issues(contained=inside, managingOrganization={"reference": "#o"})
    assert found == [("contained-id", "Patient")]


def test_a_system_of_an_identifier_or_a_unit_is_absolute():
    found = issues(identifier=[{"system": "mrn", "value": "x"}, {"system": "urn:oid:1.2"}])
    assert found == [("system", "Patient.identifier[0]")]
    unit = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}, "text": TEXT}
    unit["valueQuantity"] = {"value": 1, "system": "local", "code": "mg"}
    assert [each.rule for each in validate_resource(unit)] == ["system"]


def test_so_is_that_of_an_age():
    age = {"resourceType": "Condition", "subject": {"reference": "Patient/p"}, "text": TEXT}
    age["onsetAge"] = {"value": 50, "system": "local", "code": "a"}
    assert ("system", "Condition.onset.ofType(Age)") in [
        (each.rule, each.expression) for each in validate_resource(age)
    ]


def test_the_id_of_an_element_is_there_once_in_its_resource():
    names = [{"id": "a", "text": "x"}, {"id": "b", "text": "y"}]
    assert issues(name=names) == []
    assert issues(name=[names[0], names[0]]) == [("element-id", "Patient.name[1]")]
    beside = {"birthDate": "1960", "_birthDate": {"id": "a"}}
    assert issues(name=names[:1], **beside) == [("element-id", "Patient.birthDate")]
    inside = {"resourceType": "Organization", "id": "o", "name": "x"}
    inside["telecom"] = [{"id": "a", "system": "phone", "value": "1"}]
    owner = {"contained": [inside], "managingOrganization": {"reference": "#o"}}
    assert issues(name=names[:1], **owner) == []
