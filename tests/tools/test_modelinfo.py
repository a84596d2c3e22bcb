import json

import pytest

from tools.modelinfo import main

HEAD = (
    '<modelInfo xmlns="urn:hl7-org:elm-modelinfo:r1" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
)
TYPES = """
<typeInfo name="Patient" baseType="FHIR.DomainResource">
  <element name="birthDate" elementType="FHIR.date"/>
  <element name="name">
    <elementTypeSpecifier xsi:type="ListTypeSpecifier" elementType="FHIR.HumanName"/>
  </element>
  <element name="contact">
    <elementTypeSpecifier xsi:type="ListTypeSpecifier">
      <elementTypeSpecifier xsi:type="NamedTypeSpecifier" namespace="FHIR" name="Contact"/>
    </elementTypeSpecifier>
  </element>
  <element name="deceased">
    <elementTypeSpecifier xsi:type="ChoiceTypeSpecifier">
      <choice xsi:type="NamedTypeSpecifier" namespace="FHIR" name="boolean"/>
      <choice xsi:type="NamedTypeSpecifier" namespace="FHIR" name="dateTime"/>
    </elementTypeSpecifier>
  </element>
</typeInfo>
<typeInfo name="Code" baseType="FHIR.Element">
  <element name="value" elementType="System.String"/>
</typeInfo>
"""


def written(tmp_path, types):
    source, target = tmp_path / "model.xml", tmp_path / "model.json"
    source.write_text(f"{HEAD}{types}</modelInfo>", encoding="utf-8")
    main(source, target)
    return target.read_text(encoding="utf-8")


def test_a_type_is_its_base_and_the_short_names_of_its_elements(tmp_path):
    types = TYPES.replace(
        'xsi:type="ListTypeSpecifier" elementType="FHIR.HumanName"/>',
        'xsi:type="ListTypeSpecifier"><elementTypeSpecifier xsi:type="NamedTypeSpecifier" '
        'namespace="FHIR" name="HumanName"/></elementTypeSpecifier>',
    )
    assert json.loads(written(tmp_path, types)) == {
        "Code": ["Element", {"value": "System.String"}],
        "Patient": [
            "DomainResource",
            {
                "birthDate": "date",
                "name": "*HumanName",
                "contact": "*Contact",
                "deceased": "boolean|dateTime",
            },
        ],
    }


def test_a_list_may_name_its_type_in_an_attribute(tmp_path):
    patient = json.loads(written(tmp_path, TYPES))["Patient"]
    assert patient[1]["name"] == "*HumanName"


def test_each_type_has_a_line_sorted_by_name(tmp_path):
    lines = written(tmp_path, TYPES).splitlines()
    assert [line.partition(":")[0] for line in lines] == ["{", '"Code"', '"Patient"', "}"]


def test_an_element_without_a_type_is_refused(tmp_path):
    types = '<typeInfo name="A" baseType="FHIR.Element"><element name="b"/></typeInfo>'
    with pytest.raises(ValueError, match="element b has no type"):
        written(tmp_path, types)
