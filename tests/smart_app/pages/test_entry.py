"""An entry of the record in words."""

from decimal import Decimal

import pytest

from smart_app.pages.entry import entry_codes, entry_rows

CODE = {"text": "Lung mass", "coding": [{"code": "C34.11"}, {"code": "254637007"}]}


def test_a_diagnosis_has_its_words_its_dates_and_its_statuses():
    condition = {
        "resourceType": "Condition",
        "code": CODE,
        "recordedDate": "2025-01-05",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "verificationStatus": {"coding": [{"code": "provisional", "display": "Provisional"}]},
        "note": [{"text": "Seen twice"}, {"text": "and again"}],
    }
    assert entry_rows(condition) == (
        ("What", "Lung mass"),
        ("Clinical status", "active"),
        ("Verification", "Provisional"),
        ("Recorded", "5 Jan 2025"),
        ("Note", "Seen twice; and again"),
    )
    assert entry_codes(condition) == "C34.11, 254637007"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"valueQuantity": {"value": Decimal("220.0"), "unit": "g/dL"}}, "220.0 g/dL"),
        ({"valueQuantity": {"value": 5, "comparator": "<", "code": "10*9/L"}}, "<5 ×10⁹/L"),  # noqa: RUF001 - as units are written
        ({"valueCodeableConcept": {"coding": [{"code": "patient-declined"}]}}, "patient declined"),
        ({"valueBoolean": True}, "yes"),
        ({"valueDateTime": "2025-03-02T08:00:00Z"}, "2 Mar 2025"),
        ({"valueString": "non-small-cell, 2025-13-45"}, "non-small-cell, 2025-13-45"),
        ({"valueInteger": 0}, "0"),
        ({"valueQuantity": {"value": 4, "unit": "per field"}}, "4 per field"),
        ({"valueQuantity": {"value": 4, "unit": "giga", "code": "10*9/L"}}, "4 ×10⁹/L"),  # noqa: RUF001 - as units are written
        ({"valuePeriod": {"start": "2025"}}, "since 2025"),
        ({"valuePeriod": {"start": "2025-03-02", "end": "2025-04"}}, "2 Mar 2025 to Apr 2025"),
    ],
)
def test_a_value_of_any_type_is_in_words(value, words):
    assert entry_rows({"resourceType": "Observation", **value}) == (("Value", words),)


def test_an_allergy_has_its_reactions():
    reaction = {"manifestation": [{"text": "Hives"}, {"text": "Swelling"}], "severity": "severe"}
    rows = entry_rows({"resourceType": "AllergyIntolerance", "reaction": [reaction]})
    assert rows == (("Reaction", "Hives, Swelling, severe"),)


def test_parts_of_a_result_and_the_reason_of_an_absent_value():
    component = {"code": {"text": "Systolic"}, "valueQuantity": {"value": 120, "unit": "mm[Hg]"}}
    absent = {"coding": [{"code": "not-performed"}]}
    rows = entry_rows(
        {"resourceType": "Observation", "component": [component], "dataAbsentReason": absent}
    )
    assert rows == (("Systolic", "120 mm[Hg]"), ("Why there is no value", "not performed"))


def test_what_is_no_date_and_what_has_no_shape_is_shown_as_it_is():
    odd = {"resourceType": "Observation", "code": ["x"], "issued": "2025-13-45", "reaction": "none"}
    assert entry_rows({**odd, "code": {"coding": ["x", 1]}}) == (("Issued", "2025-13-45"),)
    assert entry_codes(odd) == ""
