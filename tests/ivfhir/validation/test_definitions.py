"""Resources that define something: what they say of themselves."""

import pytest

from ivfhir.validation import validate_resource

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
R4 = "http://hl7.org/fhir/SearchParameter/"
NAME = f"{R4}Organization-name"
STATUS = f"{R4}AllergyIntolerance-clinical-status"


def issues(resource):
    return [(i.severity, i.rule, i.expression) for i in validate_resource(resource)]


def value_set(url="http://x.example/vs", **include):
    made = {"resourceType": "ValueSet", "text": TEXT, "name": "V", "status": "draft", "url": url}
    return made | {"compose": {"include": [include]}}


def code_system(**members):
    made = {"resourceType": "CodeSystem", "text": TEXT, "name": "C", "status": "draft"}
    return made | {"url": "http://x.example/cs", "content": "complete"} | members


def search(**members):
    made = {"resourceType": "SearchParameter", "text": TEXT, "name": "S", "status": "draft"}
    made |= {"url": "http://x.example/s", "description": "d", "code": "s", "type": "string"}
    return made | {"base": ["Organization"], "expression": "Organization.name"} | members


def server(type_):
    parameter = {"name": "clinical-status", "definition": STATUS, "type": type_}
    resource = {"type": "AllergyIntolerance", "searchParam": [parameter]}
    made = {"resourceType": "CapabilityStatement", "text": TEXT, "name": "X", "status": "draft"}
    made |= {"date": "2020", "kind": "instance", "fhirVersion": "4.0.1", "format": ["json"]}
    made["implementation"] = {"description": "x"}
    return made | {"rest": [{"mode": "server", "resource": [resource]}]}


PART = {"definition": NAME, "expression": "name"}


@pytest.mark.parametrize(
    "resource",
    [
        value_set(system="http://x.example/s"),
        value_set("urn:uuid:c757873d-ec9a-4326-a141-556f43239520", system="urn:oid:1.2"),
        code_system(content="supplement", supplements="http://loinc.org"),
        code_system(property=[{"code": "a", "type": "code"}, {"code": "b", "type": "code"}]),
        search(derivedFrom=NAME),
        search(derivedFrom="http://x.example/other", type="token"),
        search(type="composite", component=[PART, PART]),
        search(derivedFrom=f"{R4}DomainResource-text", base=["Organization", "Patient"]),
        search(derivedFrom=f"{R4}Resource-lastUpdated", type="date"),
        server("token"),
    ],
)
def test_what_agrees_passes(resource):
    assert issues(resource) == []


@pytest.mark.parametrize(
    ("resource", "expression"),
    [
        (value_set("ValueSet/x", system="http://x.example/s"), "ValueSet.url"),
        (value_set(system="#c1"), "ValueSet.compose.include[0].system"),
        (
            value_set(
                system="http://x.example/s",
                filter=[{"property": "notSelectable", "op": "=", "value": "1"}],
            ),
            "ValueSet.compose.include[0].filter[0].value",
        ),
        (code_system(supplements="http://loinc.org"), "CodeSystem.content"),
        (
            code_system(property=[{"code": "a", "type": "code"}] * 2),
            "CodeSystem.property[1]",
        ),
        (search(derivedFrom=NAME, type="token"), "SearchParameter.type"),
        (search(derivedFrom=NAME, base=["Patient"]), "SearchParameter.base"),
        (search(derivedFrom=NAME, base=["DomainResource"]), "SearchParameter.base"),
        (
            search(derivedFrom=f"{R4}DomainResource-text", base=["Bundle"]),
            "SearchParameter.base",
        ),
        (search(type="composite", component=[PART]), "SearchParameter.component"),
    ],
)
def test_what_contradicts_itself_is_an_error(resource, expression):
    assert issues(resource) == [("error", "definition", expression)]


def test_a_server_that_has_another_type_is_warned():
    place = "CapabilityStatement.rest[0].resource[0].searchParam[0].type"
    assert issues(server("date")) == [("warning", "definition", place)]
