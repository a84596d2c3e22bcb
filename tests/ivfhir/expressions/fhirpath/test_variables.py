"""`%` names."""

import pytest

from ivfhir.errors import FhirPathError
from ivfhir.expressions.fhirpath import compile_fhirpath, to_json
from ivfhir.expressions.fhirpath.nodes import root_node
from tests.ivfhir.expressions.fhirpath.asked import PATIENT, ask


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("%ucum", ["http://unitsofmeasure.org"]),
        ("%sct", ["http://snomed.info/sct"]),
        ("%loinc", ["http://loinc.org"]),
        ("%`vs-x`", ["http://hl7.org/fhir/ValueSet/x"]),
        ('%"ext-x"', ["http://hl7.org/fhir/StructureDefinition/x"]),
        ("%context.id", ["p"]),
        ("name.select(%context.id)", ["p", "p"]),
        ("%resource.id | %rootResource.id", ["p"]),
        ("%limit + 1", [4]),
        ("%row.code", ["a"]),
        ("%words.count()", [2]),
    ],
)
def test_a_variable_stands_for_what_was_given(text, expected):
    given = {"limit": 3, "row": {"code": "a"}, "words": ["x", "y"]}
    assert ask(text, PATIENT, variables=given) == expected


def test_of_a_contained_resource_the_root_is_the_container():
    inner = {"resourceType": "Patient", "id": "inner"}
    outer = {"resourceType": "Basic", "id": "outer", "contained": [inner]}
    found = compile_fhirpath("%resource.id | %rootResource.id").evaluate(inner, root=outer)
    assert [to_json(each) for each in found] == ["inner", "outer"]


def test_the_context_may_be_an_element():
    name = compile_fhirpath("name[1]").evaluate(PATIENT)[0]
    found = compile_fhirpath("use | %resource.id").evaluate(PATIENT, context=name)
    assert [to_json(each) for each in found] == ["nickname", "p"]
    assert root_node(PATIENT).type.name == "Patient"


def test_a_variable_that_nobody_gave_is_refused():
    with pytest.raises(FhirPathError, match="--var limit=") as raised:
        ask("1 + %limit")
    assert raised.value.column == 5
    with pytest.raises(FhirPathError, match="no variable %other"):
        compile_fhirpath("%other", variables=["limit"])
