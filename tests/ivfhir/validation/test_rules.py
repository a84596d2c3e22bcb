"""R4's own rules are asked where they are said."""

from dataclasses import replace

import pytest

from benchmarks.validators.examples import mcode_examples
from benchmarks.validators.mutants import by_chance
from ivfhir.fhir.json import loads
from ivfhir.validation import rules, validate_resource

TEXT = {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml">x</div>'}
ABSENT = {
    "coding": [
        {
            "system": "http://terminology.hl7.org/CodeSystem/data-absent-reason",
            "code": "unknown",
        }
    ]
}


def broken(resource):
    """Return severity, rule and place of what is wrong."""
    found = validate_resource({"text": TEXT} | resource)
    return [(each.severity, each.rule, each.expression) for each in found]


def observation(**members):
    return {"resourceType": "Observation", "status": "final", "code": {"text": "x"}} | members


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (observation(valueString="a"), []),
        (
            observation(valueString="a", dataAbsentReason=ABSENT),
            [("error", "obs-6", "Observation")],
        ),
        (observation(text=None) | {"text": {**TEXT, "status": "empty"}}, []),
        (
            observation(referenceRange=[{"age": {"low": {"value": 1}}}]),
            [("error", "obs-3", "Observation.referenceRange[0]")],
        ),
        (
            observation(extension=[{"url": "http://x.example"}]),
            [("error", "ext-1", "Observation.extension[0]")],
        ),
        (
            observation(subject={"reference": "#none"}),
            [("error", "ref-1", "Observation.subject")],
        ),
        (
            observation(referenceRange=[{"low": {"value": 1, "comparator": "<"}}]),
            [("error", "sqty-1", "Observation.referenceRange[0].low")],
        ),
        (observation(valueQuantity={"value": 1, "comparator": "<"}), []),
        (
            observation(valueQuantity={"value": 1, "code": "g"}),
            [("error", "qty-3", "Observation.value.ofType(Quantity)")],
        ),
        (
            observation(effectivePeriod={"start": "2020-02", "end": "2020-01"}),
            [("error", "per-1", "Observation.effective.ofType(Period)")],
        ),
        (observation(effectivePeriod={"start": "2020", "end": "2020-01"}), []),
        (
            observation(
                contained=[{"resourceType": "Patient", "id": "p"}], subject={"reference": "#p"}
            ),
            [],
        ),
        (
            observation(contained=[{"resourceType": "Patient", "id": "p"}]),
            [("error", "dom-3", "Observation")],
        ),
        (
            observation(
                contained=[{"resourceType": "Patient", "id": "p"}],
                method={"text": "x", "coding": [{"system": "http://x.example", "display": "#p"}]},
            ),
            [("error", "dom-3", "Observation")],
        ),
        (
            observation(
                contained=[
                    {
                        "resourceType": "Provenance",
                        "id": "p",
                        "target": [{"reference": "#"}],
                        "recorded": "2020-01-01T00:00:00Z",
                        "agent": [{"who": {"display": "x"}}],
                    }
                ],
            ),
            [],
        ),
        (
            observation(subject={"reference": "#nobody"}),
            [("error", "ref-1", "Observation.subject")],
        ),
        (
            {
                "resourceType": "Questionnaire",
                "status": "draft",
                "item": [
                    {"linkId": "a", "type": "display", "item": [{"linkId": "a", "type": "string"}]}
                ],
            },
            [("error", "que-2", "Questionnaire"), ("error", "que-1", "Questionnaire.item[0]")],
        ),
    ],
)
def test_a_rule_that_does_not_hold_is_told_with_its_place(resource, expected):
    assert broken(resource) == expected


def test_a_resource_without_narrative_is_a_warning_and_a_contained_one_is_none():
    found = validate_resource(
        observation(contained=[{"resourceType": "Patient", "id": "p"}], subject={"reference": "#p"})
    )
    assert [(each.severity, each.rule, each.expression) for each in found] == [
        ("warning", "dom-6", "Observation")
    ]


def test_an_empty_narrative_is_one_message():
    found = broken(observation() | {"text": {**TEXT, "div": TEXT["div"].replace("x<", "<")}})
    assert found == [("error", "txt-1", "Observation.text.div")]


def test_an_entry_of_a_bundle_is_a_resource_on_its_own():
    entry = observation(
        text=TEXT, contained=[{"resourceType": "Patient", "id": "p"}], subject={"reference": "#p"}
    )
    other = {**entry, "contained": [], "subject": {"reference": "#p"}}
    del other["contained"]
    bundle = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": entry}, {"resource": other}],
    }
    found = [(each.rule, each.expression) for each in validate_resource(bundle)]
    assert found == [("ref-1", "Bundle.entry[1].resource.subject")]


def test_a_message_says_the_rule_in_words():
    found = validate_resource(observation(text=TEXT, extension=[{"url": "http://x.example"}]))
    assert "Must have either extensions or value[x], not both" in found[0].text


@pytest.mark.parametrize("narrative", [5, ["x"], {"div": 5, "status": "generated"}])
def test_a_rule_stumbles_over_no_shape(narrative):
    found = validate_resource(observation(text=narrative))
    assert {each.rule for each in found} <= {"json-shape", "type-xhtml", "dom-6"}
    assert found


def test_a_rule_that_is_not_asked_for_want_of_an_element_would_hold(monkeypatch):
    """What examples and changes by chance are told is the same when every rule is asked."""
    examples = [(name, loads(text, place=name)) for name, text in mcode_examples()]
    changed = [each.resource for each in by_chance(examples, 200, seed=5)]
    resources = [*(resource for _, resource in examples), *changed]
    told = [validate_resource(each) for each in resources]
    asked = rules._asked
    count = {"asked": 0}

    def counted(compiled, node, visited):
        count["asked"] += 1
        return asked(compiled, node, visited)

    monkeypatch.setattr(rules, "_asked", counted)
    assert [validate_resource(each) for each in resources] == told
    seldom = count["asked"]
    every = rules.rules_for
    monkeypatch.setattr(
        rules, "rules_for", lambda slot: tuple(replace(each, needs=()) for each in every(slot))
    )
    assert [validate_resource(each) for each in resources] == told
    assert count["asked"] - seldom > 1.5 * seldom
