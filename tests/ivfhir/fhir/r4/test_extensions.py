"""The extensions of R4."""

from ivfhir.fhir.r4.extensions import value_types_of

BASE = "http://hl7.org/fhir/StructureDefinition"


def test_an_extension_of_r4_has_the_types_of_its_value():
    assert value_types_of(f"{BASE}/patient-birthTime") == ("dateTime",)
    assert value_types_of(f"{BASE}/patient-nationality") == ()
    assert value_types_of(f"{BASE}/nothing") is None
