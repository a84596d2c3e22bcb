"""Codes of bound elements: outside a required value set an error, an extensible one a warning."""

import pytest

from ivfhir.validation import validate_resource

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
MARITAL = "http://terminology.hl7.org/CodeSystem/v3-MaritalStatus"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
LOINC = "http://loinc.org"


def issues(resource):
    found = validate_resource({"text": TEXT} | resource)
    return [(each.severity, each.rule, each.expression, each.text) for each in found]


def patient(**members):
    return {"resourceType": "Patient"} | members


def condition(*codings, **members):
    status = ({"coding": list(codings)} if codings else {}) | members
    return {"resourceType": "Condition", "subject": {"display": "x"}, "clinicalStatus": status}


def coding(code, system=None):
    return {"code": code} | ({"system": system} if system else {})


def attachment(content_type):
    return patient(photo=[{"contentType": content_type, "url": "http://x.example/p"}])


@pytest.mark.parametrize(
    "resource",
    [
        patient(gender="female"),
        patient(maritalStatus={"coding": [coding("M", MARITAL)]}),
        patient(maritalStatus={"coding": [coding("x", "http://x.example"), coding("M", MARITAL)]}),
        condition(coding("active", CLINICAL)),
        attachment("image/png"),
        attachment("text/plain; charset=utf-8"),
        condition(coding("x", LOINC), coding("active", CLINICAL)),
    ],
)
def test_a_code_of_the_value_set_passes(resource):
    assert issues(resource) == []


@pytest.mark.parametrize(
    ("resource", "severity", "rule", "expression", "said"),
    [
        (
            patient(gender="Female"),
            "error",
            "binding-required",
            "Patient.gender",
            "is 'Female', which is not in the value set administrative-gender: female, male, ",
        ),
        (
            condition(coding("aktive", CLINICAL)),
            "error",
            "binding-required",
            "Condition.clinicalStatus",
            "has 'aktive', which is not in the value set condition-clinical: active,",
        ),
        (
            condition(text="active"),
            "error",
            "binding-required",
            "Condition.clinicalStatus",
            "has no code; R4 asks for one",
        ),
        (
            condition(coding("active")),
            "error",
            "binding-required",
            "Condition.clinicalStatus",
            f"without a system; say {CLINICAL}",
        ),
        (
            condition(coding("active", "http://x.example")),
            "error",
            "binding-required",
            "Condition.clinicalStatus",
            "not in the value set",
        ),
        (
            patient(maritalStatus={"coding": [coding("x", LOINC)]}),
            "warning",
            "binding-extensible",
            "Patient.maritalStatus",
            "not in the value set marital-status",
        ),
        (
            patient(maritalStatus={"text": "x"}),
            "warning",
            "binding-extensible",
            "Patient.maritalStatus",
            "has no code; R4 recommends one",
        ),
        (
            attachment("png"),
            "warning",
            "binding-required",
            "Patient.photo[0].contentType",
            "no media type",
        ),
    ],
)
def test_a_code_outside_is_told_with_what_is_expected(resource, severity, rule, expression, said):
    found = issues(resource)
    assert [each[:3] for each in found] == [(severity, rule, expression)]
    assert said in found[0][3]


def test_of_a_long_list_the_nearest_code_is_named():
    bundle = {
        "resourceType": "SearchParameter",
        "url": "http://x.example/s",
        "name": "S",
        "status": "draft",
    }
    found = issues(bundle | {"description": "d", "code": "s", "type": "token", "base": ["Patinet"]})
    assert [each[2] for each in found] == ["SearchParameter.base[0]"]
    assert found[0][3].endswith("; is Patient meant?")


def test_a_currency_that_r4_did_not_list_is_a_warning():
    invoice = {
        "resourceType": "Invoice",
        "status": "draft",
        "totalNet": {"value": 1, "currency": "VES"},
    }
    assert [each[:2] for each in issues(invoice)] == [("warning", "binding-required")]
    invoice["totalNet"]["currency"] = "euro"
    assert [each[:2] for each in issues(invoice)] == [("error", "binding-required")]


def test_a_value_set_that_is_not_known_is_a_warning_never_a_silent_pass():
    variant = {"variantType": {"coding": [coding("x", LOINC)]}}
    sequence = {
        "resourceType": "MolecularSequence",
        "coordinateSystem": 0,
        "structureVariant": [variant],
    }
    found = issues(sequence)
    assert [each[:2] for each in found] == [("warning", "binding-required")]
    assert "codes are not known here" in found[0][3]


CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"


def observation(**members):
    made = {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
    return made | members


def test_a_code_that_its_own_system_does_not_have_is_an_error_whatever_the_element_is_bound_to():
    found = issues(observation(category=[{"coding": [coding("Laboratory", CATEGORY)]}]))
    place = "Observation.category[0].coding[0]"
    assert [each[:3] for each in found] == [("error", "code-unknown", place)]
    assert "is laboratory meant?" in found[0][3]
    assert issues(observation(category=[{"coding": [coding("laboratory", CATEGORY)]}])) == []


def test_one_cause_is_one_message():
    found = issues(patient(maritalStatus={"coding": [coding("m", MARITAL)]}))
    assert [each[:2] for each in found] == [("error", "code-unknown")]
    found = issues(condition(coding("aktive", CLINICAL)))
    assert [each[:2] for each in found] == [("error", "binding-required")]


def test_a_code_of_a_system_that_is_not_known_here_is_not_judged():
    assert issues(observation(code={"coding": [coding("x", LOINC)]})) == []
    system = {"resourceType": "Observation", "meta": {"tag": [coding("x", CATEGORY)]}}
    found = issues(system | observation())
    place = "Observation.meta.tag[0]"
    assert [each[1:3] for each in found] == [("code-unknown", place)]


@pytest.mark.parametrize("code", ["N", "n"])
def test_where_case_does_not_count_a_code_is_in_the_set_in_any(code):
    """Table 0131 of HL7 v2 does not tell them apart; that of marital states does."""
    related = [{"coding": [coding(code, "http://terminology.hl7.org/CodeSystem/v2-0131")]}]
    assert issues(patient(contact=[{"name": {"text": "x"}, "relationship": related}])) == []
    married = issues(patient(maritalStatus={"coding": [coding("m", MARITAL)]}))
    assert [each[:2] for each in married] == [("error", "code-unknown")]


def test_extensions_alone_are_no_code_of_a_required_value_set():
    absent = {"extension": [{"url": "http://x.example", "valueString": "x"}]}
    found = issues(patient(_gender=absent))
    assert [each[:3] for each in found] == [("error", "binding-required", "Patient.gender")]
    assert "has no code; R4 asks for one" in found[0][3]
    assert issues(patient(_language=absent)) == []
