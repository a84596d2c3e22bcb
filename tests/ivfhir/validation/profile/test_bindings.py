"""Codes beside the value sets that a profile binds them to."""

import pytest

from tests.ivfhir.validation.profile.making import BASE, found, observation, profile, texts

S = "http://x.example/s"
SET = {
    "resourceType": "ValueSet",
    "url": BASE + "vs",
    "compose": {"include": [{"system": S, "concept": [{"code": "abc"}, {"code": "def"}]}]},
}
OPEN = {**SET, "compose": {"include": [{"system": S, "filter": [{"op": "regex"}]}]}}


def binding(strength):
    return {"binding": {"strength": strength, "valueSet": BASE + "vs"}}


def bound(strength, path="Observation.method"):
    return profile("P", (path, binding(strength)))


def coded(*codes, system=S):
    return {"coding": [{"system": system, "code": each} for each in codes]}


@pytest.mark.parametrize(
    ("method", "is_in"),
    [
        (coded("abc"), True),
        (coded("x", "def"), True),
        (coded("x"), False),
        (coded("abc", system="http://y.example"), False),
        ({"text": "abc"}, False),
        ({"coding": [{"code": "abc"}]}, False),
    ],
)
@pytest.mark.parametrize(
    ("strength", "severity"), [("required", "error"), ("extensible", "warning")]
)
def test_a_code_outside_the_set_is_told(strength, severity, method, is_in):
    rows = found(observation("P", method=method), bound(strength), SET, severities=(severity,))
    assert rows == ([] if is_in else [(f"binding-{strength}", "Observation.method")])


def test_a_message_lists_a_few_codes():
    assert texts(observation("P", method=coded("abd")), bound("required"), SET) == [
        "Observation.method has 'abd' of http://x.example/s; P 1.0 asks for one of the value set "
        "http://x.example/vs: abc, def."
    ]


@pytest.mark.parametrize(
    ("coding", "said"),
    [
        ({"code": "abc"}, "has the code 'abc' without a system; http://x.example/s has it"),
        ({"code": "xyz"}, "has the code 'xyz' without a system"),
        ({"code": "xyz", "system": S}, "has 'xyz' of http://x.example/s"),
        ({"display": "abc"}, "has no code"),
    ],
)
def test_a_message_says_what_is_wrong_with_the_code(coding, said):
    found = texts(observation("P", method={"coding": [coding]}), bound("required"), SET)
    assert found[-1].startswith(f"Observation.method {said}; P 1.0 asks for one of")


@pytest.mark.parametrize(
    ("strength", "severity"), [("required", "warning"), ("extensible", "information")]
)
@pytest.mark.parametrize("sets", [(), (OPEN,)])
def test_a_set_that_is_not_known_is_named(strength, severity, sets):
    rows = found(
        observation("P", method=coded("x")), bound(strength), *sets, severities=(severity,)
    )
    assert rows == [(f"binding-{strength}", "Observation.method")]


def test_a_weak_binding_asks_nothing():
    assert texts(observation("P", method=coded("x")), bound("preferred"), SET) == []


def test_the_largest_set_is_required():
    extension = {
        "url": "http://hl7.org/fhir/StructureDefinition/elementdefinition-maxValueSet",
        "valueCanonical": BASE + "vs",
    }
    said = {"binding": {"strength": "preferred", "extension": [extension]}}
    rows = found(
        observation("P", method=coded("x")), profile("P", ("Observation.method", said)), SET
    )
    assert rows == [("binding-required", "Observation.method")]


def test_a_quantity_is_bound_by_its_unit():
    said = bound("required", "Observation.value[x]")
    place = "Observation.value.ofType(Quantity)"
    good = {"value": 1, "system": S, "code": "abc"}
    assert found(observation("P", valueQuantity=good), said, SET) == []
    assert found(observation("P", valueQuantity={**good, "code": "x"}), said, SET) == [
        ("binding-required", place)
    ]


@pytest.mark.parametrize("type_name", ["Age", "Quantity", "Duration"])
def test_so_is_what_specialises_quantity(type_name):
    said = profile("e", ("Extension.value[x]", binding("required")), of="Extension")
    value = {"value": 1, "system": S, "code": "abc"}
    place = f"Observation.extension[0].value.ofType({type_name})"
    for code, rows in (("abc", []), ("x", [("binding-required", place)])):
        inside = {"url": BASE + "e", f"value{type_name}": {**value, "code": code}}
        told = found(observation(extension=[inside]), said, SET)
        assert [row for row in told if row[0] == "binding-required"] == rows


def test_what_r4_binds_too_is_told_once():
    said = bound("required", "Observation.status")
    narrower = {**SET, "compose": {"include": [{"system": S, "concept": [{"code": "final"}]}]}}
    assert found(observation("P", status="x"), said, narrower) == [
        ("binding-required", "Observation.status")
    ]
    assert found(observation("P", status="amended"), said, narrower) == [
        ("binding-required", "Observation.status")
    ]
    assert found(observation("P"), said, narrower) == []
