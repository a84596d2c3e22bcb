"""The codes of R4's own value sets."""

import pytest

from ivfhir.fhir.r4.value_sets import codes_of

GENDER = "http://hl7.org/fhir/ValueSet/administrative-gender"


@pytest.mark.parametrize("canonical", [GENDER, f"{GENDER}|4.0.1"])
def test_a_set_that_r4_lists_has_its_codes(canonical):
    assert codes_of(canonical) == {
        "http://hl7.org/fhir/administrative-gender": {"male", "female", "other", "unknown"}
    }


@pytest.mark.parametrize("name", ["mimetypes", "ucum-units", "nothing"])
def test_a_set_that_it_does_not_list_is_not_known(name):
    assert codes_of(f"http://hl7.org/fhir/ValueSet/{name}") is None
