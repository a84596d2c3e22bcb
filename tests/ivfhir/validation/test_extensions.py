"""Extensions: R4's own hold what they are defined to hold."""

import pytest

from ivfhir.validation import validate_resource

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
BASE = "http://hl7.org/fhir/StructureDefinition"
TIME = f"{BASE}/patient-birthTime"
NATION = f"{BASE}/patient-nationality"


def issues(*extensions):
    patient = {"resourceType": "Patient", "text": TEXT, "birthDate": "1960"}
    found = validate_resource(patient | {"_birthDate": {"extension": list(extensions)}})
    return [(each.severity, each.rule, each.expression) for each in found]


@pytest.mark.parametrize(
    "extension",
    [
        {"url": TIME, "valueDateTime": "1960-01-01"},
        {"url": NATION, "extension": [{"url": "code", "valueCodeableConcept": {"text": "x"}}]},
        {"url": "http://x.example/anything", "valueString": "x"},
        {
            "url": TIME,
            "_valueDateTime": {"extension": [{"url": "http://x.example", "valueCode": "x"}]},
        },
    ],
)
def test_what_fits_or_is_of_others_passes(extension):
    assert issues(extension) == []


@pytest.mark.parametrize(
    ("extension", "severity", "rule"),
    [
        ({"url": TIME, "valueDate": "1960"}, "error", "extension-value"),
        ({"url": NATION, "valueString": "x"}, "error", "extension-value"),
        (
            {"url": f"{BASE}/patient-birthtime", "valueDateTime": "1960"},
            "warning",
            "extension-unknown",
        ),
        ({"url": "birthTime", "valueDateTime": "1960"}, "error", "extension-url"),
    ],
)
def test_what_does_not_fit_is_told(extension, severity, rule):
    assert issues(extension) == [(severity, rule, "Patient.birthDate.extension[0]")]
