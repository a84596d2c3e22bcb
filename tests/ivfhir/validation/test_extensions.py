"""Extensions: R4's own hold what they are defined to hold."""

import pytest

from ivfhir.validation import validate_resource

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
BASE = "http://hl7.org/fhir/StructureDefinition"
TIME = f"{BASE}/patient-birthTime"
NATION = f"{BASE}/patient-nationality"


def patient(**members):
    return {"resourceType": "Patient", "text": TEXT, "birthDate": "1960"} | members


def told(resource):
    return [(each.severity, each.rule, each.expression) for each in validate_resource(resource)]


def issues(extension):
    """Return what is said of an extension, on the element that it belongs to."""
    on_patient = "nationality" in extension["url"]
    members = {"extension": [extension]}
    return told(patient(**members if on_patient else {"_birthDate": members}))


def nation(*inside):
    return patient(extension=[{"url": NATION, "extension": list(inside)}])


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
    holder = "Patient" if "nationality" in extension["url"] else "Patient.birthDate"
    assert issues(extension) == [(severity, rule, f"{holder}.extension[0]")]


MOTHERS = {"url": f"{BASE}/humanname-mothers-family", "valueString": "x"}
TIMED = {"url": TIME, "valueDateTime": "1960-01-01"}
CODE = {"url": "code", "valueCodeableConcept": {"text": "x"}}
ABSENT = {"url": f"{BASE}/data-absent-reason", "valueCode": "unknown"}
FORBIDDEN = {"url": f"{BASE}/request-doNotPerform", "valueBoolean": True}


@pytest.mark.parametrize(
    "resource",
    [
        patient(name=[{"family": "x", "_family": {"extension": [MOTHERS]}}]),
        patient(name=[{"text": "x", "_family": {"extension": [ABSENT]}}]),
        nation(CODE),
        nation(CODE, {"url": "http://x.example/more", "valueString": "x"}),
    ],
)
def test_where_its_definition_has_it_an_extension_passes(resource):
    assert told(resource) == []


@pytest.mark.parametrize(
    ("resource", "rule", "expression"),
    [
        (patient(extension=[TIMED]), "extension-context", "Patient.extension[0]"),
        (
            patient(name=[{"family": "x", "extension": [MOTHERS]}]),
            "extension-context",
            "Patient.name[0].extension[0]",
        ),
        (
            patient(modifierExtension=[{"url": NATION, "extension": [CODE]}]),
            "extension-modifier",
            "Patient.modifierExtension[0]",
        ),
        (patient(extension=[FORBIDDEN]), "extension-modifier", "Patient.extension[0]"),
        (
            nation({**CODE, "url": "kode"}),
            "extension-inside",
            "Patient.extension[0].extension[0]",
        ),
        (nation(CODE, CODE), "extension-inside", "Patient.extension[0]"),
        (
            nation({"url": "code", "valueString": "x"}),
            "extension-value",
            "Patient.extension[0].extension[0]",
        ),
    ],
)
def test_elsewhere_or_with_something_else_inside_it_is_an_error(resource, rule, expression):
    assert told(resource) == [("error", rule, expression)]


def test_what_must_be_inside_and_is_not_is_told():
    location = {"url": f"{BASE}/geolocation", "extension": [{"url": "latitude", "valueDecimal": 1}]}
    found = validate_resource(patient(address=[{"city": "x", "extension": [location]}]))
    assert [each.rule for each in found] == ["extension-inside"]
    assert "without its longitude" in found[0].text
