"""Values and units in words."""

from decimal import Decimal

import pytest

from ivfhir.wording import words


@pytest.mark.parametrize(
    ("raw", "unit", "comparator", "text"),
    [
        (Decimal("1.0"), "1", None, "1.0"),
        (Decimal("0.20"), "mg/dL", "<", "<0.20 mg/dL"),
        (45, "kg", None, "45 kg"),
        (True, None, None, "yes"),
        ("patient-declined", None, None, "patient declined"),
        ("PD", None, None, "PD"),
        (Decimal("95.3726513800"), "mL/min/{1.73_m2}", None, "95.37 mL/min/1.73 m²"),
        (Decimal("1.234"), "kg/m2", None, "1.234 kg/m²"),
    ],
)
def test_a_value_keeps_its_digits_and_gets_its_unit(raw, unit, comparator, text):
    assert words.value(raw, unit, comparator) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (Decimal(40), Decimal(60), "40 to 60 kg"),
        (None, Decimal(60), "up to 60 kg"),
        (Decimal(40), None, "40 kg or more"),
        (Decimal(40), Decimal(40), "40 kg"),
    ],
)
def test_an_interval(low, high, text):
    assert words.interval(low, high, "kg") == text


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("It takes Goal, RequestGroup. So", "It takes goals and groups of orders. So"),
        ("Asked for CarePlan, the server", "Asked for care plans, the server"),
        ("the request for a Observation with", "the request for results and measurements with"),
        ("read the Patient, so", "read the patient's own data, so"),
        (
            "CarePlan/7 changed; grant patient/Patient.rs",
            "CarePlan/7 changed; grant patient/Patient.rs",
        ),
    ],
)
def test_resource_types_become_parts_of_the_record(sentence, said):
    assert words.in_words(sentence) == said


def test_the_types_stay_for_who_has_to_grant_them():
    assert words.types_in("create CarePlan, Goal, so") == "CarePlan, Goal"
    assert words.types_in("sign") == ""


def test_rules_get_the_units_and_concepts_of_the_ward():
    assert words.pretty("below 50 x10^9/L") == f"below 50 {words.UNITS['10*9/L']}"
    assert words.pretty("45 mL/min/1.73 m2: hydrate") == "45 mL/min/1.73 m²: hydrate"
    assert words.pretty("no bleeding-disorder found") == "no bleeding disorder found"
