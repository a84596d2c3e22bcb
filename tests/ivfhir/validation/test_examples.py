"""The specification's own examples: no false error.

Some of them do break R4; each stands here with what is wrong with it.
"""

import json
import tarfile

import pytest

from ivfhir.fhir.json import loads
from ivfhir.validation import validate_resource
from tests.servers.needs import need
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
NO_FHIR = frozenset({"package.json", "ig-r4.json"})
TOO_PRECISE = "Observation-decimal.json"
"""It holds numbers of more digits than we read."""
WRONG = {
    "ActivityDefinition-blood-tubes-supply.json": {"txt-1"},  # nothing in the narrative
    "ActivityDefinition-heart-valve-replacement.json": {"txt-1"},
    "EventDefinition-example.json": {"txt-1"},
    "Questionnaire-zika-virus-exposure-assessment.json": {"txt-1"},
    "Questionnaire-qs1.json": {"cardinality"},  # items without linkId
    "CapabilityStatement-example.json": {"type-uri"},  # a UUID in capital letters
    "TerminologyCapabilities-example.json": {"type-uri"},
    "Library-zika-virus-intervention-logic.json": {"type-canonical"},  # urn:oid:X.Y.Z
    "DeviceMetric-example.json": {"reference-target"},  # parent is a DeviceDefinition
    "DeviceUseStatement-example.json": {"reference-target"},  # the reason is a Procedure
    "MedicationRequest-medrx0301.json": {"reference-target"},  # a person dispenses
    "Observation-clinical-gender.json": {"reference-target"},  # an Encounter performs
    "Bundle-10bb101f-a121-4264-a920-67be9cb82c74.json": {"full-url"},  # of another resource
    "Bundle-3a0707d3-549e-4467-b8b8-5a2ab3800efe.json": {"full-url"},
    "Bundle-lri-example.json": {"full-url"},
    "Bundle-hla-1.json": {"extension-inside"},  # uri where its definition has url
}
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
WRONG |= dict.fromkeys(NO_UNIT, frozenset({"unit"}))
OF_THE_WHOLE = frozenset({"too-many", "profile"})
"""Information that is no rule that could not be asked."""


@pytest.fixture(scope="module")
def examples():
    need(source.missing_npm())
    with tarfile.open(source.fetch()) as package:
        return dict(read(package))


def read(package):
    for member in package:
        name = member.name.removeprefix("package/")
        if name in NO_FHIR or name == TOO_PRECISE or member.size > LARGE or not member.isfile():
            continue
        if name.partition("-")[0] not in DEFINITIONS and name.endswith(".json"):
            yield name, package.extractfile(member).read().decode()


def test_an_example_has_an_error_only_where_it_is_wrong(examples):
    assert len(examples) > 600
    found = {}
    for name, text in examples.items():
        resource = loads(text, place=name)
        errors = {i.rule for i in validate_resource(resource) if i.severity == "error"}
        if errors:
            found[name] = errors
        assert resource == loads(text, place=name)
    assert found == WRONG


def test_a_rule_is_asked_of_each_example(examples):
    asked = [
        issue.text
        for text in examples.values()
        for issue in validate_resource(json.loads(text))
        if issue.severity == "information" and issue.rule not in OF_THE_WHOLE
    ]
    assert asked == []
