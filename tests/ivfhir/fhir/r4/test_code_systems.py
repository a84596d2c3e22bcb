"""The codes of HL7's own code systems."""

from ivfhir.fhir.r4.code_systems import code_system_of

THO = "http://terminology.hl7.org/CodeSystem"


def test_a_system_has_the_codes_of_r4_and_those_that_came_later():
    category = code_system_of(f"{THO}/observation-category")
    assert category.has("laboratory")
    assert not category.has("Laboratory")
    assert not category.has("lab")
    assert code_system_of(f"{THO}/v3-ActCode").has("AMB")


def test_where_case_does_not_count_any_is_the_code():
    assert code_system_of(f"{THO}/v2-0131").has("c")
    assert code_system_of(f"{THO}/v2-0131").has("C")


def test_systems_of_others_are_not_known():
    assert code_system_of("http://snomed.info/sct") is None
