"""The types of R4 answer what their definitions say."""

import pytest

from ivfhir.fhir.r4 import definition_of, is_resource, lineage_of, type_names


def element(type_name, name):
    definition = definition_of(type_name)
    assert definition is not None
    return definition.elements[name]


def test_what_r4_does_not_have_is_none():
    assert definition_of("Encumbrance") is None
    assert not is_resource("Encumbrance")


def test_a_resource_is_told_from_other_types():
    assert is_resource("Patient")
    assert is_resource("DomainResource")
    assert not is_resource("HumanName")
    assert not is_resource("Patient.contact")


def test_a_resource_has_the_elements_of_its_bases_first():
    definition = definition_of("Patient")
    assert definition is not None
    assert list(definition.elements)[:5] == ["id", "meta", "implicitRules", "language", "text"]
    assert definition.kind == "resource"
    assert definition.base == "DomainResource"
    assert not definition.is_abstract


def test_an_id_of_a_resource_is_an_id_and_of_an_element_a_string():
    assert element("Patient", "id").types == ("id",)
    assert element("HumanName", "id").types == ("string",)


@pytest.mark.parametrize(
    ("type_name", "name", "cardinality", "types"),
    [
        ("Patient", "name", (0, None), ("HumanName",)),
        ("Observation", "status", (1, 1), ("code",)),
        ("Patient", "contact", (0, None), ("Patient.contact",)),
        ("Questionnaire.item", "item", (0, None), ("Questionnaire.item",)),
        ("Bundle.entry", "link", (0, None), ("Bundle.link",)),
        ("Patient", "deceased", (0, 1), ("boolean", "dateTime")),
    ],
)
def test_an_element_has_cardinality_and_types(type_name, name, cardinality, types):
    found = element(type_name, name)
    assert (found.minimum, found.maximum) == cardinality
    assert found.types == types
    assert found.is_list == (cardinality[1] is None)


def test_a_choice_has_a_json_name_for_each_type():
    assert element("Patient", "deceased").json_names() == {
        "deceasedBoolean": "boolean",
        "deceasedDateTime": "dateTime",
    }
    assert element("Patient", "gender").json_names() == {"gender": "code"}


def test_a_reference_names_what_it_may_refer_to():
    assert element("Observation", "subject").targets == ("Patient", "Group", "Device", "Location")


def test_a_required_binding_is_kept_and_a_weaker_one_is_not():
    assert element("Patient", "gender").binding == (
        "required",
        "http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1",
    )
    assert element("Observation", "code").binding is None


def test_a_primitive_has_the_pattern_of_its_json_value():
    definition = definition_of("id")
    assert definition is not None
    assert definition.pattern == "[A-Za-z0-9\\-\\.]{1,64}"
    assert definition.base == "string"


def test_every_type_and_each_base_of_it_can_be_read():
    for name in type_names():
        definition = definition_of(name)
        assert definition is not None
        assert definition.base is None or definition_of(definition.base) is not None
        for each in definition.elements.values():
            assert all(type_ in type_names() for type_ in each.types), (name, each)


def test_a_type_specialises_those_of_its_line():
    assert lineage_of("Patient") == ("Patient", "DomainResource", "Resource")
    assert lineage_of("Age") == ("Age", "Quantity", "Element")
    assert lineage_of("Encumbrance") == ()
