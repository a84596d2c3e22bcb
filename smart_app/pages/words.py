"""The words of the pages: concepts, units, codes and statuses in plain English.

Keys of concepts are those of the specification's data dictionary. A key that stands not here is
shown with its hyphens as spaces: a new protocol reads well enough before its words are added.
"""

import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

CONCEPTS = {
    "age-years": "Age",
    "sex": "Recorded sex",
    "ecog": "ECOG performance status",
    "platelets": "Platelets",
    "anc": "Neutrophils",
    "haemoglobin": "Haemoglobin",
    "inr": "INR",
    "creatinine": "Creatinine",
    "egfr": "eGFR",
    "bilirubin": "Bilirubin",
    "albumin": "Albumin",
    "weight": "Weight",
    "height": "Height",
    "bmi": "BMI",
    "haemoptysis": "Haemoptysis",
    "cachexia": "Cachexia",
    "cachexia-stage": "Cachexia stage",
    "weight-loss-6m-pct": "Weight loss in 6 months",
    "stage-group": "Stage group",
    "m-category": "M category",
    "metastatic-organ-count": "Organs with metastases",
    "distant-lesion-count": "Distant lesions",
    "metastatic-extent": "MDT statement on metastases",
    "surgical-candidacy": "MDT statement on surgery",
    "chemosensitivity": "Statement on chemosensitivity",
    "prior-chemo-lines": "Earlier lines of chemotherapy",
    "chemo-pd-lines": "Lines with progression at best",
    "last-chemo-response": "Response to the last line",
    "contrast-allergy": "Contrast allergy",
    "pregnancy-status": "Pregnancy test or status",
    "dx-lung": "Lung cancer diagnosis",
    "bleeding-disorder": "Bleeding disorder",
    "active-infection": "Active infection",
    "resistant-histology": "Resistant histology",
    "recist-trend": "RECIST trend",
    "vdt-days": "Volume doubling time",
    "driver-alteration": "Driver alteration",
    "standard-options-reviewed": "Standard options",
    "childbearing-potential": "Childbearing potential",
    "conditions": "Problem list",
    "allergies": "Allergy list",
}

IN_RECORD = {"dx-lung": "Problem list", "contrast-allergy": "Allergy list", "ecog": "ECOG"}
"""Names of concepts where they head a fact that was found, when these differ."""

_KEY = re.compile("|".join(rf"\b{key}\b" for key in CONCEPTS if "-" in key))

OBTAIN = {
    "ecog": "a performance status",
    "platelets": "a blood count",
    "anc": "a blood count with neutrophils",
    "haemoglobin": "a blood count",
    "inr": "a blood result",
    "creatinine": "a blood result",
    "egfr": "a creatinine or eGFR result",
    "bilirubin": "a blood result",
    "albumin": "a blood result",
    "weight": "a measurement",
    "height": "a measurement",
    "bmi": "weight and height",
    "weight-loss-6m-pct": "an earlier weight, of 2 weeks to 6 months ago",
    "metastatic-organ-count": "a coded problem list",
    "cachexia": "a coded problem list",
    "cachexia-stage": "a clinician's statement",
    "surgical-candidacy": "a statement of the tumour board (MDT)",
    "metastatic-extent": "a statement of the tumour board (MDT)",
    "stage-group": "a staging entry",
    "m-category": "a staging entry",
    "distant-lesion-count": "a count from imaging",
    "chemosensitivity": "a clinician's statement",
    "prior-chemo-lines": "the chemotherapy history",
    "chemo-pd-lines": "the chemotherapy history",
    "last-chemo-response": "the chemotherapy history",
    "contrast-allergy": "an entry in the allergy list, or 'no known allergy'",
    "pregnancy-status": "a pregnancy test, or a note that it cannot apply",
    "bleeding-disorder": "a coded problem list",
    "active-infection": "a coded problem list",
    "resistant-histology": "a coded problem list",
    "haemoptysis": "a coded problem list",
    "dx-lung": "a confirmed, coded diagnosis on the problem list",
    "age-years": "the full birth date",
    "sex": "the recorded sex",
    "recist-trend": "a comparison of two images",
    "vdt-days": "two measurements of the tumour with dates",
    "driver-alteration": "a molecular result",
    "standard-options-reviewed": "a note that the standard options were reviewed",
}

UNITS = {
    "10*9/L": "\N{MULTIPLICATION SIGN}10⁹/L",
    "10*3/uL": "\N{MULTIPLICATION SIGN}10³/µL",
    "/uL": "/µL",
    "/nL": "/nL",
    "mg/dL": "mg/dL",
    "umol/L": "µmol/L",
    "kg/m2": "kg/m²",
    "m2": "m²",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
    "a": "years",
    "d": "days",
    "min": "min",
    "um": "µm",
    "[lb_av]": "lb",
    "[in_i]": "in",
    "1": "",
    "{INR}": "",
    "{ratio}": "",
    "{score}": "",
}

_KEPT_PLACES, _TWO_PLACES = 3, Decimal("0.01")

VERDICTS = {
    ("inclusion", "met"): "fulfilled",
    ("inclusion", "not-met"): "not fulfilled",
    ("contraindication-absolute", "met"): "ruled out",
    ("contraindication-absolute", "not-met"): "present",
    ("caution", "met"): "does not apply",
    ("caution", "not-met"): "applies",
}
"""Kind and answer of a criterion -> what stands behind its title, whatever the title says."""

UNKNOWN_VERDICTS = {"caution": "not assessed"}
"""The same for an answer that is unknown; other kinds cannot be judged."""

CANNOT_JUDGE, NOT_READ = "cannot be judged", "could not be read"

RECORD_PARTS = {
    "Patient": "the patient's own data",
    "Condition": "the problem list",
    "Observation": "results and measurements",
    "AllergyIntolerance": "the allergy list",
    "Procedure": "procedures",
    "ServiceRequest": "orders",
    "MedicationRequest": "prescriptions",
    "CarePlan": "care plans",
}
"""Resource types as parts of a record, inside a sentence."""

ONE_NEED = (("creatinine", "egfr"),)
"""Concepts of which either will do: one need."""

_TYPE = re.compile(rf"\b({'|'.join(RECORD_PARTS)})\b(?!/)( was not)?")
STATUS = {
    "eligible": "Eligible",
    "indeterminate": "Cannot tell",
    "ineligible": "Not eligible",
    "not-applicable": "Does not apply",
}
"""A protocol's status as a clinician reads it."""

NO_PLAN = "No plan"
"""What stands in place of a status where no plan can be made, whatever the answers are."""

STATUS_STYLE = {
    "eligible": "eligible",
    "indeterminate": "ask",
    "ineligible": "stop",
    "not-applicable": "off",
}
"""The shape and colour of a status: symbol `s-…`, class `status--…`."""


def concept(key: str) -> str:
    """Return the concept's name for a heading or a row."""
    return CONCEPTS.get(key) or key.replace("-", " ").capitalize()


def concept_inside(key: str) -> str:
    """Return the concept's name as it stands inside a sentence (`platelets`, but `INR`)."""
    name = concept(key)
    return name if name[1:2].isupper() or name[:1].islower() else name[:1].lower() + name[1:]


def unit(code: str | None) -> str:
    """Return a UCUM code as it is read on a ward; '' for none."""
    if not code:
        return ""
    return UNITS.get(code, code)


def value(raw: Any, unit_code: str | None = None, comparator: str | None = None) -> str:  # noqa: ANN401 - a FHIR value of any type
    """Return a value with its comparator and unit; digits stay as they came."""
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    if isinstance(raw, Decimal | int | float):
        number = f"{comparator or ''}{digits(raw)}"
        return f"{number} {unit(unit_code)}".strip()
    return str(raw).replace("-", " ") if str(raw).islower() else str(raw)


def digits(number: Decimal | int | float) -> str:
    """Return a number with its digits; a computed one, of more than three places, to two."""
    if isinstance(number, Decimal):
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and exponent < -_KEPT_PLACES:
            number = number.quantize(_TWO_PLACES)
        return format(number, "f")
    return str(number)


def interval(low: Any, high: Any, unit_code: str | None) -> str:  # noqa: ANN401 - numbers as they came
    """Return `4.1 to 4.4 mg/dL` for a value that is only known to lie between two numbers."""
    if low is None:
        return f"up to {value(high, unit_code)}"
    if high is None:
        return f"{value(low, unit_code)} or more"
    if low == high:
        return value(low, unit_code)
    return f"{value(low)} to {value(high, unit_code)}"


def pretty(text: str) -> str:
    """Return a text of the knowledge with its units and concepts as they are read on a ward."""
    text = text.replace("x10^9/L", UNITS["10*9/L"])
    return _KEY.sub(lambda found: concept_inside(found.group()), text)


def capitalise(text: str) -> str:
    """Return a text with a capital first letter."""
    return text[:1].upper() + text[1:]


def join(items: list[str], *, last: str = "and") -> str:
    """Return `a`, `a and b`, `a, b and c`."""
    if len(items) <= 1:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def record_part(resource_type: str) -> str:
    """Return a resource type as a part of the record, inside a sentence."""
    return RECORD_PARTS.get(resource_type, resource_type)


def not_read(failed: list[str], refused: list[str]) -> str:
    """Return that parts of the record could not be read, and which the EHR does not let be read."""
    said = []
    if failed:
        said.append(f"{join(failed)} {NOT_READ}")
    if refused:
        said.append(f"the EHR does not let the app read {join(refused)}")
    return join(said)


def what_helps(failed: list[str], refused: list[str]) -> str:
    """Return what to do about parts that could not be read, and about those that are refused."""
    said = []
    if failed:
        what = "the record" if not refused else join(failed)
        said.append(f"Read {what} again before anything is obtained or repeated.")
    if refused:
        it = "it" if len(refused) == 1 and refused[0].startswith("the ") else "them"
        said.append(
            f"Reading again does not help for {join(refused)}: open the app again from the EHR and "
            f"allow the app to read {it}, or ask your EHR administrator. Until then look {it} up "
            "in the EHR before anything is obtained or repeated."
        )
    return " ".join(said)


def unread_reason(note: str) -> str:
    """Return a note in which resource types are named as parts of the record.

    `Observation was not read: …` becomes `Results and measurements were not read: …`.
    """
    said = _TYPE.sub(_part_read, note)
    found = _TYPE.match(note)
    if found and not RECORD_PARTS[found[1]].startswith("the "):
        said = said.replace(" to its end", " to their end", 1)
    return capitalise(said) if _TYPE.match(note) else said


def _part_read(found: re.Match[str]) -> str:
    part = RECORD_PARTS[found[1]]
    were = " was not" if part.startswith("the ") else " were not"
    return part + (were if found[2] else "")


def needs(keys: Sequence[str]) -> list[tuple[str, str]]:
    """Return name (as it begins a line) and how to obtain it, one line a need, in order.

    Where either of two will do, they are one need: `Creatinine or eGFR`.
    """
    others = dict(ONE_NEED)
    either = {first: second for first, second in others.items() if {first, second} <= set(keys)}
    return [
        (
            f"{concept(key)} or {concept(either[key])}" if key in either else concept(key),
            OBTAIN.get(key, ""),
        )
        for key in dict.fromkeys(keys)
        if key not in either.values()
    ]


def count(number: int, one: str, many: str | None = None) -> str:
    """Return `1 fact`, `2 facts`, `no facts`."""
    if number == 1:
        return f"1 {one}"
    return f"{number or 'no'} {many or one + 's'}"


def decapitalise(text: str) -> str:
    """Return a title as it stands inside a sentence; an abbreviation keeps its capitals."""
    return text if text[:2].isupper() else text[:1].lower() + text[1:]
