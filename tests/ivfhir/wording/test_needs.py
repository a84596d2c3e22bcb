"""What has to be obtained, one line a need."""

from ivfhir.wording.needs import needs


def test_either_of_two_is_one_need():
    assert needs(["creatinine", "egfr", "inr"]) == [
        ("Creatinine or eGFR", "a blood result"),
        ("INR", "a blood result"),
    ]
    assert needs(["egfr"]) == [("eGFR", "a creatinine or eGFR result")]
