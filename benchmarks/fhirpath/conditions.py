"""Eight conditions such as criteria of interventional oncology ask, over a Bundle of one patient.

They say what a criterion would, in FHIRPath that all three engines read; their codes are those of
the invented patients of `benchmarks.evaluate`.
"""

_OF = "Bundle.entry.resource.ofType"
_ACTIVE = (
    "clinicalStatus.coding.exists(system = "
    "'http://terminology.hl7.org/CodeSystem/condition-clinical' and code = 'active')"
)


def _latest(code: str) -> str:
    """Return the last stored result of a LOINC code."""
    coded = f"code.coding.exists(system = 'http://loinc.org' and code = '{code}')"
    return f"{_OF}(Observation).where({coded} and status = 'final').last()"


CONDITIONS = {
    "adult": f"{_OF}(Patient).birthDate <= @2007-03-03",
    "active cancer": f"{_OF}(Condition).where({_ACTIVE} and code.coding.exists("
    "system = 'http://hl7.org/fhir/sid/icd-10-cm' and code.startsWith('C34'))).exists()",
    "platelets": f"{_latest('777-3')}.value.ofType(Quantity).value >= 150",
    "neutrophils": f"{_latest('751-8')}.value.ofType(Quantity).where(code = '10*9/L').value >= 3.0",
    "liver": f"({_latest('1975-2')}.value.ofType(Quantity).value <= 0.9) and "
    f"({_latest('1751-7')}.value.ofType(Quantity).value >= 3.2)",
    "performance": f"{_latest('89247-1')}.value.ofType(integer) <= 1",
    "recent creatinine": f"{_OF}(Observation).where(code.coding.exists(code = '2160-0') and "
    "effective.ofType(dateTime) >= @2025-01-01 and value.ofType(Quantity).value <= 1.0).exists()",
    "no allergy that matters": f"{_OF}(AllergyIntolerance).all(code.coding.where("
    "system = 'http://snomed.info/sct').code = '716186003' or criticality = 'low')",
}
"""Name → expression."""
