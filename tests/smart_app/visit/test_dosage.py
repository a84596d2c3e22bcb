"""The dose of a request, from its elements and never from its words."""

from decimal import Decimal
from typing import Any

import pytest

from smart_app.visit.dosage import dose_of, drug_of

RATE_TYPE = "http://terminology.hl7.org/CodeSystem/dose-rate-type"


def rate(code: str, mg: object, unit: str = "mg") -> dict[str, Any]:
    quantity = {"value": mg, "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
    return {"type": {"coding": [{"system": RATE_TYPE, "code": code}]}, "doseQuantity": quantity}


def request(drug: str, ordered: object, calculated: str, method: str = "") -> dict[str, Any]:
    rates = [rate("ordered", ordered), rate("calculated", Decimal(calculated))]
    dosage: dict[str, Any] = {"text": "words that say 999 mg", "doseAndRate": rates}
    return {
        "resourceType": "MedicationRequest",
        "medicationCodeableConcept": {"text": drug},
        "dosageInstruction": [dosage | ({"method": {"text": method}} if method else {})],
    }


@pytest.mark.parametrize("ordered", [135, Decimal(135), Decimal("135.0"), 135.0])
def test_a_dose_is_what_its_elements_say(ordered: object) -> None:
    dose = dose_of(request("cisplatin", ordered, "134.4123"))
    assert dose is not None
    assert (dose.said, dose.before_rounding) == ("cisplatin 135 mg", "134.4 mg before rounding")


def test_the_order_of_the_elements_does_not_matter() -> None:
    turned = request("cisplatin", 135, "134.4")
    turned["dosageInstruction"][0]["doseAndRate"].reverse()
    dose = dose_of(turned)
    assert dose is not None
    assert dose.ordered_mg == 135


def test_without_both_amounts_in_mg_there_is_no_dose() -> None:
    other = request("cisplatin", 135, "134.4")
    for rates in ([], [rate("ordered", 135)], [rate("ordered", 1, "g"), rate("calculated", 135)]):
        other["dosageInstruction"][0]["doseAndRate"] = rates
        assert dose_of(other) is None
    assert dose_of({"resourceType": "Goal"}) is None
    assert drug_of({"resourceType": "Goal"}) == ""
