"""R4's own search parameters."""

from ivfhir.fhir.r4.search_parameters import SearchParameter, search_parameter_of

BASE = "http://hl7.org/fhir/SearchParameter"


def test_a_search_parameter_has_type_and_resources():
    name = SearchParameter("string", ("Organization",))
    assert search_parameter_of(f"{BASE}/Organization-name") == name
    assert search_parameter_of(f"{BASE}/Organization-name|4.0.1") == name
    assert len(search_parameter_of(f"{BASE}/clinical-date").bases) > 1


def test_others_are_not_known():
    assert search_parameter_of("http://x.example/Organization-name") is None
    assert search_parameter_of(f"{BASE}/nothing") is None
