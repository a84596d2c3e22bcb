"""CQL values as FHIR JSON, and into elements."""

from decimal import Decimal

import pytest

from ivfhir.activity.dynamic_value import set_dynamic_values, to_fhir
from ivfhir.errors import EvaluationError
from ivfhir.expressions.values import Date, DateTime, Interval, Quantity

DAY = DateTime((2025, 3, 3))
UCUM = "http://unitsofmeasure.org"


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (None, None),
        (True, True),
        (4, 4),
        (Decimal("1.50"), Decimal("1.50")),
        ("text", "text"),
        (DAY, "2025-03-03"),
        (Date((2025, 3, 3)), "2025-03-03"),
        (Date((2025, 3)), "2025-03"),
        (Interval(DAY, DateTime((2025, 3, 5))), {"start": "2025-03-03", "end": "2025-03-05"}),
        (Interval(DAY, None), {"start": "2025-03-03"}),
        (Quantity(Decimal(3), "d"), {"value": 3, "unit": "d", "system": UCUM, "code": "d"}),
        (
            Interval(Quantity(Decimal(1), "d"), Quantity(Decimal(3), "d")),
            {
                "low": {"value": 1, "unit": "d", "system": UCUM, "code": "d"},
                "high": {"value": 3, "unit": "d", "system": UCUM, "code": "d"},
            },
        ),
        ([DAY, "x"], ["2025-03-03", "x"]),
    ],
)
def test_value_has_a_fhir_form(value, json):
    assert to_fhir(value, "D") == json


@pytest.mark.parametrize("value", [object(), Interval(DAY, DAY, low_closed=False), {"a": 1}])
def test_other_values_are_refused_with_the_define(value):
    with pytest.raises(EvaluationError, match="D gives a"):
        to_fhir(value, "D")


def test_each_value_goes_to_its_element_and_null_sets_nothing():
    request = {"resourceType": "ServiceRequest"}
    values = {"Day": DAY, "Window": Interval(DAY, DAY), "Nothing": None}
    paths = {
        "occurrenceTiming.event[0]": "Day",
        "occurrenceTiming.repeat.boundsPeriod": "Window",
        "code.text": "Nothing",
    }
    dynamic = [{"path": p, "expression": {"expression": name}} for p, name in paths.items()]
    set_dynamic_values(request, dynamic, lambda each: values[each["expression"]])
    assert request == {
        "resourceType": "ServiceRequest",
        "occurrenceTiming": {
            "event": ["2025-03-03"],
            "repeat": {"boundsPeriod": {"start": "2025-03-03", "end": "2025-03-03"}},
        },
    }
