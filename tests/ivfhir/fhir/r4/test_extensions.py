"""The extensions of R4."""

from ivfhir.fhir.r4.extensions import Inner, extension_of

BASE = "http://hl7.org/fhir/StructureDefinition"


def test_an_extension_of_r4_has_value_places_and_what_is_inside():
    time = extension_of(f"{BASE}/patient-birthTime")
    assert (time.types, time.contexts, time.inner) == (("dateTime",), {"Patient.birthDate"}, {})
    nation = extension_of(f"{BASE}/patient-nationality")
    assert nation.types == ()
    assert nation.inner["code"] == Inner(("CodeableConcept",), 0, 1)
    assert extension_of(f"{BASE}/nothing") is None


def test_a_modifier_is_told():
    assert extension_of(f"{BASE}/request-doNotPerform").is_modifier
    assert not extension_of(f"{BASE}/patient-birthTime").is_modifier
