"""The dose of a request, read from its elements: what is ordered, and what was computed."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ivfhir.dosing.calculator import four_digits
from ivfhir.fhir.types import Resource

_ORDERED, _CALCULATED = "ordered", "calculated"


@dataclass(frozen=True)
class Dose:
    """One administration of a drug.

    Attributes:
        drug: as people read it.
        ordered_mg: as it is drawn up.
        calculated_mg: before rounding.
    """

    drug: str
    ordered_mg: Decimal
    calculated_mg: Decimal

    @property
    def said(self) -> str:
        """Drug and dose: `cisplatin 135 mg`."""
        return f"{self.drug} {_plain(self.ordered_mg)} mg"

    @property
    def before_rounding(self) -> str:
        """`134.4 mg before rounding`."""
        return f"{four_digits(self.calculated_mg)} mg before rounding"


def dose_of(request: Resource) -> Dose | None:
    """Return the dose of a MedicationRequest; None where it has none, or another unit."""
    found: dict[str, Decimal] = {}
    for dosage in request.get("dosageInstruction", ()):
        for rate in dosage.get("doseAndRate", ()):
            quantity = rate.get("doseQuantity", {})
            if quantity.get("code") == "mg":
                found |= dict.fromkeys(_types(rate), Decimal(str(quantity["value"])))
    if not found.keys() >= {_ORDERED, _CALCULATED}:
        return None
    return Dose(drug_of(request), found[_ORDERED], found[_CALCULATED])


def drug_of(request: Resource) -> str:
    """Return what a MedicationRequest asks for, as people read it: `fluorouracil bolus`."""
    drug = request.get("medicationCodeableConcept", {}).get("text", "")
    methods = [each.get("method", {}).get("text") for each in request.get("dosageInstruction", ())]
    return " ".join(str(each) for each in (drug, *methods) if each)


def _types(rate: Mapping[str, Any]) -> list[str]:
    return [str(each.get("code")) for each in rate.get("type", {}).get("coding", ())]


def _plain(value: Decimal) -> str:
    """Return a number without zeros that say nothing: a server may give 135 back as 135.0."""
    return f"{value.normalize():f}"
