"""Whatever stands in a resource, a profile or a value set, there are findings and no exception."""

from contextlib import suppress
from copy import deepcopy

import pytest

from ivfhir.errors import InputError
from ivfhir.validation import validate_resource
from tests.ivfhir.validation.profile.making import BASE, LOINC, R4, TEXT, profile, profiles
from tests.twisting import at, twisted, ways_in

VALUE_SET = {
    "resourceType": "ValueSet",
    "url": BASE + "vs",
    "compose": {"include": [{"system": LOINC, "concept": [{"code": "a"}]}]},
}
CODE = {"coding": [{"system": LOINC, "code": "a"}]}
EXTENSION = profile(
    "ext", ("Extension.value[x]", {"min": 1, "type": [{"code": "string"}]}), of="Extension"
)
PATIENT = profile("Pat", ("Patient.birthDate", {"min": 1}), of="Patient")
RULE = {
    "key": "x-1",
    "severity": "error",
    "human": "x",
    "expression": f"subject.resolve().conformsTo('{BASE}Pat') and code.memberOf('{BASE}vs')",
    "source": BASE + "P",
}


def sliced(*discriminators, **more):
    rows = [{"type": kind, "path": path} for kind, path in discriminators]
    return {"slicing": {"discriminator": rows, "rules": "closed", "ordered": True}, **more}


PROFILE = profile(
    "P",
    ("Observation", {"constraint": [RULE]}),
    ("Observation.extension:e", {"type": [{"code": "Extension", "profile": [BASE + "ext"]}]}),
    ("Observation.status", {"fixedCode": "final"}),
    ("Observation.category", sliced(("pattern", "$this"), ("exists", "text"))),
    ("Observation.category:a", {"min": 1, "max": "1", "patternCodeableConcept": CODE}),
    ("Observation.category:a.text", {"max": "0"}),
    ("Observation.code", {"binding": {"strength": "required", "valueSet": BASE + "vs"}}),
    ("Observation.subject", {"type": [{"code": "Reference", "targetProfile": [BASE + "Pat"]}]}),
    ("Observation.focus", sliced(("profile", "resolve()"), ("type", "resolve()"))),
    (
        "Observation.focus:p",
        {"min": 1, "type": [{"code": "Reference", "targetProfile": [BASE + "Pat"]}]},
    ),
    (
        "Observation.value[x]",
        {
            "type": [{"code": "Quantity", "profile": [f"{R4}SimpleQuantity", BASE + "Q"]}],
            "minValueQuantity": {"value": 1, "system": "http://unitsofmeasure.org", "code": "g"},
            **sliced(("type", "$this")),
        },
    ),
    ("Observation.value[x]:valueQuantity.unit", {"maxLength": 3, "min": 1}),
    (
        "Observation.component",
        sliced(("value", f"code.extension('{BASE}ext').value.ofType(string)")),
    ),
    ("Observation.component:c.code.extension", sliced(("value", "url"))),
    (
        "Observation.component:c.code.extension:e",
        {"min": 1, "type": [{"code": "Extension", "profile": [BASE + "ext"]}]},
    ),
    ("Observation.component:c.code.extension:e.value[x]", {"fixedString": "x"}),
)
INSIDE = {"url": BASE + "ext", "valueString": "x"}
OBSERVATION = {
    "resourceType": "Observation",
    "id": "o",
    "meta": {"profile": [BASE + "P"]},
    "text": TEXT,
    "contained": [{"resourceType": "Patient", "id": "p", "birthDate": "2000"}],
    "extension": [INSIDE],
    "status": "final",
    "_status": {"extension": [INSIDE]},
    "category": [CODE],
    "code": CODE,
    "subject": {"reference": "#p"},
    "focus": [{"reference": "#p"}, {"reference": "Patient/q"}],
    "valueQuantity": {
        "value": 2,
        "unit": "g",
        "system": "http://unitsofmeasure.org",
        "code": "g",
    },
    "component": [{"code": {"extension": [INSIDE], "text": "x"}, "valueString": "x"}],
}
OTHER = {"resourceType": "Patient", "id": "q", "text": TEXT, "birthDate": "2000"}
BUNDLE = {
    "resourceType": "Bundle",
    "type": "collection",
    "entry": [
        {"fullUrl": f"https://y.example/{each['resourceType']}/{each['id']}", "resource": each}
        for each in (OBSERVATION, OTHER)
    ],
}
DEFINITIONS = (PROFILE, PATIENT, EXTENSION, VALUE_SET)


TWISTS = {
    "null": lambda before: None,
    "array": lambda before: [],
    "object": lambda before: {},
    "text": lambda before: "",
    "number": lambda before: 5,
    "true": lambda before: True,
    "in an array": lambda before: [before],
    "in an object": lambda before: {"x": before},
}


NUMBER = ("entry", 0, "resource", "valueQuantity", "value")
"""Any number is right there."""
NAMES = (("resourceType",), ("url",))
"""By these a package finds a definition."""


def test_what_is_twisted_is_right_before():
    assert validate_resource(BUNDLE, profiles(*DEFINITIONS)) == []


@pytest.mark.parametrize("twist", TWISTS.values(), ids=TWISTS)
def test_a_twisted_resource_has_findings(twist):
    known = profiles(*DEFINITIONS)
    whole = deepcopy(BUNDLE)
    for way in (("resourceType",), *ways_in(whole["entry"], ("entry",))):
        with twisted(whole, way, twist(at(whole, way))):
            assert validate_resource(whole, known, [BASE + "P"]) or way == NUMBER, way


@pytest.mark.parametrize("twist", TWISTS.values(), ids=TWISTS)
def test_a_twisted_definition_is_read_or_refused(twist):
    definitions = deepcopy(DEFINITIONS)
    for definition in definitions:
        for way in ways_in(definition):
            if way in NAMES:
                continue
            with twisted(definition, way, twist(at(definition, way))), suppress(InputError):
                validate_resource(BUNDLE, profiles(*definitions), [BASE + "P"])
