"""What is said on how to mend belongs to rules that R4 has."""

from ivfhir.fhir.r4 import definition_of, type_names
from ivfhir.fhir.r4.rules import rules_of
from ivfhir.validation import validate_resource
from ivfhir.validation.mends import MENDS, SAID


def test_each_is_of_a_rule_of_r4():
    paths = set(type_names())
    for name in type_names():
        definition = definition_of(name)
        paths |= {f"{name}.{each}" for each in (definition.elements if definition else ())}
    known = {rule.key for path in paths for rule in rules_of(path)}
    assert set(MENDS) | set(SAID) <= known


def test_the_message_of_a_rule_says_the_rule_and_what_to_do():
    issues = validate_resource({"resourceType": "Patient", "contact": [{"gender": "male"}]})
    [text] = [each.text for each in issues if each.rule == "pat-1"]
    assert text == (
        "Patient.contact[0] breaks R4's rule pat-1: SHALL at least contain a contact's details or "
        "a reference to an organization. Give the contact name, telecom, address or organization."
    )
    narrative = {"status": "generated", "div": "hello"}
    issues = validate_resource({"resourceType": "Patient", "text": narrative})
    [text] = [each.text for each in issues if each.rule == "txt-1"]
    assert "simple HTML with some words in it. Put it into <div" in text
