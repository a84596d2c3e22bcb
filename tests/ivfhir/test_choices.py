"""An element that R4 allows one type of, given as two, is never read by chance."""

from decimal import Decimal
from typing import Any

import pytest

from ivfhir.choices import with_single_choices

QUANTITY = {"value": Decimal(220), "unit": "10*9/L"}
ABSENT = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason"}]}


@pytest.mark.parametrize(
    ("resource_type", "elements", "left"),
    [
        ("Observation", {"valueQuantity": QUANTITY, "valueString": "40"}, {}),
        ("Observation", {"valueInteger": 1, "_valueBoolean": ABSENT}, {}),
        (
            "Observation",
            {"effectiveDateTime": "2025-02-28", "effectivePeriod": {"end": "2025-03-01"}},
            {},
        ),
        (
            "Observation",
            {"effectiveInstant": "2025-02-28T10:00:00Z", "valueInteger": 1, "valueString": "1"},
            {"effectiveInstant": "2025-02-28T10:00:00Z"},
        ),
        ("Condition", {"onsetString": "spring", "onsetDateTime": "2025-04-01"}, {}),
        ("AllergyIntolerance", {"onsetString": "spring", "onsetDateTime": "2025-04-01"}, {}),
        ("Procedure", {"performedString": "spring", "performedDateTime": "2025-04-01"}, {}),
        (
            "ServiceRequest",
            {"occurrenceDateTime": "2025-04-01", "occurrencePeriod": {"start": "2025-05-01"}},
            {},
        ),
        (
            "Patient",
            {"deceasedBoolean": False, "deceasedDateTime": "2025-01-01"},
            {"deceasedDateTime": "2025-01-01"},
        ),
        (
            "Patient",
            {"deceasedBoolean": False, "_deceasedDateTime": ABSENT},
            {"_deceasedDateTime": ABSENT},
        ),
    ],
)
def test_a_choice_given_as_two_types_counts_as_empty(
    resource_type: str, elements: dict[str, Any], left: dict[str, Any]
) -> None:
    resource = {"resourceType": resource_type, "id": "r", **elements}
    assert with_single_choices(resource) == {"resourceType": resource_type, "id": "r", **left}
    assert resource == {"resourceType": resource_type, "id": "r", **elements}


@pytest.mark.parametrize(
    "elements",
    [
        {"resourceType": "Observation", "valueQuantity": QUANTITY, "effectiveDateTime": "2025"},
        {"resourceType": "Observation", "valueString": "40", "_valueString": ABSENT},
        {"resourceType": "Observation", "valueInteger": 1, "valueString": None},
        {"resourceType": "Condition", "abatementAge": {"value": 60}, "abatementString": "spring"},
        {"resourceType": "Patient", "deceasedBoolean": True},
        {"resourceType": "Patient", "deceasedBoolean": True, "deceasedDateTime": None},
        {"resourceType": "Procedure", "performedDateTime": "2025"},
        {"resourceType": "ServiceRequest", "occurrenceDateTime": "2025"},
        {"resourceType": "Immunization", "occurrenceString": "1", "occurrenceDateTime": "2025"},
    ],
)
def test_a_choice_given_once_is_left_alone(elements: dict[str, Any]) -> None:
    assert with_single_choices(elements) is elements
