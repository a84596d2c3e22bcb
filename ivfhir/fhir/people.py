"""A patient as the record names them."""

from ivfhir.fhir.texts import sound_name
from ivfhir.fhir.types import Resource

MEDICAL_RECORD_NUMBER = "MR"
"""Code of http://terminology.hl7.org/CodeSystem/v2-0203 for a medical record number."""

_NAME_USE = {"official": 0, "usual": 1}


def patient_name(patient: Resource) -> str:
    """Return `FAMILY, Given`: the official name first, then the usual one, then any."""
    names = sorted(patient.get("name", ()), key=lambda name: _NAME_USE.get(name.get("use", ""), 2))
    if not names:
        return "Name not recorded"
    # A given name may be null, with an extension in its place.
    given = " ".join(part for part in names[0].get("given", ()) if part)
    family = str(names[0].get("family", "")).upper()
    name = ", ".join(part for part in (family, given) if part)
    text = str(names[0].get("text", ""))
    return sound_name(name) or sound_name(text) or "Name not recorded"


def patient_identifier(patient: Resource) -> tuple[str, str]:
    """Return what the patient's identifier is, and its value: the record number first."""
    identifiers = [entry for entry in patient.get("identifier", ()) if entry.get("value")]
    for entry in identifiers:
        codes = [coding.get("code") for coding in entry.get("type", {}).get("coding", ())]
        if MEDICAL_RECORD_NUMBER in codes:
            return "Record number", str(entry["value"])
    if identifiers:
        return str(identifiers[0].get("type", {}).get("text") or "Identifier"), str(
            identifiers[0]["value"]
        )
    return "Identifier", "not recorded"
