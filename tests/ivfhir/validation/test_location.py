"""A server's words for a place lead to the same element, whichever way it writes them."""

import pytest

from ivfhir.validation.location import pointer_of, settled
from tests.counted import calls_in

RAW = {
    "resourceType": "Bundle",
    "entry": [
        {
            "resource": {
                "resourceType": "Observation",
                "valueQuantity": {"code": "mm"},
                "_status": {"extension": [{"url": "http://x"}]},
                "component": [{"code": {}}, {"code": {}}],
            }
        },
    ],
}
OBSERVATION = ("entry", 0, "resource")


@pytest.mark.parametrize(
    ("said", "pointer"),
    [
        ("Bundle", ()),
        (
            "Bundle.entry[0].resource/*Observation/o1*/.component[1].code",
            (*OBSERVATION, "component", 1, "code"),
        ),
        (
            "Bundle.entry[0].resource.ofType(Observation).component[1]",
            (*OBSERVATION, "component", 1),
        ),
        ("Bundle.entry.resource.value[x].code", (*OBSERVATION, "valueQuantity", "code")),
        (
            "Bundle.entry.resource.value.ofType(Quantity).code",
            (*OBSERVATION, "valueQuantity", "code"),
        ),
        ("Bundle.entry.resource.valueQuantity.code", (*OBSERVATION, "valueQuantity", "code")),
        ("(Bundle.entry.resource.status)", (*OBSERVATION, "status")),
        ("/f:Bundle/f:entry[1]/f:resource/f:Observation", OBSERVATION),
        ("/entry/0/resource/component/1/code", (*OBSERVATION, "component", 1, "code")),
        ("Bundle.entry[0].resource.component", (*OBSERVATION, "component")),
        ("Bundle.entry[0].resource.component.code", (*OBSERVATION, "component")),
        ("Bundle.entry[0].resource.component:slice[1]", (*OBSERVATION, "component", 1)),
        ("Bundle.entry[0].resource.subject", OBSERVATION),
        ("Bundle.entry[7].resource.subject", ("entry",)),
        ("Bundle.entry.where(fullUrl = 'a.b').resource", ("entry", 0)),
        ("Patient.name", None),
        ("Line[1] Col[30]", None),
        ("", None),
    ],
)
def test_it_leads_as_far_as_the_resource_has_it(said, pointer):
    found = pointer_of(said, RAW)
    assert found == (pointer if pointer is None else settled(pointer, RAW))


def test_of_two_choices_the_one_counts_that_has_what_comes_after():
    raw = {"resourceType": "Observation", "valueString": "a", "valueQuantity": {"value": "7"}}
    assert pointer_of("Observation.value[x].value", raw) == ("valueQuantity", "value")
    assert pointer_of("Observation.value[x]", raw) == ()


def test_a_hostile_place_takes_no_time():
    for said in ("Bundle." + "(" * 100_000, "Bundle" + ".a" * 100_000, "/*" * 100_000):
        assert pointer_of(said, RAW) in ((), None)


def test_a_resource_of_many_members_takes_no_time():
    raw = {"resourceType": "Patient"} | {f"k{number}": 1 for number in range(100_000)}
    few = {"resourceType": "Patient", "k0": 1}
    calls = [calls_in(lambda raw=raw: pointer_of("Patient.value[x]", raw)) for raw in (few, raw)]
    assert calls[0] == calls[1]
    assert pointer_of("Patient.value[x]", raw) == ()


def test_a_lone_item_has_one_place():
    assert settled(("entry",), RAW) == settled(("entry", 0), RAW) == ("entry", 0)
    assert settled((*OBSERVATION, "_status", "extension", 0), RAW)[3] == "status"
