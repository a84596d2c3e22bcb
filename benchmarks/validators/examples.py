"""The examples of R4 and of mCODE, and what is wrong with those that are not right."""

from collections.abc import Iterator

from ivfhir.fhir.json import loads
from ivfhir.fhir.types import Resource
from tools.r4 import source

LARGE = 1_000_000
DEFINITIONS = frozenset(
    {
        "CodeSystem",
        "ConceptMap",
        "NamingSystem",
        "SearchParameter",
        "StructureDefinition",
        "ValueSet",
    }
)
"""These are not examples but the specification itself."""
NO_FHIR = frozenset({"package.json", "ig-r4.json", ".index.json"})
TOO_PRECISE = "Observation-decimal.json"
"""It holds numbers of more digits than we read."""


def r4_examples() -> Iterator[tuple[str, str]]:
    """Yield name and text of each example of the specification, but of those above `LARGE`."""
    for name, text in source.read_files(source.fetch(), "package/"):
        if name in NO_FHIR or name == TOO_PRECISE or len(text) > LARGE:
            continue
        if name.partition("-")[0] not in DEFINITIONS:
            yield name, text.decode()


def mcode_examples() -> Iterator[tuple[str, str]]:
    """Yield name and text of each example of mCODE 4.0.0."""
    for name, text in source.read_files(source.fetch(source.MCODE), "package/example/"):
        if name not in NO_FHIR:
            yield name, text.decode()


def plain(name: str, text: str) -> Resource:
    """Return an example without the profiles that it claims: R4 alone is asked of it."""
    resource = loads(text, place=name)
    assert isinstance(resource, dict)
    meta = resource.get("meta")
    if isinstance(meta, dict):
        meta.pop("profile", None)
        if not meta:
            del resource["meta"]
    return resource


NO_UNIT = {
    "Bundle-father.json": "tbl",
    "Claim-760151.json": "TAB",
    "Claim-760152.json": "TAB",
    "MedicationDispense-meddisp0309.json": "drop",
    "MedicationDispense-meddisp0313.json": "mEq",
    "MedicationDispense-meddisp0318.json": "mcg",
    "MedicationDispense-meddisp0324.json": "ea",
    "MedicationDispense-meddisp0327.json": "ea",
    "MedicationDispense-meddisp0328.json": "ea",
    "MedicationDispense-meddisp0329.json": "ea",
    "MedicationRequest-medrx0304.json": "drop",
    "MedicationRequest-medrx0314.json": "mcg",
    "MedicationRequest-medrx0319.json": "ml/hr",
    "MedicationRequest-medrx0322.json": "mEq",
    "MedicationRequest-medrx0325.json": "ea",
    "MedicationRequest-medrx0326.json": "ea",
    "MedicationRequest-medrx0328.json": "ea",
    "MedicationRequest-medrx0329.json": "ea",
    "MedicationRequest-medrx0334.json": "ea",
    "MedicationRequest-medrx0335.json": "ea",
    "VisionPrescription-33124.json": "month",
}
"""They say that the unit is of UCUM, which does not have it; HAPI's validator says the same."""
NO_CODE = {
    "Medication-med0304.json": "Tab",
    "Medication-med0309.json": "Tab",
    "MedicationAdministration-medadmin0312.json": "patch",
    "MedicationDispense-meddisp0301.json": "Vial",
    "MedicationDispense-meddisp0325.json": "patch",
    "MedicationRequest-medrx0313.json": "Tab",
    "MedicationRequest-medrx0314.json": "Tab",
    "MedicationRequest-medrx0327.json": "patch",
    "MedicationStatement-example001.json": "Tab",
    "MedicationStatement-example002.json": "Tab",
    "MedicationStatement-example003.json": "tab",
}
"""They name a drug form of HL7's table that it does not have; HAPI's validator says the same."""
WRONG_R4: dict[str, dict[str, str]] = {
    "ActivityDefinition-blood-tubes-supply.json": {"txt-1": "nothing in the narrative"},
    "ActivityDefinition-heart-valve-replacement.json": {"txt-1": "nothing in the narrative"},
    "EventDefinition-example.json": {"txt-1": "nothing in the narrative"},
    "Questionnaire-zika-virus-exposure-assessment.json": {"txt-1": "nothing in the narrative"},
    "Questionnaire-qs1.json": {"cardinality": "items without linkId"},
    "CapabilityStatement-example.json": {"type-uri": "a UUID in capital letters"},
    "TerminologyCapabilities-example.json": {"type-uri": "a UUID in capital letters"},
    "Library-zika-virus-intervention-logic.json": {"type-canonical": "urn:oid:X.Y.Z"},
    "DeviceMetric-example.json": {"reference-target": "its parent is a DeviceDefinition"},
    "DeviceUseStatement-example.json": {"reference-target": "the reason is a Procedure"},
    "MedicationRequest-medrx0301.json": {"reference-target": "a person dispenses"},
    "Observation-clinical-gender.json": {"reference-target": "an Encounter performs"},
    "Bundle-10bb101f-a121-4264-a920-67be9cb82c74.json": {"full-url": "of another resource"},
    "Bundle-3a0707d3-549e-4467-b8b8-5a2ab3800efe.json": {"full-url": "of another resource"},
    "Bundle-lri-example.json": {"full-url": "of another resource"},
    "Bundle-hla-1.json": {"extension-inside": "uri where its definition has url"},
    **{name: {"unit": f"UCUM does not have '{unit}'"} for name, unit in NO_UNIT.items()},
}
for _name, _code in NO_CODE.items():
    WRONG_R4.setdefault(_name, {})["code-unknown"] = f"the table does not have '{_code}'"
"""Examples of R4 that break R4: rule and reason."""
WRONG_MCODE: dict[str, dict[str, str]] = {
    "Observation-body-surface-area-example.json": {"unit": "UCUM has m2, not 'm^2'"}
}
"""Examples of mCODE that break R4, likewise."""
