"""R4's own profiles."""

from ivfhir.fhir.r4.profiles import profile_of

VITAL_SIGNS = "http://hl7.org/fhir/StructureDefinition/vitalsigns"


def test_a_profile_is_known_by_its_canonical():
    found = profile_of(VITAL_SIGNS)
    assert found["type"] == "Observation"
    assert found is profile_of(f"{VITAL_SIGNS}|4.0.1")
    assert profile_of(f"{VITAL_SIGNS}|5.0.0") is None
    assert profile_of("http://hl7.org/fhir/StructureDefinition/Observation") is None
